"""Always-on ZZ between neighbours, as a Ramsey experiment with the neighbour in either state sees it."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import TWIN_NOISE
from qumulus.simulation.circuits import scan
from qumulus.simulation.crosstalk import FIXED_COUPLERS, shift, with_crosstalk
from qumulus.simulation.dense import contract
from qumulus.simulation.devices import device_model
from qumulus.simulation.tasks import Task
from qumulus.simulation.timeline import timeline

TWIN = device_model("brisbane", noise=TWIN_NOISE)
PROBE, NEIGHBOUR = next(iter(TWIN.target["ecr"]))
TIME = 4e-6


def fringe(*, excited: bool, pulses: tuple[int, ...] = ()) -> float:
    """The phase of the probe after some time beside its neighbour, from both quadratures; pulses stand in the middle."""
    quadratures = []
    for angle in (0.0, np.pi / 2):
        circuit = QuantumCircuit(TWIN.n_qubits, 1)
        if excited:
            circuit.x(NEIGHBOUR)
        circuit.sx(PROBE)
        circuit.barrier(PROBE, NEIGHBOUR)
        for _ in range(2):
            circuit.delay(round(TIME / 2 / TWIN.cycle), [PROBE, NEIGHBOUR])
            circuit.barrier(PROBE, NEIGHBOUR)
            for qubit in pulses:
                circuit.x(qubit)
            circuit.barrier(PROBE, NEIGHBOUR)
        circuit.rz(angle, PROBE)
        circuit.sx(PROBE)
        circuit.measure(PROBE, 0)
        circuit.x(NEIGHBOUR)
        run = with_crosstalk(circuit, TWIN)
        task = Task(scan(run, TWIN), run, 1)
        (factor,) = contract(task.fused, task.readings)
        confusion = TWIN.noise.confusion[PROBE]
        quadratures.append(float(np.linalg.solve(confusion, factor.tensor) @ [1.0, -1.0]))
    return float(np.arctan2(quadratures[1], quadratures[0]))


def phase(pulses: tuple[int, ...] = ()) -> float:
    """What the neighbour's state changes, between −π and π."""
    difference = fringe(excited=True, pulses=pulses) - fringe(excited=False, pulses=pulses)
    return float(np.angle(np.exp(1j * difference)))


def test_the_frequency_depends_on_the_state_of_the_neighbour() -> None:
    expected = 2 * np.pi * shift(TWIN, (PROBE, NEIGHBOUR)) * TIME
    assert abs(phase()) == pytest.approx(expected, rel=0.05)


def test_pulses_on_one_of_both_take_it_back_and_pulses_on_both_do_not() -> None:
    expected = 2 * np.pi * shift(TWIN, (PROBE, NEIGHBOUR)) * TIME
    assert abs(phase((PROBE,))) < 0.05
    assert abs(phase((NEIGHBOUR,))) < 0.1 * expected + 0.05
    assert abs(phase((PROBE, NEIGHBOUR))) > 0.9 * expected


def test_the_schedule_stays() -> None:
    circuit = QuantumCircuit(TWIN.n_qubits, 2)
    circuit.sx([PROBE, NEIGHBOUR])
    circuit.ecr(PROBE, NEIGHBOUR)
    circuit.delay(4000, PROBE)
    circuit.barrier(PROBE, NEIGHBOUR)
    circuit.ecr(PROBE, NEIGHBOUR)
    circuit.measure([PROBE, NEIGHBOUR], [0, 1])
    run = with_crosstalk(circuit, TWIN)
    assert run.count_ops()["cp"] == 1
    plain, disturbed = timeline(circuit, TWIN), timeline(run, TWIN)
    assert disturbed.length == plain.length
    times = [
        (entry.instruction.name, entry.qubits, entry.begin)
        for entry in disturbed.timed
        if entry.instruction.name != "cp"
    ]
    assert sorted(times) == sorted((e.instruction.name, e.qubits, e.begin) for e in plain.timed)


def test_pairs_differ_and_stay_what_they_are() -> None:
    pairs = list(TWIN.target["ecr"])[:20]
    found = [shift(TWIN, pair) for pair in pairs]
    assert found == [shift(TWIN, pair[::-1]) for pair in pairs]
    assert np.mean(found) == pytest.approx(FIXED_COUPLERS, rel=0.3)
    assert len(set(found)) > 10


def test_a_dynamic_circuit_stays_as_it_is() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    assert with_crosstalk(circuit, TWIN) is circuit
