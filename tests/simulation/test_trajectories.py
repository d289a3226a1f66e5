"""Jump trajectories: the Kraus operators of a block, and shots against the exact distribution."""

from __future__ import annotations

import re
from math import inf

import numpy as np
import pytest

from qumulus.core.programs import Limits
from qumulus.simulation import batched, trajectories
from qumulus.simulation.choice import choose
from qumulus.simulation.circuits import scan
from qumulus.simulation.devices import device_model
from qumulus.simulation.errors import ProgramError, Refused
from qumulus.simulation.meter import Meter, metered
from qumulus.simulation.sampling import sample
from qumulus.simulation.tasks import Task
from qumulus.simulation.trajectories import Jumps, kraus
from qumulus.simulation.transfer import from_unitary

from .circuits import brickwork, isa, kicked_ising, su2, volume

SHOTS = 200_000
METHODS = ("trajectories", "trajectories-batched")


def numbers(bits: np.ndarray) -> np.ndarray:
    """How often each outcome came."""
    return np.bincount(bits @ (1 << np.arange(bits.shape[1])), minlength=1 << bits.shape[1])


def test_kraus_operators_make_the_channel_again() -> None:
    model = device_model("brisbane")
    circuit = isa(volume(4), model)
    for block in Task(scan(circuit, model), circuit, 1).fused.blocks:
        made = sum(  # the map of each operator is not unitary, and the formula holds for it too
            from_unitary(np.asarray(operator, complex)) for operator in kraus(block.matrix)
        )
        np.testing.assert_allclose(made, block.matrix, atol=1e-5)


