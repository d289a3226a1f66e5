"""Circuits on the whole lattice of a device, whose distribution nothing reaches: how fast they are answered, and how accurately."""

from __future__ import annotations

import qumulus.simulation  # noqa: F401 - before numpy: one thread

import numpy as np  # isort: skip
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import iqp
from qiskit.quantum_info import SparsePauliOp, random_hermitian
from tests.simulation.circuits import isa, kicked_ising, lattice_layers, qaoa

from qumulus.core.programs import Limits
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.expectation import Expectations, Observable, expectation
from qumulus.simulation.machine import slowness
from qumulus.simulation.pauli import Passes, tolerance
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task

from .noise import timed
from .tables import Row, Table, seconds

QUBIT = 62
KICKS = (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4)
CHECKED = (0.5, 0.9)  # of them, against a finer threshold
ANSWERS = Limits(approximate=True)
SHOTS = 4096
SAMPLED, MANY = 10_000, 400_000


def letters(model: DeviceModel, *qubits: int) -> str:
    """Z on these qubits."""
    return SparsePauliOp.from_sparse_list([("Z" * len(qubits), qubits, 1.0)], model.n_qubits).paulis[0].to_label()


def answered(circuit: QuantumCircuit, observables: list[Observable], model: DeviceModel, runs: int = 1) -> Expectations:
    """The values of one of so many sets of values."""
    return expectation(circuit, observables, model, shots=SHOTS, seed=1, limits=ANSWERS.shared(1, runs))


def speed() -> Table:
    """How long the rows take."""
    eagle, heron = device_model("brisbane"), device_model("fez")
    _ = eagle.error("x", (0,))
    rows: list[Row] = []
    for depth in (1, 2):
        rows += _qaoa(heron, depth)
    for width in (127, 50):
        hermitian = np.real(random_hermitian(width, seed=1234))
        circuit = isa(iqp(hermitian), eagle)
        if width == 127:
            circuit.measure_all()
            spent = timed(lambda c=circuit: sample(c, eagle, shots=SHOTS, seed=1, limits=ANSWERS))
            rows.append(_row("iqp(127), shots", spent, 30.0, 5.0))
        else:
            string = letters(eagle, *circuit.layout.final_index_layout())
            spent = timed(lambda c=circuit, s=string: answered(c, [{s: 1.0}], eagle))
            rows.append(_row("iqp(50), Z of all", spent, 30.0, 5.0))
    note = (
        f"QAOA on Fez, iqp on Brisbane; {SHOTS} shots, QAOA {SAMPLED}. All were refused before. Targets "
        f"are those of the reference machine, times {max(1.0, slowness()):.2f}, which is how much slower one core of this one is."
    )
    return Table(title="Circuits on the whole lattice", rows=rows, note=note)


def _qaoa(model: DeviceModel, depth: int) -> list[Row]:
    circuit = qaoa(model, depth)
    cost: Observable = {letters(model, *edge): 1.0 for layer in lattice_layers(model) for edge in layer}
    found: list[float] = []
    spent = timed(lambda: found.append(float(answered(circuit, [cost], model).values[0])))
    exact = expectation(circuit, [cost], model, shots=None, limits=ANSWERS).values[0]
    measured = circuit.copy()
    measured.measure_all()
    readings: list[np.ndarray] = []
    drawn = timed(lambda: readings.append(sample(measured, model, shots=SAMPLED, seed=1, limits=ANSWERS).bits["meas"]))
    signs = 1.0 - 2.0 * readings[0]
    costs = sum(signs[:, a] * signs[:, b] for layer in lattice_layers(model) for a, b in layer)
    off = abs(costs.mean() / exact - 1)
    scatter = costs.std() / np.sqrt(SAMPLED) / abs(exact)
    many = sample(measured, model, shots=MANY, seed=2, limits=ANSWERS).bits["meas"]
    sums = [(1.0 - 2.0 * many[:, a]) @ (1.0 - 2.0 * many[:, b]) for layer in lattice_layers(model) for a, b in layer]
    beyond = abs(sum(sums) / MANY / exact - 1)
    what = f"QAOA, p = {depth}, 156 qubits"
    return [
        _row(f"{what}, all ZZ", spent, 10.0, 1.0),
        _row(f"{what}, shots", drawn, 30.0, 5.0),
        Row(
            what=f"{what}, cost by shots against by the estimator",
            ours=f"{100 * off:.2g} %",
            other=f"{100 * scatter:.2g} % is the scatter of the shots",
            met=off <= 0.02 + 3 * scatter,
        ),
        Row(
            what=f"{what}, the same by {MANY:,} shots",
            ours=f"{100 * beyond:.2g} %",
            other=f"{100 * scatter * np.sqrt(SAMPLED / MANY):.2g} % is their scatter",
            least="2 %",
            aim="0.5 %",
            met=beyond <= 0.02,
        ),
    ]


def _row(what: str, ours: float, least: float, aim: float) -> Row:
    """Targets are seconds of the reference machine: a slower one has longer."""
    slow = max(1.0, slowness())
    least, aim = least * slow, aim * slow
    return Row(what=what, ours=seconds(ours), least=seconds(least), aim=seconds(aim), met=ours <= least)


def accuracy() -> Table:
    """How far the value that is answered is from one with a finer threshold."""
    model, rows = device_model("brisbane"), []
    for kick in CHECKED:
        circuit = kicked_ising(model, 20, kick)
        circuit.add_bits(QuantumCircuit(0, 1).clbits)
        circuit.measure(QUBIT, 0)
        task = Task(scan(circuit, model), circuit, SHOTS)
        (qubit,) = task.active.terminal
        passes = Passes(task, [{qubit: np.array([1.0, -1.0])}])
        passes.refine(tolerance(task), ANSWERS.pub_budget / len(KICKS))
        value, estimate = float(passes.values[0]), float(passes.errors[0])
        passes.refine(0.0, passes.spent * 15)
        error = abs(value - float(passes.values[0]))
        rows.append(
            Row(
                what=f"⟨Z62⟩ after 20 steps, θ = {kick}",
                ours=f"{error:.1e}",
                other=f"{estimate:.1e}",
                least="1e-2",
                aim="3e-3",
                met=error <= 1e-2,
            )
        )
    note = "Difference to the value with a finer threshold; beside: the estimate that a job reports."
    return Table(title="Accuracy of Pauli propagation", rows=rows, note=note)


def tables() -> list[Table]:
    """All of them."""
    return [speed(), accuracy()]
