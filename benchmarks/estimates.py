"""How well the simulation foretells what a run costs, in processor time."""

from __future__ import annotations

from time import process_time

from tests.simulation.circuits import brickwork, isa, ising, ring, su2

from qumulus.simulation import chains, trajectories
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import device_model
from qumulus.simulation.machine import slowness
from qumulus.simulation.tasks import Task

from .tables import Row, Table, seconds

CASES = (
    ("chain, 20 qubits, SU(2), three layers", chains.EXACT, su2(20, 3), 1024),
    ("chain, 20 qubits, SU(2), four layers", chains.EXACT, su2(20, 4), 1024),
    ("chain, 20 qubits, brickwork of depth 8", chains.EXACT, brickwork(20, 8), 1024),
    ("chain-cut, 20 qubits, Ising, 10 steps", chains.TRUNCATED, ising(20, 10), 1024),
    ("chain-cut, 20 qubits, QAOA ring, p = 2", chains.TRUNCATED, ring(20, 2), 1024),
    ("trajectories, 16 qubits, full entanglement", trajectories.METHOD, su2(16, 1, "full"), 8),
)
FACTOR = 3.0


def tables() -> list[Table]:
    """The table of estimates."""
    model = device_model("brisbane")
    rows = []
    for what, method, circuit, shots in CASES:
        own = isa(circuit, model)
        task = Task(scan(own, model), own, shots)
        predicted = method.estimate(task).seconds * slowness()
        start = process_time()
        method.sample(task, 1)
        real = process_time() - start
        off = max(predicted / real, real / predicted)
        rows.append(
            Row(
                what=what,
                ours=f"predicted {seconds(predicted)}",
                other=f"took {seconds(real)}",
                ratio=f"{off:.1f}×",
                least=f"{FACTOR:.0f}×",
                met=off <= FACTOR,
            )
        )
    return [Table(title="Estimates", rows=rows, note="Ratio: how far the prediction is off, either way.")]
