"""Delays by a stretch or by a computed duration."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import Duration, QuantumCircuit
from qiskit.circuit.classical import expr

from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.stretches import resolved, shown
from qumulus.simulation.timeline import timeline

FEZ = device_model("fez")  # dt 4 ns: x lasts 6 of them
X = 6


def echo(factors: tuple[float, ...], wait: int) -> QuantumCircuit:
    """Qubit 1 spaces its pulses by one stretch while qubit 0 waits."""
    circuit = QuantumCircuit(2)
    a = circuit.add_stretch("a")
    circuit.barrier(0, 1)
    circuit.delay(wait, 0)
    for factor in factors:
        circuit.delay(a if factor == 1 else expr.mul(a, factor), 1)
        circuit.x(1)
    circuit.barrier(0, 1)
    return circuit


def test_what_does_not_divide_goes_to_the_first_delay() -> None:
    """The example of IBM's guide: three delays and three pulses fill what the other qubit waits."""
    circuit, stretches = resolved(echo((1, 1, 1), 3 * X + 76), FEZ)
    assert [line.params[0] for line in circuit.data if line.name == "delay"][1:] == [26, 25, 25]
    assert shown(stretches) == [
        {"name": "a", "value": 25, "remainder": 1, "expanded_values": [[0, 26], [26 + X, 25], [51 + 2 * X, 25]]}
    ]


def test_multiples_of_a_stretch_share_the_time() -> None:
    circuit, (stretch,) = resolved(echo((1, 2, 1), 3 * X + 402), FEZ)
    assert (stretch.value, stretch.remainder) == (100, 2)
    assert [line.params[0] for line in circuit.data if line.name == "delay"][1:] == [102, 200, 100]


def test_a_constant_beside_a_stretch_is_taken_from_its_time() -> None:
    circuit = QuantumCircuit(2)
    a = circuit.add_stretch("a")
    circuit.barrier()
    circuit.delay(200, 0)
    circuit.delay(expr.add(expr.mul(a, 2), Duration.dt(30)), 1)
    circuit.barrier()
    fixed, (stretch,) = resolved(circuit, FEZ)
    assert stretch.value == 85
    assert fixed.data[2].params[0] == 200


def test_a_stretch_takes_no_time_where_none_is_left() -> None:
    circuit = QuantumCircuit(2)
    a = circuit.add_stretch("a")
    circuit.barrier()
    circuit.delay(20, 0)
    circuit.delay(expr.add(a, Duration.dt(40)), 1)
    circuit.barrier()
    fixed, (stretch,) = resolved(circuit, FEZ)
    assert stretch.value == 0
    assert timeline(fixed, FEZ).length == 40


