"""The schedule of a circuit as it is shown."""

from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.classical import expr

from qumulus.simulation.devices import device_model
from qumulus.simulation.programs.runtime.results import depth
from qumulus.simulation.timeline import length, printed, timeline

FEZ = device_model("fez")  # dt 4 ns: sx and x last 6 of them, cz on qubits 0 and 1 17, readout 390
FIRST, SECOND = next(iter(FEZ.target["cz"]))
CZ = round(FEZ.target["cz"][FIRST, SECOND].duration / FEZ.dt)


def dynamic() -> QuantumCircuit:
    circuit = QuantumCircuit(FEZ.n_qubits, 1)
    circuit.rz(0.3, 0)
    circuit.sx(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.x(0)
        circuit.x(0)
    circuit.barrier(0)
    circuit.measure(0, 0)
    return circuit


def test_each_line_names_branch_instruction_channel_begin_length_and_pulse() -> None:
    assert printed(timeline(dynamic(), FEZ)).splitlines() == [
        "main,rz_0,Qubit 0,0,0,shift_phase",
        "main,sx_0,Qubit 0,0,6,play",
        "main,measure_0,Qubit 0,6,390,play",
        "main,measure_0,AWGR0_0,6,390,capture",
        "main,broadcast,Hub,396,15,broadcast",
        "main,receive,Receive,411,0,receive",
        "else,x_0,Qubit 0,411,6,play",
        "then,x_0,Qubit 0,417,6,play",
        "else,x_0,Qubit 0,417,6,play",
        "main,barrier,Qubit 0,423,0,barrier",
        "main,measure_0,Qubit 0,423,390,play",
        "main,measure_0,AWGR0_0,423,390,capture",
    ]


def static() -> QuantumCircuit:
    circuit = QuantumCircuit(FEZ.n_qubits, 2)
    circuit.sx(FIRST)
    circuit.barrier()
    circuit.delay(100, SECOND)
    circuit.cz(FIRST, SECOND)
    circuit.measure([FIRST, SECOND], [0, 0])  # one after the other
    circuit.reset(FIRST)
    return circuit


def nested() -> QuantumCircuit:
    """Loops, a box, cases and variables, one after the other on one qubit and beside each other."""
    circuit = QuantumCircuit(FEZ.n_qubits, 2)
    kept = circuit.add_var("kept", expr.lift(False))
    with circuit.for_loop(range(3)):
        circuit.sx(FIRST)
        circuit.cz(FIRST, SECOND)
    circuit.measure(FIRST, 0)
    circuit.store(kept, circuit.clbits[0])
    with circuit.if_test(kept):
        with circuit.box():
            circuit.x(SECOND)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.delay(50, FIRST)
    with circuit.switch(circuit.clbits[0]) as case:
        with case(0):
            circuit.sx(SECOND)
            circuit.sx(SECOND)
        with case(case.DEFAULT):
            circuit.x(SECOND)
    circuit.measure(SECOND, 1)
    return circuit


@pytest.mark.parametrize("circuit", [static(), dynamic(), nested(), QuantumCircuit(FEZ.n_qubits)])
def test_how_long_and_how_deep_a_circuit_is_needs_no_schedule_of_its_own(circuit: QuantumCircuit) -> None:
    assert length(circuit, FEZ) == timeline(circuit, FEZ).length == timeline(circuit, FEZ, "asap").length
    assert depth(circuit) == circuit.depth()


def test_gates_are_as_late_as_what_follows_them_allows() -> None:
    circuit = QuantumCircuit(FEZ.n_qubits)
    circuit.sx(FIRST)
    for _ in range(3):
        circuit.sx(SECOND)
    circuit.cz(FIRST, SECOND)
    late, soon = timeline(circuit, FEZ), timeline(circuit, FEZ, "asap")
    assert [entry.begin for entry in late.timed] == [12, 0, 6, 12, 18]
    assert [entry.begin for entry in soon.timed] == [0, 0, 6, 12, 18]
    assert late.length == soon.length == 18 + CZ


@pytest.mark.parametrize("merged", [True, False])
def test_the_client_draws_it(merged: bool) -> None:
    pytest.importorskip("plotly", reason="the client draws with plotly")
    from qiskit_ibm_runtime.visualization import draw_circuit_schedule_timing

    figure = draw_circuit_schedule_timing(printed(timeline(dynamic(), FEZ)), merge_common_instructions=merged)
    assert {trace.name for trace in figure.data} >= {"sx", "x", "measure", "barrier", "rz", "broadcast", "receive"}
