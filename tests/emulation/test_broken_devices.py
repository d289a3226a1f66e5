"""Devices of which some qubits or gates are broken: each cloud shows it as the real one does, and jobs meet it."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import requests

from emulation.jobs import IBM, OQTOPUS, ended, log, shown, submit
from qumulus.catalogue import SnapshotCatalogue
from qumulus.core.errors import InvalidRequest, UnknownCalibration
from qumulus.core.faults import BrokenGate, FaultKind, FaultRule
from qumulus.emulation.broken import check
from qumulus.emulation.catalogue import FaultyCatalogue

PLANQK = {"X-Auth-Token": "qumulus-local"}
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
PARTS = {"qubits": [3], "gates": [{"gate": "ecr", "qubits": [0, 1]}]}
RULE = FaultRule(
    kind=FaultKind.DEVICE_BROKEN,
    device="brisbane",
    begins_at=MONDAY,
    qubits=(3,),
    gates=(BrokenGate(gate="ecr", qubits=(0, 1)),),
)
SNAPSHOTS = SnapshotCatalogue()


def operational(entries):
    return next((each["value"] for each in entries if each["name"] == "operational"), 1)


class Rules:
    """Rules that are in force."""

    def __init__(self, *rules: FaultRule) -> None:
        self.rules = rules

    def of_device(self, device: str) -> list[FaultRule]:
        return [rule for rule in self.rules if rule.device == device]

    def active(self) -> tuple[FaultRule, ...]:
        return self.rules


def under(*rules: FaultRule) -> FaultyCatalogue:
    return FaultyCatalogue(SNAPSHOTS, Rules(*rules))  # ty: ignore[invalid-argument-type]


def test_a_calibration_of_a_broken_device_is_another_one_with_a_date():
    base, found = SNAPSHOTS.calibration("brisbane"), under(RULE).calibration("brisbane")
    assert found.id != base.id
    assert found.at == MONDAY
    assert found.properties["last_update_date"] == MONDAY.isoformat()
    assert [q for q, each in enumerate(found.properties["qubits"]) if not operational(each)] == [3]
    broken = [
        (each["gate"], *each["qubits"]) for each in found.properties["gates"] if not operational(each["parameters"])
    ]
    assert broken == [("ecr", 1, 0)]
    assert under(RULE).calibration("brisbane", calibration_id=found.id) == found
    assert under(RULE).calibration("brisbane", calibration_id=base.id) == base
    assert under(RULE).device("brisbane").calibrated_at == MONDAY


def test_what_was_before_is_not_broken():
    base = SNAPSHOTS.calibration("brisbane")
    assert under(RULE).calibration("brisbane", before=MONDAY - timedelta(seconds=1)) == base
    assert under(RULE).calibration_id("brisbane", before=MONDAY) != base.id
    with pytest.raises(UnknownCalibration):
        under().calibration("brisbane", calibration_id=under(RULE).calibration_id("brisbane"))


@pytest.mark.parametrize(
    ("member", "told"),
    [({"qubits": (127,)}, "no qubit 127"), ({"gates": (BrokenGate(gate="cx", qubits=(0, 1)),)}, "cx")],
)
def test_a_device_breaks_only_in_parts_that_it_has(member, told):
    rule = FaultRule(kind=FaultKind.DEVICE_BROKEN, device="brisbane", **member)
    with pytest.raises(InvalidRequest, match=told):
        check(rule, SNAPSHOTS)


@pytest.mark.parametrize(
    "body", [{"device": "brisbane"}, {"qubits": [3]}, {"device": "brisbane", "qubits": [3], "nth": 1}]
)
def test_what_is_broken_has_to_be_said(control, body):
    answer = control.administer("POST", "/faults", {"kind": "device-broken", **body})
    assert answer.status_code == 400, answer.text


def sampled(control, circuit):
    qasm = f"OPENQASM 3; include 'stdgates.inc'; gate ecr a, b {{ s a; sx b; cx a, b; x a; }} bit[1] c; {circuit}"
    params = {"pubs": [[qasm, None, 20]], "version": 2, "support_qiskit": True}
    body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": params}
    answer = requests.post(f"{control.url}/api/v1/jobs", json=body, headers=IBM, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def test_ibm_shows_what_is_broken_and_fails_the_jobs_that_use_it(control):
    before = control.get("/api/v1/backends/ibm_brisbane/properties", headers=IBM).json()
    fault = control.fault("device-broken", device="brisbane", **PARTS)
    properties = control.get("/api/v1/backends/ibm_brisbane/properties", headers=IBM).json()
    assert properties["calibration_id"] != before["calibration_id"]
    assert operational(properties["qubits"][3]) == 0
    jobs = [sampled(control, circuit) for circuit in ("x $3; c[0] = measure $3;", "ecr $1, $0; c[0] = measure $0;")]
    reasons = [ended(control, job, "failed")["reason"] for job in jobs]
    assert "qubit 3, which is faulty" in reasons[0]
    assert "ecr on qubits (1, 0) is not supported" in reasons[1]
    well = sampled(control, "x $5; c[0] = measure $5;")
    ended(control, well, "succeeded")
    for job in (*jobs, well):
        assert shown(control, job)["metadata"]["injected"] == {"fault": fault, "kind": "device-broken"}
        assert f"That its device is broken is injected by the fault {fault}" in log(control, job)
        ran_on = control.get(f"/api/v1/jobs/{job}", headers=IBM).json()["calibration_id"]
        assert ran_on == properties["calibration_id"]
    assert control.hits(fault) == 3
    control.administer("DELETE", f"/faults/{fault}")
    after = control.get("/api/v1/backends/ibm_brisbane/properties", headers=IBM).json()
    assert after["calibration_id"] == before["calibration_id"]
    ended(control, sampled(control, "x $3; c[0] = measure $3;"), "succeeded")


def test_planqk_shows_what_is_broken(control):
    control.fault("device-broken", device="fez", qubits=[3], gates=[{"gate": "cz", "qubits": [0, 1]}])
    found = control.get("/quantum/backends/ibm.qpu.fez/calibration", headers=PLANQK).json()["calibration"]
    assert [each["qubit"] for each in found["qubits"] if not each["operational"]] == [3]
    gates = {name: gate for pair in found["qubit_pairs"] for name, gate in pair["gates"].items()}
    assert {name for name, gate in gates.items() if not gate["operational"]} == {"cz_0_1", "cz_1_0"}


def test_oqtopus_leaves_out_what_is_broken_and_transpiles_around_it(control):
    name = control.administer("GET", "/devices/kawasaki").json()["name"]
    control.fault("device-broken", device=name, qubits=[0])
    address = control.get("/devices/Kawasaki", headers=OQTOPUS).json()["device_info"]
    packed = requests.get(address, timeout=30).content
    told = json.loads(zipfile.ZipFile(io.BytesIO(packed)).read("device_info.json"))
    assert told["qubits"][0]["gate_duration"] == {}
    assert all(0 not in (each["control"], each["target"]) for each in told["couplings"])
    transpiled = submit(control, "Kawasaki")
    assert ended(control, transpiled, "succeeded")["metadata"]["injected"]["kind"] == "device-broken"
    code = "OPENQASM 3; include 'stdgates.inc'; qubit[1] q; bit[1] c; x q[0]; c = measure q;"
    untranspiled = submit(control, "Kawasaki", skip_transpilation=True, code=code)
    assert "qubit 0" in ended(control, untranspiled, "failed")["reason"]
