"""The schedule: qubits that wait for others relax, for as long as the lengths of the calibration say."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.transpiler import generate_preset_pass_manager

from qumulus.core.programs import LOCAL_MODE_NOISE
from qumulus.simulation.branches import Evolution
from qumulus.simulation.circuits import ActiveCircuit, scan
from qumulus.simulation.dense import contract
from qumulus.simulation.devices import DeviceModel, device_model, twirled
from qumulus.simulation.expectation import expectation
from qumulus.simulation.sampling import sample
from qumulus.simulation.schedule import FEED_FORWARD
from qumulus.simulation.steps import Channel
from qumulus.simulation.tasks import Task
from qumulus.simulation.timeline import padded, timeline

from .circuits import STATIC, isa, teleportation
from .reference import distribution, total_variation

BRISBANE = device_model("brisbane")
TIMELESS = device_model("brisbane", noise=LOCAL_MODE_NOISE)
FIRST, SECOND = next(iter(BRISBANE.target["ecr"]))  # of one gate


def joint(circuit: QuantumCircuit, model: DeviceModel, values: dict | None = None) -> np.ndarray:
    """The probabilities of the measured bits, indexed by the classical value."""
    task = Task(scan(circuit, model), circuit, 1, binding=values or {})
    found, qubits = np.ones(()), list[int]()
    for factor in contract(task.fused, task.readings):
        found, qubits = np.multiply.outer(found, factor.tensor), [*qubits, *factor.qubits]
    order = sorted(range(len(qubits)), key=lambda axis: -task.active.terminal[qubits[axis]])
    return found.transpose(order).reshape(-1)


def waits(active: ActiveCircuit) -> list[Channel]:
    return [step for step in active.steps if isinstance(step, Channel) and step.name == "wait"]


@pytest.mark.parametrize("kind", STATIC)
@pytest.mark.parametrize("name", ["brisbane", "fez", "kingston", "manila"])
def test_the_noise_is_that_of_the_circuit_as_qiskit_schedules_it(name: str, kind: str) -> None:
    """The reference is Qiskit's own ALAP schedule, whose delays local mode relaxes."""
    model, timeless = device_model(name), device_model(name, noise=LOCAL_MODE_NOISE)
    circuit = isa(STATIC[kind](5), model)
    manager = generate_preset_pass_manager(0, target=model.target, scheduling_method="alap")
    scheduled = manager.run(circuit)
    assert scheduled.count_ops()["delay"] > 5
    assert total_variation(joint(circuit, model), joint(scheduled, timeless)) < 1e-12
    assert total_variation(joint(circuit, model), joint(circuit, timeless)) > 1e-5


@pytest.mark.parametrize("name", ["brisbane", "fez"])
def test_the_noise_is_that_of_aer_on_the_circuit_with_its_waits_as_delays(name: str) -> None:
    model = device_model(name)
    circuit = isa(STATIC["SU(2)"](5), model)
    assert total_variation(joint(circuit, model), distribution(padded(circuit, model), model)) < 1e-6


def test_the_length_is_the_one_that_qiskit_finds() -> None:
    circuit = isa(STATIC["SU(2)"](6), BRISBANE)
    manager = generate_preset_pass_manager(0, target=BRISBANE.target, scheduling_method="alap")
    assert timeline(circuit, BRISBANE).length == manager.run(circuit).duration


def waiting(gates: int) -> QuantumCircuit:
    """A qubit in |+⟩, read in the same basis, that waits while two others have gates, with barriers around."""
    circuit = QuantumCircuit(BRISBANE.n_qubits, 1)
    apart = next(q for q in range(BRISBANE.n_qubits) if q not in (FIRST, SECOND))
    circuit.rz(np.pi / 2, apart)
    circuit.sx(apart)
    circuit.rz(np.pi / 2, apart)
    circuit.barrier()
    for _ in range(gates):
        circuit.ecr(FIRST, SECOND)
    circuit.barrier()
    circuit.rz(np.pi / 2, apart)
    circuit.sx(apart)
    circuit.rz(np.pi / 2, apart)
    circuit.measure(apart, 0)
    return circuit


