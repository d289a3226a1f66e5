"""Wide and deep noisy circuits: how fast, and how accurate."""

from __future__ import annotations

import multiprocessing
import statistics
from collections.abc import Callable, Sequence
from functools import partial

import qumulus.simulation  # noqa: F401 - before numpy: one thread

import numpy as np  # isort: skip
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import SamplerV2
from qiskit_ibm_runtime.fake_provider import FakeBrisbane
from tests.simulation.circuits import (
    brickwork,
    device_ghz,
    ghz,
    ghz_by_parities,
    heisenberg,
    ising,
    long_range_cnot,
    ring,
    su2,
    volume,
)

from qumulus.core.programs import Limits
from qumulus.simulation import chains, dense
from qumulus.simulation.choice import METHODS, choose
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import Refused
from qumulus.simulation.expectation import expectation
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task

from .noise import isa, timed
from .tables import Row, Table, ratio, seconds

PUBS, SHOTS = 50, 1024
CORES = 2
BASES = 15
SAMPLED = 4  # pubs of the slow rows that are run; the rest is extrapolated


def _pub(circuit: QuantumCircuit, device: str, index: int) -> None:
    sample(circuit, device_model(device), shots=SHOTS, seed=(1, index))


def on_two_cores(circuits: Sequence[QuantumCircuit], device: str = "brisbane") -> float:
    """Seconds of all pubs, each the unit of work of two processes."""
    device_model(device)
    with multiprocessing.get_context("fork").Pool(CORES) as pool:
        return timed(lambda: pool.starmap(_pub, [(c, device, k) for k, c in enumerate(circuits)], chunksize=1))


def local_hours(circuit: QuantumCircuit) -> str:
    """What local mode would take for all pubs: extrapolated from one shot and four."""
    sampler = SamplerV2(FakeBrisbane())
    one, four = (timed(lambda shots=shots: sampler.run([circuit], shots=shots).result()) for shots in (1, 4))
    each = (four - one) / 3
    return f"{(one + each * SHOTS * PUBS) / 3600:.1f} h (from {seconds(one)} and {seconds(four)} for 1 and 4 shots)"


def bounded(what: str, ours: float, least: float, aim: float, other: str = "") -> Row:
    return Row(what=what, ours=seconds(ours), other=other, least=seconds(least), aim=seconds(aim), met=ours <= least)


def speed() -> Table:
    """The rows of circuits that no local tool runs in acceptable time."""
    narrow = [isa(su2(20, 2, seed=seed), "brisbane") for seed in range(PUBS)]
    rows = [
        bounded(
            f"20 qubits, linear SU(2), two layers, {PUBS} pubs", on_two_cores(narrow), 2.0, 0.5, local_hours(narrow[0])
        )
    ]
    deep: dict[str, Callable[[], QuantumCircuit]] = {
        "20 qubits, linear SU(2), four layers": partial(su2, 20, 4),
        "20 qubits, QAOA ring, p = 2": partial(ring, 20, 2),
        "20 qubits, Ising, 10 steps": partial(ising, 20, 10),
    }
    for what, made in deep.items():
        whole = on_two_cores([isa(made(), "brisbane")] * SAMPLED) * PUBS / SAMPLED
        rows.append(bounded(f"{what}, {PUBS} pubs (from {SAMPLED})", whole, 60.0, 20.0))
    model = device_model("brisbane")
    hundred = isa(su2(100, 2), "brisbane")
    rows.append(
        bounded("100 qubits, linear SU(2), two layers", _median(hundred, "brisbane", SHOTS), 0.5, 0.07, "fails")
    )
    for device in ("brisbane", "fez"):
        circuit = device_ghz(device_model(device))
        name = f"GHZ of all {circuit.num_qubits} qubits, {device}"
        rows.append(bounded(f"{name}, real noise", _median(circuit, device, 4096), 5.0, 0.5, "fails"))
        rows.append(bounded(f"{name}, twirled", _median(circuit, device, 4096, "stabilizer"), 0.05, 0.012, "fails"))
    circuit = isa(su2(20, 1, "full"), "brisbane")
    rows.append(Row(what="20 qubits, full entanglement", ours=_refusal(Task(scan(circuit, model), circuit, SHOTS))))
    note = f"{SHOTS} shots a pub (GHZ: 4096), {CORES} processes for pubs in plural. Beside: the client's local mode."
    return Table(title="Wide and deep noisy circuits", rows=rows, note=note)


