"""Every input and every option of every program: two values of it give different outcomes, or it is said that it has no effect.

The tables are walked beside the published schemas: a schema that gains a member without a row here fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from ibm_quantum_schemas.estimator import version_0_1 as estimator_schema
from ibm_quantum_schemas.executor import version_2_0 as executor_schema
from ibm_quantum_schemas.noise_learner_v2 import version_0_1 as learner_schema
from ibm_quantum_schemas.noise_learner_v3 import version_0_3 as box_learner_schema
from ibm_quantum_schemas.sampler import version_0_1 as sampler_schema
from pydantic import BaseModel
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit_ibm_runtime.noise_learner_v3.params_converters import NOISE_LEARNER_V3_PARAMS_CONVERTERS
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.options_models.noise_learner_v3 import NoiseLearnerV3Options
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS
from samplomatic import Twirl

from qumulus.core.programs import Program
from qumulus.simulation.devices import device_model

from . import runtime

BRISBANE = device_model("brisbane")


@dataclass(frozen=True)
class Effect:
    """Two values of a member give different outcomes, with these others set."""

    first: Any
    second: Any
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Warned:
    """A value of the member has no effect, and the log of the job says so."""

    value: Any


@dataclass(frozen=True)
class Fails:
    """A value of the member fails the job, with these words in the reason."""

    value: Any
    words: str


@dataclass(frozen=True)
class Reason:
    """Why the member has no row of the other kinds."""

    why: str


def circuit(*, measured: bool = True) -> QuantumCircuit:
    """A qubit that waits between two pulses, one that waits before its first one, and gates on a pair, in two layers."""
    found = QuantumCircuit(QuantumRegister(127, "q"), ClassicalRegister(2, "c"))
    found.sx(5)
    found.delay(20_003, 5, "dt")
    found.sx(5)
    found.ecr(1, 0)
    found.ecr(2, 1)
    found.barrier(0, 1, 2, 5)
    found.x(2)
    if measured:
        found.measure([5, 2], [0, 1])
    return found


TIMED = {"execution.scheduler_timing": True}
DECOUPLED = {"dynamical_decoupling.enable": True}
TWIRLED = {"twirling.enable_gates": True}
MEASURED = {"twirling.enable_measure": True}
LOCAL: dict[str, Any] = {
    "simulator.noise_model": Fails({"__type__": "NoiseModel", "__value__": {}}, "noise model of your own"),
    "simulator.seed_simulator": Effect(1, 2),
    "simulator.coupling_map": Warned([[0, 1]]),
    "simulator.basis_gates": Warned(["x"]),
    "experimental": Warned({"something": 1}),
}

SAMPLER: dict[str, Any] = {
    "pubs": Reason("The circuits themselves: every other row runs them."),
    "shots": Effect(10, 20),
    "support_qiskit": Effect(True, False),
    "version": Effect(2, 1),
    "options.default_shots": Effect(10, 20),
    "options.dynamical_decoupling.enable": Effect(False, True, TIMED),
    "options.dynamical_decoupling.sequence_type": Effect("XX", "XY4", TIMED | DECOUPLED),
    "options.dynamical_decoupling.extra_slack_distribution": Effect("middle", "edges", TIMED | DECOUPLED),
    "options.dynamical_decoupling.scheduling_method": Effect("alap", "asap", TIMED | DECOUPLED),
    "options.dynamical_decoupling.skip_reset_qubits": Effect(False, True, TIMED | DECOUPLED),
    "options.execution.init_qubits": Effect(True, False),
    "options.execution.rep_delay": Effect(1e-4, 2e-4),
    "options.execution.meas_type": Effect("classified", "kerneled"),
    "options.twirling.enable_gates": Effect(False, True),
    "options.twirling.enable_measure": Effect(False, True),
    "options.twirling.num_randomizations": Effect("auto", 7, MEASURED),
    "options.twirling.shots_per_randomization": Effect("auto", 5, MEASURED),
    "options.twirling.strategy": Effect("active", "all", TWIRLED | {"default_shots": 50_000}),
    **{f"options.{name}": row for name, row in LOCAL.items()},
}

EXACT = {"precision": 0}
ZNE = {"resilience.zne_mitigation": True}
PEA = ZNE | {"resilience.zne.amplifier": "pea"}
PEC = {"resilience.pec_mitigation": True}
UNMITIGATED = {"resilience.measure_mitigation": False}

ESTIMATOR: dict[str, Any] = {
    "pubs": Reason("The circuits themselves: every other row runs them."),
    "precision": Effect(0.1, 0.2),
    "support_qiskit": Effect(True, False),
    "version": Effect(2, 1),
    "resilience_level": Effect(0, 2),
    "options.default_precision": Effect(0.1, 0.2),
    "options.default_shots": Effect(10, 20),
    "options.seed_estimator": Effect(1, 2),
    "options.dynamical_decoupling.enable": Effect(False, True, EXACT),
    "options.dynamical_decoupling.sequence_type": Effect("XX", "XY4", EXACT | DECOUPLED),
    "options.dynamical_decoupling.extra_slack_distribution": Effect("middle", "edges", EXACT | DECOUPLED),
    "options.dynamical_decoupling.scheduling_method": Effect("alap", "asap", EXACT | DECOUPLED),
    "options.dynamical_decoupling.skip_reset_qubits": Effect(False, True, EXACT | DECOUPLED),
    "options.resilience.measure_mitigation": Effect(True, False),
    "options.resilience.measure_noise_learning.num_randomizations": Effect(
        8, 16, {"resilience.measure_noise_learning.shots_per_randomization": 32}
    ),
    "options.resilience.measure_noise_learning.shots_per_randomization": Effect(32, 64),
    "options.resilience.zne_mitigation": Effect(False, True),
    "options.resilience.zne.amplifier": Effect("gate_folding", "pea", ZNE),
    "options.resilience.zne.noise_factors": Effect([1, 3, 5], [1, 3, 7], ZNE),
    "options.resilience.zne.extrapolator": Effect("linear", "exponential", ZNE),
    "options.resilience.zne.extrapolated_noise_factors": Effect("auto", [0, 1], ZNE),
    "options.resilience.pec_mitigation": Effect(False, True),
    "options.resilience.pec.max_overhead": Effect(100, 1.000001, PEC),
    "options.resilience.pec.noise_gain": Effect(0, 0.5, PEC),
    "options.resilience.layer_noise_learning.max_layers_to_learn": Effect(1, 2, PEA),
    "options.resilience.layer_noise_learning.shots_per_randomization": Effect(64, 128, PEA),
    "options.resilience.layer_noise_learning.num_randomizations": Effect(16, 32, PEA),
    "options.resilience.layer_noise_learning.layer_pair_depths": Effect([0, 1], [0, 1, 2], PEA),
    "options.resilience.layer_noise_model": Reason(
        "test_runtime_noise_learner.py: a model that says what is known is given back in the metadata, any other fails."
    ),
    "options.execution.init_qubits": Fails(False, "init_qubits"),
    "options.execution.rep_delay": Effect(1e-4, 2e-4),
    "options.twirling.enable_gates": Effect(False, True, EXACT),
    "options.twirling.enable_measure": Effect(False, True, UNMITIGATED),
    "options.twirling.num_randomizations": Effect("auto", 7),
    "options.twirling.shots_per_randomization": Effect("auto", 5),
    "options.twirling.strategy": Effect("active", "all", EXACT | TWIRLED),
    **{f"options.{name}": row for name, row in LOCAL.items()},
}

EXECUTOR: dict[str, Any] = {
    "schema_version": Fails("v9.9", "knows the schema versions"),
    "quantum_program.shots": Effect(10, 20),
    "quantum_program.items": Reason("The circuits themselves: every other row runs them."),
    "quantum_program.circuits": Reason("The circuits themselves: every other row runs them."),
    "quantum_program.meas_level": Effect("classified", "kerneled"),
    "quantum_program.passthrough_data": Effect({"a": 1}, {"a": 2}),
    "quantum_program.semantic_role": Effect("one", "other"),
    "options.init_qubits": Effect(True, False),
    "options.rep_delay": Effect(1e-4, 2e-4),
    "options.scheduler_timing": Effect(False, True),
    "options.stretch_values": Effect(False, True),
    "options.experimental": Warned({"something": 1}),
}

LEARNER: dict[str, Any] = {
    "circuits": Reason("The circuits themselves: every other row learns from them."),
    "version": Reason("The schema knows one value."),
    "options.max_layers_to_learn": Effect(1, 2),
    "options.shots_per_randomization": Effect(64, 128),
    "options.num_randomizations": Effect(16, 32),
    "options.layer_pair_depths": Effect([0, 1], [0, 1, 2]),
    "options.twirling_strategy": Effect("active", "active-circuit"),
    "options.support_qiskit": Effect(True, False),
    "options.experimental": Warned({"something": 1}),
    "options.simulator": Warned({"seed_simulator": 1}),
}

BOX_LEARNER: dict[str, Any] = {
    "schema_version": Fails("v9.9", "knows the schema versions"),
    "instructions": Reason("The boxes themselves: every other row learns from them."),
    "options.shots_per_randomization": Effect(64, 128),
    "options.num_randomizations": Effect(16, 32),
    "options.layer_pair_depths": Effect([0, 1], [0, 1, 2]),
    "options.bit_flip_checks": Warned({"pre_circuit": {"enable": True}}),
    "options.post_selection": Warned({"enable": True}),
    "options.init_qubits": Effect(True, False),
    "options.rep_delay": Effect(1e-4, 2e-4),
}


def sampler() -> dict[str, Any]:
    return {"pubs": [[circuit()]], "options": {}, "support_qiskit": False}


def estimator() -> dict[str, Any]:
    letters = ["I"] * 127
    letters[126 - 5] = letters[126 - 2] = letters[126 - 0] = "Z"
    observable = {"".join(letters): 1.0}
    return {"pubs": [[circuit(measured=False), observable]], "options": {}, "support_qiskit": False}


def executor() -> dict[str, Any]:
    program = QuantumProgram(shots=50)
    program.append_circuit_item(circuit())
    encoder = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder
    return encoder(program, ExecutorOptions()).model_dump(mode="json")


def learner() -> dict[str, Any]:
    return {"circuits": [circuit(measured=False)], "options": {}}


def box_learner() -> dict[str, Any]:
    boxed = QuantumCircuit(QuantumRegister(127, "q"))
    with boxed.box([Twirl()]):
        boxed.ecr(4, 3)
    encoder = NOISE_LEARNER_V3_PARAMS_CONVERTERS["v0.3"].encoder
    return encoder(list(boxed), NoiseLearnerV3Options()).model_dump(mode="json")


PROGRAMS = {
    "sampler": (sampler, "sampler", SAMPLER, sampler_schema.ParamsModel),
    "estimator": (estimator, "estimator", ESTIMATOR, estimator_schema.ParamsModel),
    "executor": (executor, "executor", EXECUTOR, executor_schema.ParamsModel),
    "noise learner": (learner, "noise-learner", LEARNER, learner_schema.ParamsModel),
    "noise learner of boxes": (box_learner, "noise-learner", BOX_LEARNER, box_learner_schema.ParamsModel),
}
OPENED = ("options", "quantum_program")  # of the inputs these are groups of members
WHOLE = (  # groups that one row stands for
    "options.simulator.noise_model",
    "options.resilience.layer_noise_model",
    "options.bit_flip_checks",
    "options.post_selection",
)


def members(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """The names of all members of a schema, dotted."""
    model.model_rebuild(force=True, _types_namespace=vars(sys.modules[model.__module__]))
    for name, declared in model.model_fields.items():
        path = before + (declared.alias or name)
        nested = next(
            (
                each
                for each in (declared.annotation, *getattr(declared.annotation, "__args__", ()))
                if isinstance(each, type) and issubclass(each, BaseModel)
            ),
            None,
        )
        group = path in OPENED or before.startswith("options.")
        inner = model is learner_schema.OptionsModel and name == "simulator"
        if nested is not None and (group or path == "options") and path not in WHOLE and not inner:
            yield from members(nested, f"{path}.")
        else:
            yield path


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_member_of_a_schema_has_a_row(name):
    _, _, rows, schema = PROGRAMS[name]
    known = {"shots", "precision"}  # of the service's own document, not of the package
    assert set(members(schema)) - {"_"} == set(rows) - known


def changed(params: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    for path, value in values.items():
        inner: dict[str, Any] = params
        *groups, last = path.split(".")
        for group in groups:
            inner = inner.setdefault(group, {}) or inner[group]
        inner[last] = value
    return params


def program(name: str, values: Mapping[str, Any], given: Mapping[str, Any]) -> Program:
    make, kind, _, _ = PROGRAMS[name]
    others = {name if name == "precision" else f"options.{name}": value for name, value in given.items()}
    return runtime.job(changed(make(), others | dict(values)), kind=kind)


def without_times(document: Any) -> Any:
    """A result without what differs from run to run."""
    if isinstance(document, dict):
        dropped = ("seconds", "execution_spans", "chunk_timing", "simulation")
        return {name: without_times(value) for name, value in document.items() if name not in dropped}
    return [without_times(each) for each in document] if isinstance(document, list) else document


def shown(of: Program) -> Any:
    """All that a job shows of itself but the time that it took."""
    outcome = runtime.run(of)
    document = without_times(json.loads(outcome.result)) if outcome.result else None
    return document, outcome.failure, outcome.run_seconds, outcome.metadata.get("circuits")


ROWS = [(name, path, row) for name, (_, _, rows, _) in PROGRAMS.items() for path, row in rows.items()]


@pytest.mark.parametrize(
    ("name", "path", "row"),
    [pytest.param(*each, id=f"{each[0]}: {each[1]}") for each in ROWS if isinstance(each[2], Effect)],
)
def test_two_values_give_different_outcomes(name, path, row):
    first, second = (shown(program(name, {path: value}, row.given)) for value in (row.first, row.second))
    assert first != second
    assert first[1] is None


@pytest.mark.parametrize(
    ("name", "path", "row"),
    [pytest.param(*each, id=f"{each[0]}: {each[1]}") for each in ROWS if isinstance(each[2], Warned)],
)
def test_what_has_no_effect_is_named_in_the_log(name, path, row):
    log: list[str] = []
    assert runtime.run(program(name, {path: row.value}, {}), log).succeeded
    what = next(iter(row.value)) if path.endswith("experimental") and name != "noise learner" else path
    assert any("no effect" in line and what in line for line in log), log


@pytest.mark.parametrize(
    ("name", "group", "named"),
    [
        ("sampler", {"scheduler_timing": True, "something": 1}, "execution.something"),
        ("executor", {"scheduler_timing": True, "something": 1}, "execution.something"),
        ("estimator", {"scheduler_timing": True}, "execution"),
    ],
)
def test_an_experimental_option_in_a_group_is_named_where_it_has_no_effect(name, group, named):
    log: list[str] = []
    assert runtime.run(program(name, {"options.experimental": {"execution": group}}, {}), log).succeeded
    assert f"Experimental options have no effect here: {named}." in log


@pytest.mark.parametrize(
    ("name", "path", "row"),
    [pytest.param(*each, id=f"{each[0]}: {each[1]}") for each in ROWS if isinstance(each[2], Fails)],
)
def test_what_is_not_taken_fails_with_a_sentence(name, path, row):
    outcome = runtime.run(program(name, {path: row.value}, {}))
    assert outcome.failure is not None
    assert row.words in (outcome.reason or "")


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_value_gives_the_same_twice_and_an_unknown_input_is_named(name):
    assert shown(program(name, {}, {})) == shown(program(name, {}, {}))
    log: list[str] = []
    runtime.run(program(name, {"something": 1}, {}), log)
    assert "Some inputs have no effect here: something." in log