def test_a_qubit_that_waits_while_others_have_gates_loses_its_coherence_by_t2() -> None:
    gates, apart = 60, next(q for q in range(BRISBANE.n_qubits) if q not in (FIRST, SECOND))
    noise = BRISBANE.noise
    assert noise is not None
    time = gates * noise.gates["ecr", (FIRST, SECOND)].length
    (kept, _), (alone, _) = (1 - 2 * joint(waiting(n), BRISBANE)[[1, 0]] for n in (gates, 0))
    offset = (noise.confusion[apart, 1, 0] - noise.confusion[apart, 0, 1]) * np.array([1, -1])
    ratio = (kept - offset[0]) / (alone - offset[0])
    assert ratio == pytest.approx(np.exp(-time / min(noise.t2[apart], 2 * noise.t1[apart])), abs=5e-3)


def test_under_the_noise_of_local_mode_it_loses_nothing() -> None:
    np.testing.assert_allclose(joint(waiting(60), TIMELESS), joint(waiting(0), TIMELESS), atol=1e-12)


def test_gates_begin_as_late_as_they_can_so_that_qubits_wait_in_their_ground_state() -> None:
    circuit = QuantumCircuit(BRISBANE.n_qubits, 2)
    circuit.x(3)
    for _ in range(20):
        circuit.ecr(FIRST, SECOND)
    circuit.measure([3, FIRST], [0, 1])
    assert not [step for step in waits(scan(circuit, BRISBANE)) if step.qubits == (0,)]
    np.testing.assert_allclose(joint(circuit, BRISBANE), joint(circuit, TIMELESS), atol=1e-12)


def test_what_waits_outside_of_the_light_cone_is_left_out() -> None:
    circuit = QuantumCircuit(BRISBANE.n_qubits, 1)
    circuit.x(range(BRISBANE.n_qubits))
    circuit.barrier()
    circuit.ecr(FIRST, SECOND)
    circuit.barrier()
    circuit.measure(3, 0)
    active = scan(circuit, BRISBANE)
    assert active.physical == (3,)
    assert len(waits(active)) == 1


def test_a_delay_counts_once_and_others_wait_for_it() -> None:
    noise = BRISBANE.noise
    assert noise is not None
    circuit = QuantumCircuit(BRISBANE.n_qubits, 2)
    circuit.x([0, 1])
    circuit.barrier(0, 1)
    circuit.delay(50, 0, unit="us")
    circuit.barrier(0, 1)
    circuit.measure([0, 1], [0, 1])
    both = circuit.copy_empty_like()
    both.x([0, 1])
    both.delay(50, [0, 1], unit="us")
    both.measure([0, 1], [0, 1])
    np.testing.assert_allclose(joint(circuit, BRISBANE), joint(both, TIMELESS), atol=1e-12)


def test_delays_by_parameters_make_others_wait_for_as_long_as_their_values_say() -> None:
    time = Parameter("time")

    def swept(length: object) -> QuantumCircuit:
        circuit = QuantumCircuit(BRISBANE.n_qubits, 2)
        circuit.x([FIRST, SECOND])
        circuit.barrier(FIRST, SECOND)
        circuit.delay(length, FIRST)
        circuit.delay(20_000, SECOND)
        circuit.ecr(FIRST, SECOND)
        circuit.measure([FIRST, SECOND], [0, 1])
        return circuit

    circuit = swept(time)
    for value in (0, 8_000, 20_000, 64_000, 8_000):
        found = joint(circuit, BRISBANE, {time: value})
        np.testing.assert_allclose(found, joint(swept(value), BRISBANE), atol=1e-12)