def feed_forward() -> Table:
    """Wide circuits whose parities of read bits steer, and several bases of one circuit."""
    rows, model = list[Row](), device_model("kingston")
    made = {"long-range CNOT, distance 60": long_range_cnot(60), "GHZ by parities, 100 qubits": ghz_by_parities(100)}
    for what, circuit in made.items():
        rows.append(bounded(what, _median(isa(circuit, "kingston"), "kingston", SHOTS), 5.0, 0.5, "refused"))
    circuit = isa(heisenberg(50, 3), "kingston")
    observables = [
        {SparsePauliOp(label).apply_layout(circuit.layout).paulis[0].to_label(): 1.0} for label in _labels(50)
    ]
    one, all_of_them = (
        min(
            timed(lambda n=n: expectation(circuit, observables[:n], model, shots=SHOTS, method="chain-cut"))
            for _ in "ab"
        )
        for n in (1, BASES)
    )
    rows.append(
        Row(
            what=f"50 qubits, Heisenberg, three steps, {BASES} bases, beside one",
            ours=seconds(all_of_them),
            other=seconds(one),
            ratio=ratio(all_of_them, one),
            least="2×",
            aim="1.1×",
            met=all_of_them <= 2 * one,
        )
    )
    return Table(title="Feed-forward, and bases", rows=rows, note=f"{SHOTS} shots, real noise of ibm_kingston.")


def _labels(n_qubits: int) -> list[str]:
    """Strings that need a basis each."""
    random = np.random.default_rng(1)
    return ["".join(random.choice(list("XYZ"), n_qubits)) for _ in range(BASES)]


def _median(circuit: QuantumCircuit, device: str, shots: int, method: str = "auto") -> float:
    model = device_model(device)
    return statistics.median(
        timed(lambda: sample(circuit, model, shots=shots, seed=1, method=method)) for _ in range(5)
    )


def _refusal(task: Task) -> str:
    reused = METHODS["trajectories-reused"].estimate(task).seconds
    try:
        choose(Task(task.active, task.circuit, task.shots, Limits(seconds=60)), "exact")
    except Refused:
        return f"refused over 60 s; with reused trajectories {seconds(reused)} a pub by the estimate"
    return "runs within 60 s"


ACCURACY: dict[str, Callable[[], QuantumCircuit]] = {
    "GHZ, 10 qubits": partial(ghz, 10),
    "SU(2) linear, three layers, 10 qubits": partial(su2, 10, 3),
    "Ising, 10 steps, 8 qubits": partial(ising, 8, 10),
    "brickwork, depth 8, 8 qubits": partial(brickwork, 8, 8),
    "QAOA ring, p = 2, 8 qubits": partial(ring, 8, 2),
    "quantum volume, 6 qubits": partial(volume, 6),
}


def accuracy() -> Table:
    """Total variation of the truncated chain to the exact distribution."""
    rows = []
    for device in ("brisbane", "fez"):
        for what, made in ACCURACY.items():
            circuit = isa(made(), device)
            task = Task(scan(circuit, device_model(device)), circuit, 1)
            chain = chains.truncated(task)
            distance = np.abs(chain.joint() - _joint(task, chains.best_plan(task, chains.CUT).order)).sum() / 2
            error = chain.checked_trace()
            rows.append(
                Row(
                    what=f"{what}, {device}",
                    ours=f"{distance:.1e}",
                    other=f"{error:.1e}",
                    least="1e-4",
                    met=distance <= 1e-4,
                )
            )
    note = "Total variation to the exact distribution with a relative cut of 1e-5; beside: the trace error that a job reports."
    return Table(title="Accuracy of truncation", rows=rows, note=note)


def _joint(task: Task, order: Sequence[int]) -> np.ndarray:
    """The exact distribution, flat, with its qubits in this order."""
    joint, qubits = np.ones(()), list[int]()
    for factor in dense.contract(task.fused, task.readings):
        joint, qubits = np.multiply.outer(joint, factor.tensor), [*qubits, *factor.qubits]
    return joint.transpose([qubits.index(qubit) for qubit in order if qubit in task.readings]).reshape(-1)


def tables() -> list[Table]:
    """All of them."""
    return [speed(), feed_forward(), accuracy()]