@pytest.mark.parametrize("name", ["brisbane", "fez"])
@pytest.mark.parametrize("circuit", [su2(4, 1, "full"), brickwork(5, 6), volume(4)])
@pytest.mark.parametrize("by", METHODS)
def test_shots_are_as_near_as_shots_can_be(by: str, name: str, circuit) -> None:
    """Chi squared of two samples of one distribution: its mean is the degrees of freedom."""
    model = device_model(name)
    placed = isa(circuit, model)
    ours, exact = (
        numbers(sample(placed, model, shots=SHOTS, seed=seed, method=method).bits["meas"])
        for seed, method in ((1, by), (2, "dense"))
    )
    chi_squared = ((ours - exact) ** 2 / np.maximum(ours + exact, 1)).sum()
    degrees = len(exact) - 1
    assert chi_squared < degrees + 4 * np.sqrt(2 * degrees)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_shots(method: str) -> None:
    model = device_model("fez")
    circuit = isa(su2(5, 2, "full"), model)
    first, again = (sample(circuit, model, shots=500, seed=3, method=method).bits["meas"] for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_the_order_of_shots_tells_nothing_of_their_jumps() -> None:
    """Where one outcome is the usual one, the others are as many in the first half of the shots as in the second."""
    model = device_model("brisbane")
    circuit = brickwork(5, 6)
    circuit = isa(circuit.compose(circuit.remove_final_measurements(inplace=False).inverse(), front=True), model)
    usual = ~sample(circuit, model, shots=20_000, seed=1, method="trajectories-batched").bits["meas"].any(axis=1)
    first, second = np.split(usual, 2)
    assert abs(first.sum() - second.sum()) < 5 * np.sqrt(len(usual) * usual.mean() * (1 - usual.mean()))


def on_a_pair(operators: np.ndarray, blocks: int) -> Jumps:
    """The same channel on two qubits, again and again."""
    return Jumps([((0, 1), operators)] * blocks, (0, 1), {})


@pytest.mark.filterwarnings("error")
def test_a_path_that_no_shot_has_taken_for_long_costs_no_shot() -> None:
    """Each block halves what is left of the path without a jump: after a thousand, single precision has none of it."""
    operators = kraus(np.diag([1.0, *[0.4] * 15]))
    batch = batched.followed(on_a_pair(operators, 1000), 100, np.random.default_rng(1))
    assert np.bincount(batch.readings(), minlength=4).min() > 10
    assert np.isfinite(batch.states).all()


@pytest.mark.filterwarnings("error")
def test_a_jump_that_rounding_alone_makes_leads_nowhere() -> None:
    """The ground state can't decay, but a shot in ten millions seems to."""
    stays, decays = np.eye(4) * (1 - 5e-8), np.zeros((4, 4))
    decays[0, 3] = 1e-3
    operators = np.array([stays, decays], np.complex64)
    batch = batched.followed(on_a_pair(operators, 20), 10**9, np.random.default_rng(1))
    assert batch.states.shape[-1] > 1
    np.testing.assert_allclose(np.abs(batch.states[0, 0]), 1.0, atol=1e-4)


@pytest.mark.filterwarnings("error")
def test_a_jump_that_rounding_alone_makes_leads_nowhere_with_one_state_at_a_time() -> None:
    stays, decays = np.eye(4) * (1 - 5e-5), np.zeros((4, 4))
    decays[0, 3] = 1e-3
    laid = on_a_pair(np.array([stays, decays], np.complex64), 20)
    run = trajectories.Run(laid, np.random.default_rng(1), np.ones(2000, np.intp), 1, inf)
    run.follow(np.eye(1, 4, dtype=np.complex64).reshape(2, 2))
    assert run.states > 1
    assert not run.outcomes.any()


def ten_qubits(budget: float) -> Task:
    """A circuit whose tensor is as large as ten qubits make it."""
    model = device_model("fez")
    circuit = isa(brickwork(10, 40), model)
    return Task(scan(circuit, model), circuit, 1000, Limits(approximate=True), budget=budget)


def test_ten_qubits_that_have_to_be_quick_get_exact_shots_all_at_once() -> None:
    with metered(Meter(repeatable=True)):  # so that no machine is slow
        dense = choose(ten_qubits(inf)).estimates["dense"].seconds
        chosen = choose(ten_qubits(0.9 * dense))
    assert chosen.methods[0].name == "trajectories-batched"
    assert chosen.methods[0].approximation is None
    assert chosen.estimates["trajectories-batched"].seconds < dense / 2


def test_ten_qubits_that_have_time_get_the_tensor() -> None:
    assert choose(ten_qubits(inf)).methods[0].name == "dense"


def test_many_shots_of_many_qubits_are_not_held_at_once() -> None:
    model = device_model("fez")
    with pytest.raises(ProgramError, match="amplitudes together"):
        sample(isa(brickwork(10, 4), model), model, shots=10_000, seed=1, method="trajectories-batched")


def test_reused_trajectories_are_declared_and_run_by_name_only() -> None:
    model = device_model("brisbane")
    circuit = isa(su2(6, 2, "full"), model)
    samples = sample(circuit, model, shots=1000, seed=1, method="trajectories-reused")
    assert samples.metadata["accuracy"]["trajectories"] <= trajectories.REUSED
    assert "correlated" in samples.metadata["approximation"]
    assert sample(circuit, model, shots=1000, seed=1).metadata["method"] != "trajectories-reused"


def test_twenty_fully_entangled_qubits_are_refused_with_an_estimate() -> None:
    model = device_model("brisbane")
    circuit = isa(su2(20, 1, "full"), model)
    with pytest.raises(Refused, match="No method simulates this circuit with 20 active qubits") as refused:
        sample(circuit, model, shots=1024, seed=1, method="exact", limits=Limits(seconds=60))
    assert any(re.fullmatch(r"trajectories needs .* s and .* MiB", line) for line in refused.value.lines)


def test_a_circuit_too_wide_for_a_state_is_told_so_before_its_channels_are_decomposed() -> None:
    model = device_model("brisbane")
    circuit = kicked_ising(model, 2, 0.3)
    circuit.measure_all()
    task = Task(scan(circuit, model), circuit, 1000)
    estimate = trajectories.METHOD.estimate(task)
    assert estimate.seconds == np.inf
    assert estimate.memory_bytes > task.limits.memory_bytes
