"""Devices drift by the clock of the cloud, within the spread of their real data; a qubit may go bad, and jobs say what they ran on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

import databases
from qumulus.catalogue import AddedCatalogue, CombinedCatalogue, Imports, SnapshotCatalogue
from qumulus.core.accounts import Caller
from qumulus.core.devices import Calibration, DeviceReport
from qumulus.core.errors import WrongState
from qumulus.core.jobs import NewJob
from qumulus.core.results import Outcome
from qumulus.core.sent_devices import unpacked
from qumulus.emulation.calibrations import SeriesSetting, series
from qumulus.emulation.clock import advance, set_clock
from qumulus.storage import Storage, open_storage

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)
TORINO = SnapshotCatalogue().calibration("torino")


def figures(calibration: Calibration, name: str) -> list[float]:
    """The values of all qubits, or the errors of all gates."""
    qubits = [each["value"] for q in calibration.properties["qubits"] for each in q if each["name"] == name]
    gates = [each["value"] for g in calibration.properties["gates"] for each in g["parameters"] if each["name"] == name]
    return qubits or [value for value in gates if 0 < value < 0.5]


def test_a_seed_gives_the_same_series_and_another_one_another():
    first, second, other = (series(TORINO, SeriesSetting(number=2, seed=seed), MONDAY) for seed in (7, 7, 8))
    assert [(each.id, each.at) for each in first] == [(each.id, each.at) for each in second]
    assert first[0].properties == second[0].properties
    assert len({each.id for each in (*first, *other, TORINO)}) == 5


@pytest.mark.parametrize("name", ["T1", "T2", "prob_meas0_prep1", "gate_error"])
def test_figures_move_within_what_the_device_really_has(name):
    real = figures(TORINO, name)
    for calibration in series(TORINO, SeriesSetting(number=4, drift=2), MONDAY):
        drifted = figures(calibration, name)
        assert drifted != real
        assert min(real) * 0.99 <= min(drifted)
        assert max(drifted) <= max(real) * 1.01
        assert 0.7 < median(drifted) / median(real) < 1.4


def test_no_t2_is_above_twice_its_t1():
    (calibration,) = series(TORINO, SeriesSetting(number=1, drift=5), MONDAY)
    assert all(t2 <= 2 * t1 for t1, t2 in zip(figures(calibration, "T1"), figures(calibration, "T2"), strict=True))


def test_without_drift_all_stays():
    (calibration,) = series(TORINO, SeriesSetting(number=1, drift=0), MONDAY)
    assert figures(calibration, "T1") == pytest.approx(figures(TORINO, "T1"))
    assert calibration.at == MONDAY


def test_a_qubit_goes_bad_with_its_gates():
    good, bad = series(TORINO, SeriesSetting(number=2, drift=0, bad_qubits={3: 2}), MONDAY)
    assert figures(good, "T1") == pytest.approx(figures(TORINO, "T1"))
    assert figures(bad, "T1")[3] == pytest.approx(figures(TORINO, "T1")[3] / 10)
    assert figures(bad, "readout_error")[3] >= 0.4
    assert figures(bad, "T1")[4] == pytest.approx(figures(TORINO, "T1")[4])
    with pytest.raises(WrongState, match="133 qubits"):
        series(TORINO, SeriesSetting(bad_qubits={133: 1}), MONDAY)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """A state whose clock stands."""
    opened = open_storage(tmp_path, url=databases.url(tmp_path))
    set_clock(opened.clock, rate=0, now=MONDAY)
    yield opened
    opened.close()


@pytest.fixture
def catalogue(storage: Storage) -> CombinedCatalogue:
    return CombinedCatalogue(AddedCatalogue(storage.added_devices, storage.clock.now), SnapshotCatalogue())


@pytest.fixture
def drifting(storage: Storage, catalogue: CombinedCatalogue) -> list[str]:
    """The ids of three calibrations of a device: its own, and one for each of the next two days."""
    added = series(TORINO, SeriesSetting(number=2), MONDAY + DAY)
    return [each.id for each in Imports(catalogue, storage.added_devices).add_series("torino", added)]


def run(storage: Storage, **members: object) -> tuple[str | None, str | None]:
    """The calibration that a job says it ran on, and the one that its worker got."""
    known = {"account": "local", "device": "torino", "kind": "echo", "api": "test"}
    job = storage.jobs.submit(NewJob(**(known | members)))  # ty: ignore
    (claim,) = storage.queue.claim("me", 1, timedelta(seconds=10))
    storage.queue.start(claim)
    storage.queue.finish(claim, Outcome())
    (sent,) = unpacked(claim.program.documents).calibrations
    return storage.jobs.get(job.id, Caller(account="local")).calibration, sent.id


def test_calibrations_take_effect_as_the_clock_goes_on(storage, catalogue, drifting):
    seen = []
    for _ in range(4):
        seen.append((catalogue.calibration_id("torino"), catalogue.device("torino").calibrated_at))
        advance(storage.clock, storage.jobs, DAY.total_seconds())
    dates = [TORINO.at, MONDAY + DAY, MONDAY + 2 * DAY]
    assert seen == [*zip(drifting, dates, strict=True), (drifting[2], dates[2])]
    assert catalogue.calibration_id("torino", before=MONDAY + 1.5 * DAY) == drifting[1]
    assert catalogue.calibration_id("torino", calibration_id=drifting[0]) == drifting[0]


def test_nobody_knows_a_calibration_to_come(storage, catalogue, drifting):
    assert catalogue.calibration_id("torino", before=MONDAY + 9 * DAY) == drifting[0]


def test_a_job_runs_on_what_is_current_or_on_what_it_names_and_says_which(storage, drifting):
    assert run(storage) == (drifting[0], drifting[0])
    advance(storage.clock, storage.jobs, DAY.total_seconds())
    assert run(storage) == (drifting[1], drifting[1])
    assert run(storage, calibration=drifting[0]) == (drifting[0], drifting[0])


def test_a_device_of_the_package_gets_its_own_calibration_back(storage, catalogue, drifting):
    advance(storage.clock, storage.jobs, 2 * DAY.total_seconds())
    imports = Imports(catalogue, storage.added_devices)
    imports.remove_series("torino")
    assert imports.series("torino") == (Calibration(id=TORINO.id, device="torino", at=TORINO.at),)
    assert catalogue.calibration("torino").properties == TORINO.properties


def test_a_reset_gives_a_device_of_the_package_its_own_calibration_back(storage, catalogue, drifting):
    storage.device_settings.set_report("torino", DeviceReport(n_qubits=5))
    run(storage)
    storage.state.reset()
    assert catalogue.calibration_id("torino") == TORINO.id != drifting[-1]
    assert storage.added_devices.all() == {}
    assert storage.device_settings.report("torino") == DeviceReport()


@pytest.mark.parametrize("forgets", ["a reset", "a request"])
def test_what_was_measured_of_a_device_stays_when_what_follows_is_forgotten(storage, catalogue, forgets):
    imports = Imports(catalogue, storage.added_devices)
    described = {"configuration": SnapshotCatalogue().configuration("torino"), "properties": TORINO.properties}
    imports.add([described], name="mine")
    storage.device_settings.set_report("mine", DeviceReport(n_qubits=133))
    (measured,) = imports.series("mine")
    imports.add_series("mine", series(imports.measured("mine"), SeriesSetting(number=2), MONDAY))
    assert len(imports.series("mine")) == 3
    storage.state.reset() if forgets == "a reset" else imports.remove_series("mine")
    assert imports.series("mine") == (measured,)
    assert storage.device_settings.report("mine") == DeviceReport(n_qubits=133)


def test_what_is_measured_after_others_were_made_up_stays(storage, catalogue, drifting):
    imports = Imports(catalogue, storage.added_devices)
    imports.add([{**TORINO.properties, "last_update_date": (MONDAY + 3 * DAY).isoformat()}], name="torino")
    storage.state.reset()
    assert [each.at for each in imports.series("torino")] == [TORINO.at, MONDAY + 3 * DAY]
