"""Dry runs: data at random of the names, types and shapes that the job would have had, as the real client decodes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime.decoders.noise_learner import NoiseLearnerResultDecoder
from qiskit_ibm_runtime.decoders.noise_learner_v3.decoder import NoiseLearnerV3ResultDecoder
from qiskit_ibm_runtime.quantum_program import QuantumProgram

from qumulus.core.programs import Program
from qumulus.simulation.devices import device_model
from simulation.circuits import bell, isa

from . import test_runtime_executor as executors
from . import test_runtime_noise_learner as learners
from .runtime import estimator, result, run, sampler

BRISBANE = device_model("brisbane")


def measured() -> QuantumCircuit:
    return isa(bell(), BRISBANE)


def rotated() -> tuple[QuantumCircuit, Any]:
    """A circuit with a parameter, and values for it of the shape (2, 3)."""
    return executors.rotation(), np.linspace(0, np.pi, 6).reshape(2, 3)


def dry(program: Program) -> Program:
    return Program(**{name: getattr(program, name) for name in program.__slots__} | {"options": {"dry_run": True}})


def alike(one: Any, other: Any) -> None:
    """See that two data bins have the same fields of the same shapes and types."""
    assert list(one) == list(other)
    assert one.shape == other.shape
    for name in one:
        assert type(one[name]) is type(other[name])
        assert one[name].shape == other[name].shape
        assert getattr(one[name], "num_bits", None) == getattr(other[name], "num_bits", None)
        assert getattr(one[name], "dtype", None) == getattr(other[name], "dtype", None)


@pytest.mark.parametrize("level", ["classified", "kerneled", "avg_kerneled"])
def test_the_registers_of_a_sampler_are_there_at_random(level: str) -> None:
    program = sampler([(*rotated(), 200), (measured(), None, 100)], {"execution": {"meas_type": level}})
    for random, real in zip(result(dry(program)), result(program), strict=True):
        alike(random.data, real.data)
        assert random.metadata["simulation"] == {"dry_run": True}
    again = result(dry(program))
    found = [
        np.asarray(getattr(each[1].data.meas, "array", each[1].data.meas)) for each in (again, result(dry(program)))
    ]
    np.testing.assert_array_equal(*found)  # the seed is that of the job


def test_the_bits_of_a_sampler_have_nothing_of_the_circuit() -> None:
    counts = result(dry(sampler([(measured(), None, 4000)])))[0].data.meas.get_counts()
    assert all(abs(counts[bits] - 1000) < 200 for bits in ("00", "01", "10", "11"))


def test_a_twirled_sampler_tells_its_randomizations() -> None:
    options = {"twirling": {"enable_measure": True, "num_randomizations": 4, "shots_per_randomization": 25}}
    program = sampler([measured()], options)
    random, real = result(dry(program)), result(program)
    alike(random[0].data, real[0].data)
    assert random[0].metadata["num_randomizations"] == real[0].metadata["num_randomizations"] == 4
    spans = [found.metadata["execution"]["execution_spans"][0] for found in (random, real)]
    assert spans[0].mask(0).shape == spans[1].mask(0).shape


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_values_of_an_estimator_are_there_at_random(level: str) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit = isa(circuit, BRISBANE)
    observables = [
        [2 * SparsePauliOp("ZZ").apply_layout(circuit.layout)],
        [SparsePauliOp("XX").apply_layout(circuit.layout)],
    ]
    program = estimator([(circuit, observables)], {"default_precision": 0.1}, resilience_level=level)
    random, real = result(dry(program)), result(program)
    alike(random[0].data, real[0].data)
    assert set(random[0].metadata) == set(real[0].metadata)
    assert set(random.metadata) == set(real.metadata)
    assert np.abs(random[0].data.evs[1]) <= 1.0
    assert (random[0].data.stds == random[0].metadata["target_precision"]).all()


@pytest.mark.parametrize("level", ["classified", "kerneled", "avg_kerneled"])
def test_the_items_of_an_executor_are_there_at_random(level: str) -> None:
    program = QuantumProgram(shots=30, meas_level=level)
    circuit, values = rotated()
    program.append_circuit_item(circuit, circuit_arguments=values[..., np.newaxis])
    template, samplex = executors.twirled()
    program.append_samplex_item(template, samplex=samplex, shape=(5,))
    job = executors.executor(program)
    random, real = executors.result(dry(job)), executors.result(job)
    for each, other in zip(random, real, strict=True):
        assert {name: (values.shape, values.dtype) for name, values in each.items()} == {
            name: (values.shape, values.dtype) for name, values in other.items()
        }
    read = {f"{register.name}{end}" for register in template.cregs for end in ("", "_iq", "_avg_iq")}
    for name in set(random[1]) - read:
        np.testing.assert_array_equal(random[1][name], real[1][name])  # what the samplex draws besides
    assert random.passthrough_data == real.passthrough_data


def test_the_rates_of_a_noise_learner_are_there_at_random() -> None:
    circuit = QuantumCircuit(127)
    circuit.ecr(4, 3)
    both = [
        learners.result(each, NoiseLearnerResultDecoder)
        for each in (dry(learners.legacy([circuit])), learners.legacy([circuit]))
    ]
    (random,), (real,) = (each.data for each in both)
    assert random.qubits == real.qubits
    assert random.error.generators == real.error.generators
    assert random.error.rates.shape == real.error.rates.shape
    assert not np.allclose(random.error.rates, real.error.rates)
    assert both[0].metadata["simulation"] == {"dry_run": True}


def test_the_rates_of_boxes_are_there_at_random() -> None:
    program = learners.third(learners.boxes())
    both = [learners.result(each, NoiseLearnerV3ResultDecoder) for each in (dry(program), program)]
    for random, real in zip(*both, strict=True):
        assert type(random) is type(real)
        assert random._generators == real._generators
        assert random._rates.shape == real._rates.shape
        assert not np.allclose(random._rates, real._rates)


def test_a_dry_run_tells_what_the_job_would_use_and_count() -> None:
    program = sampler([(*rotated(), 200)])
    checked, real = run(dry(program)), run(program)
    assert checked.metadata["would_use"] == real.run_seconds
    assert checked.metadata["circuits"] == real.metadata["circuits"]
    assert checked.run_seconds == 0.0
