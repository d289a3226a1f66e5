"""The chain against the dense contraction, against light cones, and against itself at a finer cut."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qumulus.catalogue.ideal import IDEAL
from qumulus.core.programs import Limits
from qumulus.simulation import chains, dense, order
from qumulus.simulation.chain import Chain, plan
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.errors import GaveUp
from qumulus.simulation.growth import Growth
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task

from .accuracy import record
from .circuits import brickwork, device_ghz, isa, ising, su2

ONE = np.array([1.0, -1.0])
TITLE = "largest difference of an expectation value"


def task_of(circuit: QuantumCircuit, model: DeviceModel, shots: int = 1) -> Task:
    return Task(scan(circuit, model), circuit, shots, Limits(memory_bytes=2 << 30))


def test_twenty_qubits_agree_with_their_light_cones() -> None:
    model = device_model("brisbane")
    task = task_of(isa(su2(20, 2), model), model)
    pairs = [{a: ONE, b: ONE} for a, b in combinations(range(20), 2) if abs(a - b) == 1]
    terms = [*pairs, *({qubit: ONE} for qubit in range(20))]
    by_light_cone = dense.METHOD.expect(task, terms)
    by_chain = chains.EXACT.expect(task, terms)
    largest = np.abs(by_chain.values - by_light_cone.values).max()
    record(TITLE, "SU(2), two layers, 20 qubits: Z and ZZ of neighbours, against light cones", "brisbane", largest)
    assert largest <= 1e-8


@pytest.mark.parametrize("circuit", [su2(12, 2), su2(14, 3), brickwork(12, 6)])
def test_the_predicted_bonds_are_the_real_ones(circuit: QuantumCircuit) -> None:
    model = device_model("brisbane")
    task = task_of(isa(circuit, model), model)
    laid = chains.best_plan(task, None)
    assert Chain.of(laid, None, 1e8).bonds() == pytest.approx(laid.bonds())


@pytest.mark.parametrize("name", ["brisbane", "fez"])
def test_a_ghz_state_as_wide_as_the_device_runs_with_its_real_noise(name: str) -> None:
    model = device_model(name)
    circuit = device_ghz(model)
    samples = sample(circuit, model, shots=4096, seed=1)
    assert samples.metadata["method"] == "chain"
    task = task_of(circuit, model)
    terms = [{qubit: ONE} for qubit in range(model.n_qubits)]
    exact = chains.EXACT.expect(task, terms).values
    drawn = 1 - 2 * samples.bits["meas"].mean(axis=0)
    assert np.abs(drawn - exact[[task_qubit(task, bit) for bit in range(model.n_qubits)]]).max() < 5 / np.sqrt(4096)
    largest = np.abs(chains.TRUNCATED.expect(task, terms).values - exact).max()
    record(TITLE, "GHZ of the whole device: Z of each qubit, cut against exact", name, largest)
    assert largest <= 1e-3


def task_qubit(task: Task, bit: int) -> int:
    return next(qubit for qubit, place in task.active.terminal.items() if place == bit)


def test_a_chain_that_outgrows_its_memory_gives_up() -> None:
    model = device_model("brisbane")
    task = task_of(isa(su2(12, 3), model), model)
    with pytest.raises(GaveUp, match="grows"):
        Chain.of(chains.best_plan(task, None), None, 1e4)


def rungs(length: int, angle: float) -> Task:
    """One layer of rzz on a grid four qubits high, each pair once, on the ideal simulator."""
    circuit = QuantumCircuit(4 * length, 4 * length)
    circuit.h(range(4 * length))
    for place in range(4 * length):
        if place % 4 != 3:
            circuit.rzz(angle, place, place + 1)
        if place + 4 < 4 * length:
            circuit.rzz(angle, place, place + 4)
    circuit.rx(0.7, range(4 * length))
    circuit.measure(range(4 * length), range(4 * length))
    return task_of(circuit, device_model(IDEAL))


@dataclass(frozen=True)
class Crossing:
    """A gate as far as bonds grow by it."""

    places: tuple[int, int]
    sizes: NDArray[np.float64]


def test_the_products_that_are_counted_are_those_above_the_cut() -> None:
    sizes = 10.0 ** -np.array([0.0, 1.03, 2.01, 3.02])
    gates = [[Crossing((0, 2), sizes)], [Crossing((1, 3), 5 * sizes)], [Crossing((0, 3), sizes[:2])]]
    found = Growth(gates, 3, 1e-5).products
    whole = [[sizes], [sizes, sizes], [sizes]], [[sizes, sizes[:2]], [sizes, sizes, sizes[:2]], [sizes, sizes[:2]]]
    for counted, crossing in zip(found[1:], whole, strict=True):
        assert counted.tolist() == [sum(np.prod(each) > 1e-5 for each in product(*factors)) for factors in crossing]


def test_a_chain_gives_up_as_soon_as_it_sees_that_it_takes_too_long() -> None:
    laid = chains.best_plan(rungs(7, 0.6), chains.CUT)
    with pytest.raises(GaveUp, match="as bonds grow"):
        Chain.of(laid, chains.CUT, 1e9, most_work=2e7)


def test_a_chain_that_is_done_in_its_time_does_not_give_up() -> None:
    laid = chains.best_plan(rungs(7, 0.01), chains.CUT)
    assert Chain.of(laid, chains.CUT, 1e9, most_work=1e8).work_left > 0


def test_a_chain_that_truncation_spoiled_gives_up() -> None:
    model = device_model("brisbane")
    task = task_of(isa(ising(8, 10), model), model)
    laid = plan(task.fused, task.readings, chains.best_plan(task, None).order, 0.05)
    with pytest.raises(GaveUp, match=r"trace|probability"):
        Chain.of(laid, 0.3, 1e8).checked_trace()


def test_the_same_seed_gives_the_same_shots_and_another_seed_others() -> None:
    model = device_model("fez")
    circuit = isa(su2(14, 2), model)
    first, again, other = (
        sample(circuit, model, shots=300, seed=seed, method="chain").bits["meas"] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_neighbours_in_the_graph_stand_near_each_other() -> None:
    path = [(3, 1), (1, 4), (4, 0), (0, 2)]
    found = order.by_bandwidth(5, path)
    assert all(abs(found.index(a) - found.index(b)) == 1 for a, b in path)


def test_a_tree_is_walked_with_few_branches_open() -> None:
    binary = [((qubit - 1) // 2, qubit) for qubit in range(1, 63)]
    place = {qubit: index for index, qubit in enumerate(order.depth_first(63, binary))}
    crossing = [sum(place[a] <= cut < place[b] or place[b] <= cut < place[a] for a, b in binary) for cut in range(62)]
    assert max(crossing) <= 6