def conditional(*, otherwise: bool = False) -> QuantumCircuit:
    """A qubit that stays excited while another is read and steers what happens to it."""
    circuit = QuantumCircuit(BRISBANE.n_qubits, 2)
    circuit.x(SECOND)
    circuit.barrier(FIRST, SECOND)
    circuit.measure(FIRST, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as or_else:
        circuit.x(SECOND)
    if otherwise:
        with or_else:
            circuit.delay(40_000, SECOND)
    circuit.measure(SECOND, 1)
    return circuit


def by_value(circuit: QuantumCircuit, model: DeviceModel) -> np.ndarray:
    counts = sample(circuit, model, shots=400_000, seed=3, method="branches").counts()
    return np.array([counts.get(f"{value:02b}", 0) for value in range(4)]) / 400_000


def test_what_depends_on_a_reading_waits_until_the_bit_is_known() -> None:
    noise = BRISBANE.noise
    assert noise is not None
    seen = by_value(conditional(), BRISBANE)
    explicit = QuantumCircuit(BRISBANE.n_qubits, 2)
    explicit.x(SECOND)
    explicit.delay((noise.readout_lengths[FIRST] + FEED_FORWARD) * 1e6, SECOND, unit="us")
    explicit.measure(FIRST, 0)
    with explicit.if_test((explicit.clbits[0], 1)):
        explicit.x(SECOND)
    explicit.measure(SECOND, 1)
    assert np.abs(seen - by_value(explicit, TIMELESS)).max() < 3e-3
    assert np.abs(seen - by_value(conditional(), TIMELESS)).max() > 3e-3


def test_the_shorter_body_of_a_conditional_waits_for_the_longer_one() -> None:
    both = conditional(otherwise=True)
    task = Task(scan(both, BRISBANE), both, 1)
    Evolution(task.active, {}, 1e9).run(task.readings)
    then = task.active.steps[[type(step).__name__ for step in task.active.steps].index("Choose")].cases[0][1]
    relaxed = next(step for step in then if step.name == "wait").transfer
    length = 40_000 * BRISBANE.cycle - BRISBANE.noise.gates["x", (SECOND,)].length
    np.testing.assert_allclose(relaxed, BRISBANE.noise.relaxation(SECOND, length), atol=1e-9)


def test_dynamic_circuits_agree_with_aer_shot_by_shot() -> None:
    """Aer gets the waits as delays from another walk over the circuit."""
    circuit, shots = isa(teleportation(), BRISBANE), 20_000
    ours = sample(circuit, BRISBANE, shots=1_000_000, seed=1, method="branches").counts()
    theirs = sample(circuit, BRISBANE, shots=shots, seed=2, method="aer").counts()
    chi_squared = sum((theirs.get(k, 0) - shots * n / 1e6) ** 2 / (shots * n / 1e6) for k, n in ours.items())
    assert chi_squared < 24.3  # seven degrees of freedom; one seed in a thousand is worse


def test_the_rounds_of_a_loop_relax_who_waits_in_them() -> None:
    circuit = QuantumCircuit(BRISBANE.n_qubits, 2)
    circuit.x(SECOND)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.x(SECOND)
        circuit.x(SECOND)
        circuit.sx(FIRST)
        circuit.measure(FIRST, 0)
    circuit.measure(SECOND, 1)
    kept = [by_value(circuit, model)[2:].sum() for model in (BRISBANE, TIMELESS)]
    assert kept[0] < kept[1] - 5e-3


def test_classical_variables_keep_their_order() -> None:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "c"))
    seen = circuit.add_var("seen", False)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.store(seen, circuit.clbits[0])
    with circuit.if_test(seen):
        circuit.x(1)
    circuit.measure(1, 1)
    counts = sample(circuit, BRISBANE, shots=1000, seed=1).counts()
    assert counts["11"] > 800


def test_twirled_waits_forget_in_which_direction_they_relax() -> None:
    circuit = isa(STATIC["GHZ"](5), BRISBANE)
    plain = waits(scan(circuit, BRISBANE))
    model = twirled(BRISBANE, gates=True, measurements=False, amplification=2.0, waits=True)
    for wait, other in zip(plain, waits(scan(circuit, model)), strict=True):
        np.testing.assert_allclose(np.diag(np.diag(wait.transfer)) ** 2, other.transfer, atol=1e-12)


def test_the_estimator_sees_the_same_schedule() -> None:
    circuit = isa(STATIC["SU(2)"](4).remove_final_measurements(inplace=False), BRISBANE)
    observable = {"".join("Z" if q in circuit.layout.final_index_layout() else "I" for q in reversed(range(127))): 1.0}
    with_waits, without = (
        expectation(circuit, [observable], model, shots=None).values[0] for model in (BRISBANE, TIMELESS)
    )
    assert abs(with_waits - without) > 1e-4
