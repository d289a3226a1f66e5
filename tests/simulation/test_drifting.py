"""Programs of other clouds than IBM's on the twin of a device."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from qumulus.core.clock import ClockSetting
from qumulus.core.programs import TWIN_NOISE, Limits, Program
from qumulus.payloads import OPENQASM_ARCHIVE
from qumulus.payloads.zip_files import pack_json, unpack_json
from qumulus.simulation.devices import device_model
from qumulus.simulation.drifting import device_now, mean_of_terms, shots_of
from qumulus.simulation.meter import Meter, metered
from qumulus.simulation.sampling import sample
from qumulus.simulation.twin import DEPHASING_RATIO
from qumulus.simulation.worker import run

FEZ, TWIN = device_model("fez"), device_model("fez", noise=TWIN_NOISE)
QUBIT = 2
FIRST, SECOND = next(iter(FEZ.target["cz"]))
SHOTS = 40_000
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = Limits()


def job(content: dict[str, object], **options: object) -> Program:
    return Program(
        job_id="job",
        kind=OPENQASM_ARCHIVE.name,
        payload=pack_json("input.json", content),
        device="fez",
        shots=1000,
        seed=3,
        noise=TWIN_NOISE,
        clock=ClockSetting(0.0, NOON, NOON),
        options=options,
    )


def read_both() -> QuantumCircuit:
    circuit = QuantumCircuit(FEZ.n_qubits, 2)
    circuit.measure([FIRST, SECOND], [0, 1])
    return circuit


def test_neighbours_are_misread_together() -> None:
    found = shots_of(read_both(), TWIN, shots=SHOTS, seed=1, limits=LIMITS).bits["c"]
    assert np.corrcoef(found.T)[0, 1] > 10 / np.sqrt(SHOTS)


def test_a_free_qubit_dephases_as_on_the_twin() -> None:
    noise = FEZ.noise
    assert noise is not None
    time = DEPHASING_RATIO * min(noise.t2[QUBIT], 2 * noise.t1[QUBIT])
    circuit = QuantumCircuit(FEZ.n_qubits)
    circuit.sx(QUBIT)
    circuit.delay(round(time / FEZ.cycle), QUBIT)
    circuit.sx(QUBIT)
    letters = {"".join("Z" if qubit == QUBIT else "I" for qubit in reversed(range(FEZ.n_qubits))): 1.0, "I": 0.5}
    settings = {"shots": 20_000, "seed": 1, "limits": LIMITS}
    on_twin, on_device = (mean_of_terms(circuit, letters, model, **settings) for model in (TWIN, FEZ))
    assert abs(on_twin[0] - 0.5) < abs(on_device[0] - 0.5) - 0.1
    assert on_twin[1] > on_device[1]  # the draws scatter, too


def test_a_device_of_the_calibration_gives_the_shots_that_it_always_gave() -> None:
    known = sample(read_both(), FEZ, shots=500, seed=7, limits=LIMITS)
    assert shots_of(read_both(), FEZ, shots=500, seed=7, limits=LIMITS).counts() == known.counts()


@pytest.mark.parametrize("kind", ["sampling", "estimation"])
def test_a_job_runs_on_the_twin_as_it_is_at_that_time_of_the_day(kind: str) -> None:
    content = {"program": ["OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"]}
    if kind == "estimation":
        content |= {"operator": [{"pauli": "Z0 Z1", "coeff": 1.0}, {"pauli": "X0 X1", "coeff": 0.5}]}
    later = NOON + timedelta(hours=9)
    found = []
    for program in (
        job(content, job_type=kind),
        replace(job(content, job_type=kind), clock=ClockSetting(0.0, later, later)),
    ):
        outcome = run(program, lambda *_: None)
        assert outcome.succeeded, outcome.reason
        found.append(unpack_json(outcome.files["result.zip"], most_bytes=1 << 20)[kind])
    assert found[0] != found[1]
    if kind == "sampling":
        assert sum(found[0]["counts"].values()) == 1000
    else:
        assert 1.1 < found[0]["exp_value"] < 1.5


def test_in_a_cloud_that_repeats_itself_nothing_drifts() -> None:
    program = job({})
    assert device_now(program) is not TWIN
    with metered(Meter(repeatable=True)):
        assert device_now(program) is TWIN