def test_a_stretch_fills_what_a_conditional_of_another_qubit_takes() -> None:
    """The guide's decoupling beside a conditional: X pulses on qubit 1 while qubit 0 is read and steered."""
    circuit = QuantumCircuit(2, 2)
    circuit.barrier()
    circuit.sx(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.sx(0)
    with otherwise:
        circuit.x(0)
    s = circuit.add_stretch("s")
    circuit.delay(s, 1)
    circuit.x(1)
    circuit.delay(expr.mul(s, 2), 1)
    circuit.x(1)
    circuit.delay(s, 1)
    circuit.barrier()
    circuit.measure([0, 1], [0, 1])
    _, (stretch,) = resolved(circuit, FEZ)
    region = X + 390 + 15 + X  # sx, readout of 1.56 µs, the condition on its way, a pulse
    assert 4 * stretch.value + stretch.remainder == region - 2 * X


def steered(body: QuantumCircuit, otherwise: QuantumCircuit | None = None) -> QuantumCircuit:
    """A conditional on a reading of qubit 2, with bodies of the qubits 0 and 1; ``a`` is a stretch of theirs."""
    circuit = QuantumCircuit(3, 1)
    circuit.add_stretch(A)
    circuit.measure(2, 0)
    circuit.if_else((circuit.clbits[0], 1), body, otherwise, [0, 1], [])
    return circuit


A = expr.Stretch.new("a")


def spaced() -> QuantumCircuit:
    """Two pulses on qubit 1, spaced by a stretch."""
    body = QuantumCircuit(2)
    body.add_capture(A)
    for _ in range(2):
        body.delay(A, 1)
        body.x(1)
    return body


def test_a_stretch_in_a_conditional_fills_what_its_body_takes() -> None:
    body = spaced()
    body.delay(101, 0)
    fixed, (stretch,) = resolved(steered(body), FEZ)
    (inner,) = (line.operation.blocks[0] for line in fixed.data if line.name == "if_else")
    assert [line.params[0] for line in inner.data if line.name == "delay"] == [45, 44, 101]
    assert (stretch.value, stretch.remainder) == (44, 1)
    conditional = timeline(fixed, FEZ).timed[-1]
    begin = conditional.end - 101
    assert stretch.delays == ((begin, 45), (begin + 45 + X, 44))
    assert scan(fixed, FEZ).registers == {"c": (0,)}


def test_a_stretch_in_a_body_fills_what_the_longer_one_takes() -> None:
    otherwise = QuantumCircuit(2)
    otherwise.delay(300, 0)
    fixed, (stretch,) = resolved(steered(spaced(), otherwise), FEZ)
    assert stretch.value == (300 - 2 * X) // 2
    (conditional,) = (entry for entry in timeline(fixed, FEZ).timed if entry.bodies)
    assert [body.length for body in conditional.bodies] == [300, 300]


def test_a_stretch_in_a_loop_is_the_same_in_each_round() -> None:
    circuit = QuantumCircuit(2)
    circuit.add_stretch(A)
    body = spaced()
    body.delay(112, 0)
    circuit.for_loop(range(3), None, body, [0, 1], [])
    fixed, (stretch,) = resolved(circuit, FEZ)
    assert stretch.value == 50
    assert timeline(fixed, FEZ).length == 3 * 112


def test_a_stretch_in_and_beside_a_conditional_is_the_least_that_fits() -> None:
    body = spaced()
    body.delay(112, 0)
    circuit = steered(body)
    circuit.barrier()
    circuit.delay(30, 0)
    circuit.delay(A, 1)
    circuit.barrier()
    _, (stretch,) = resolved(circuit, FEZ)
    assert stretch.value == 30
    assert len(stretch.delays) == 3


def test_a_stretch_on_several_qubits_is_the_least_that_fits() -> None:
    circuit = QuantumCircuit(3)
    a = circuit.add_stretch("a")
    circuit.barrier()
    circuit.delay(100, 0)
    circuit.delay(a, [1, 2])
    circuit.x(2)
    circuit.barrier()
    fixed, (stretch,) = resolved(circuit, FEZ)
    assert stretch.value == 100 - X
    assert timeline(fixed, FEZ).length == 100


def test_two_stretches_on_one_qubit_between_barriers_are_refused_by_name() -> None:
    circuit = QuantumCircuit(2)
    a, b = circuit.add_stretch("a"), circuit.add_stretch("b")
    circuit.delay(a, 0)
    circuit.delay(b, 0)
    with pytest.raises(ProgramError, match="'a' and 'b' are used on one qubit"):
        resolved(circuit, FEZ)


def test_an_expression_that_is_no_multiple_of_a_stretch_is_refused() -> None:
    circuit = QuantumCircuit(1)
    a, b = circuit.add_stretch("a"), circuit.add_stretch("b")
    circuit.delay(expr.mul(expr.div(a, b), Duration.dt(3)), 0)
    with pytest.raises(ProgramError, match="sums of durations"):
        resolved(circuit, FEZ)


@pytest.mark.parametrize(
    "written",
    [
        expr.mul(Duration.us(10), 2),
        expr.add(Duration.us(15), Duration.ns(5000)),
        expr.sub(Duration.us(30), Duration.us(10)),
        expr.div(expr.lift(Duration.us(40)), 2),
    ],
)
def test_a_computed_duration_relaxes_as_long_as_it_says(written: expr.Expr) -> None:
    computed, plain = QuantumCircuit(1), QuantumCircuit(1)
    computed.delay(written, 0)
    plain.delay(20, 0, unit="us")
    steps = [scan(circuit, FEZ, observed=[0]).steps for circuit in (computed, plain)]
    np.testing.assert_allclose(steps[0][0].transfer, steps[1][0].transfer, atol=1e-15)
