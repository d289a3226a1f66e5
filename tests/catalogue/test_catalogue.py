"""The devices and their calibrations, as the catalogue offers them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from qumulus.catalogue import SnapshotCatalogue, snapshots
from qumulus.catalogue.ideal import IDEALS
from qumulus.core.devices import DeviceKind
from qumulus.core.errors import UnknownCalibration, UnknownDevice

CATALOGUE = SnapshotCatalogue()
QPUS = [device.name for device in CATALOGUE.devices() if device.kind is DeviceKind.QPU]


def test_the_committed_index_is_what_the_snapshots_give():
    check = subprocess.run([sys.executable, "-m", "qumulus.catalogue", "--check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stderr


def test_lists_and_calibrations_are_read_without_importing_qiskit():
    script = (
        "import sys; from qumulus.catalogue import SnapshotCatalogue; c = SnapshotCatalogue();"
        "c.devices(); c.calibration('fez'); c.configuration('fez');"
        "print([m for m in sys.modules if m.split('.')[0] in ('qiskit', 'qiskit_ibm_runtime', 'numpy')])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_every_snapshot_and_the_ideal_simulators_are_devices():
    assert set(QPUS) == set(snapshots.names())
    assert len(QPUS) == 68
    assert [d.name for d in CATALOGUE.devices() if d.kind is DeviceKind.SIMULATOR] == list(IDEALS)


@pytest.mark.parametrize("name", QPUS)
def test_no_inner_name_of_a_snapshot_is_left_in_its_documents(name):
    for document in (CATALOGUE.configuration(name), CATALOGUE.calibration(name).properties):
        assert document["backend_name"] == name
        text = json.dumps(document)
        assert not [inner for inner in ("alt_", "fake_", "ibmq", "ibm_") if inner in text]
        assert "None" not in document.values()


@pytest.mark.parametrize("name", QPUS)
def test_configuration_properties_and_index_agree(name):
    device, configuration, calibration = (
        CATALOGUE.device(name),
        CATALOGUE.configuration(name),
        CATALOGUE.calibration(name),
    )
    assert device.n_qubits == configuration["n_qubits"] == len(calibration.properties["qubits"])
    assert device.version == configuration["backend_version"]
    assert device.calibrated_at == calibration.at == datetime.fromisoformat(calibration.properties["last_update_date"])


@pytest.mark.parametrize("name", QPUS)
def test_every_device_has_every_member_that_the_newest_have(name):
    device, configuration = CATALOGUE.device(name), CATALOGUE.configuration(name)
    newest = CATALOGUE.configuration("boston")
    assert [member for member in newest if member not in configuration] == []
    unknown = {member for member, value in newest.items() if value is not None and configuration[member] is None}
    assert unknown <= ({"clops_h"} if device.n_qubits > 1 else {"clops_h", "coupling_map"})
    assert set(configuration["basis_gates"]) <= {*configuration["supported_instructions"]}
    assert configuration["processor_type"]["family"] == device.family
    assert set(newest["timing_constraints"]) == set(configuration["timing_constraints"])
    assert 0.1 < configuration["dt"] < 10  # ns
    places = configuration["coords"]
    assert len({tuple(place) for place in places}) == len(places) == configuration["n_qubits"]


@pytest.mark.parametrize("name", QPUS)
def test_every_device_with_gates_on_two_qubits_tells_the_error_of_a_layer_of_them(name):
    device = CATALOGUE.device(name)
    assert (device.two_qubit_error_layered is None) == (device.n_qubits == 1)
    assert device.n_qubits == 1 or 1e-4 < device.two_qubit_error_layered < 0.2


def test_the_error_of_a_layer_is_that_of_the_longest_chain_that_was_measured():
    general = {entry["name"]: entry["value"] for entry in CATALOGUE.calibration("boston").properties["general"]}
    layered = CATALOGUE.device("boston").two_qubit_error_layered
    assert (1 - layered) ** 99 == pytest.approx(general["lf_100"])


def test_a_cycle_that_no_snapshot_tells_is_found_in_the_lengths_of_the_gates():
    assert CATALOGUE.configuration("burlington")["dt"] == pytest.approx(1 / 4.5)
    assert CATALOGUE.configuration("cambridge")["dt"] == pytest.approx(1 / 4.6)
    assert CATALOGUE.configuration("poughkeepsie")["dt"] == pytest.approx(32 / 9)  # told in seconds


def test_a_device_is_found_in_any_case_and_an_unknown_one_is_an_error():
    assert CATALOGUE.device("BRISBANE") is CATALOGUE.device("brisbane")
    with pytest.raises(UnknownDevice, match="'atlantis'"):
        CATALOGUE.device("atlantis")


def test_a_calibration_is_found_by_its_id_and_by_a_time():
    newest = CATALOGUE.calibration("brisbane")
    assert newest.at == datetime(2025, 2, 26, 19, 33, 6, tzinfo=UTC)
    assert CATALOGUE.calibration("brisbane", calibration_id=newest.id) == newest
    assert CATALOGUE.calibration("brisbane", before=newest.at + timedelta(days=1)) == newest
    assert CATALOGUE.calibration("fez").id != newest.id


def test_a_date_before_the_first_calibration_gives_the_oldest():
    assert CATALOGUE.calibration("brisbane", before=datetime(2001, 1, 1, tzinfo=UTC)).at.year == 2025


def test_an_unknown_calibration_is_an_error():
    with pytest.raises(UnknownCalibration, match="brisbane has no calibration"):
        CATALOGUE.calibration("brisbane", calibration_id="nonsense")


def test_calibration_ids_stay_the_same():
    """Jobs are stored with them."""
    assert CATALOGUE.calibration("brisbane").id == "160143d8-a52a-59a3-b830-3d7701a9c9e7"


@pytest.mark.parametrize("name", ["torino", "fez", "boston", "berlin", "nighthawk"])
def test_fractional_gates_are_added_on_request_wherever_sx_and_cz_are(name):
    plain, with_them = CATALOGUE.configuration(name), CATALOGUE.configuration(name, fractional_gates=True)
    assert not {"rx", "rzz"} & {*plain["basis_gates"], *plain["supported_instructions"]}
    assert {"rx", "rzz"} <= {*with_them["basis_gates"]} & {*with_them["supported_instructions"]}
    places = {gate["name"]: gate.get("coupling_map") for gate in with_them["gates"]}
    assert (places["rx"], places["rzz"]) == (places["sx"], places["cz"])
    calibrated = Counter(gate["gate"] for gate in CATALOGUE.calibration(name).properties["gates"])
    assert (calibrated["rx"], calibrated["rzz"]) == (calibrated["sx"], calibrated["cz"])


def test_a_derived_fractional_gate_has_the_error_and_length_of_the_gate_it_is_like():
    gates = {(g["gate"], *g["qubits"]): g for g in CATALOGUE.calibration("nighthawk").properties["gates"]}
    (qubits,) = {key[1:] for key in gates if key[0] == "rzz"} & {(0, 1)}
    assert gates["rzz", *qubits]["parameters"] == gates["cz", *qubits]["parameters"]
    assert gates["rzz", *qubits]["name"] == "rzz0_1"


def test_a_measured_fractional_gate_keeps_its_own_error():
    gates = {(g["gate"], *g["qubits"]): g for g in CATALOGUE.calibration("aachen").properties["gates"]}
    assert gates["rzz", 72, 73]["parameters"] != gates["cz", 72, 73]["parameters"]


def test_an_eagle_has_no_fractional_gates():
    assert "rzz" not in CATALOGUE.configuration("brisbane", fractional_gates=True)["basis_gates"]


def test_a_device_for_tests_is_a_snapshot_under_another_name():
    (mock,) = CATALOGUE.mocks()
    assert mock not in CATALOGUE.devices()
    real, copy = CATALOGUE.calibration("sherbrooke"), CATALOGUE.calibration(mock.name)
    assert copy.properties == {**real.properties, "backend_name": mock.name}
    assert copy.id != real.id
