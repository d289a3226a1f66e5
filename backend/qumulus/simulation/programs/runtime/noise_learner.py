"""The noise learner: Pauli-Lindblad rates of layers of gates and of measurements.

Nothing is measured: the rates are those of the device's own noise model, twirled, which a perfect learner would find. They
belong to errors that follow the gates of a layer; one-qubit gates and idle qubits add none. Emulates both forms of the
``noise-learner`` program of Qiskit Runtime (models: ``ibm_quantum_schemas.noise_learner_v2``, ``noise_learner_v3``).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from ibm_quantum_schemas.noise_learner_v2.version_0_1 import OptionsModel
from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping

from qumulus.core.programs import Program
from qumulus.core.results import Outcome
from qumulus.simulation.devices import DeviceModel

from . import circuits, dry, results, wire
from .dialects import ANNOTATIONS
from .failures import Log, coded, invalid, not_isa
from .layers import Layer, unique_layers
from .learned import by_label, layer_rates
from .learning import learning_loads
from .lindblad import Rates, readout_rate
from .options import tell_unknown, validated
from .submission import Submission, read
from .tensors import to_tensor
from .usage import charge
from .values import Array, Circuit, Form, Object

VERSIONS = {"v0.1": 16, "v0.2": 17, "v0.3": 17}
"""The versions of the third form, with the newest QPY that each admits."""

NOTE = "The rates are those of the device's own noise model, twirled; they were computed and not measured."
_PAULIS = "qiskit.quantum_info.operators.symplectic.pauli_list"
_MODULE = "qiskit_ibm_runtime.utils.noise_learner_result"  # where every version of the client finds the classes


@coded
def run(program: Program, log: Log) -> Outcome:
    """Run a noise learner job, in the form that its parameters are written in.

    Raises:
        ProgramError: a circuit, an instruction or an option is not valid on the device.
    """
    submission = read(program)
    return (_third if "schema_version" in submission.params else _legacy)(submission, log)


def _legacy(submission: Submission, log: Log) -> Outcome:
    """Layers are found in circuits."""
    tell_unknown(submission.params, ("circuits", "options", "support_qiskit", "version"), log)
    unused = ("experimental", "simulator")
    options = validated(OptionsModel, submission.params.get("options"), submission.allowance, log, unused=unused)
    given = submission.params.get("circuits")
    if not isinstance(given, list) or not given:
        raise invalid("The job has no circuits: send a list with at least one.")
    loaded = [circuits.circuit(value, submission.allowance, submission.limits) for value in given]
    for circuit in loaded:
        _check_gates(circuit, submission)
        submission.instructions.check(circuit)
    layers = unique_layers(loaded, options.twirling_strategy)[: options.max_layers_to_learn]
    shots = options.num_randomizations * options.shots_per_randomization
    usage = charge(learning_loads(layers, options.layer_pair_depths, shots, submission.model), submission, None)
    asked, random = options.model_dump(include=set(_INPUT_OPTIONS)), _random(submission)
    simulation = {"note": NOTE} if random is None else dry.SIMULATION
    metadata = {"backend": submission.device, "input_options": asked, "simulation": simulation}
    document = {"data": [_layer_error(layer, submission.model, random) for layer in layers], "metadata": metadata}
    return results.encoded(_form(submission), document, _report(len(layers), submission, usage))


def _random(submission: Submission) -> np.random.Generator | None:
    """Where the rates of a dry run come from; None where true ones are told."""
    return dry.source(submission.seed_or(None)) if submission.dry_run else None


def _report(layers: int, submission: Submission, usage: float) -> Mapping[str, Any]:
    return dry.report(usage, layers=layers) if submission.dry_run else {"layers": layers, "note": NOTE}


def _check_gates(circuit: QuantumCircuit, submission: Submission) -> None:
    """See that the gates can be twirled, as they are to be learned.

    Raises:
        ProgramError: they can't.
    """
    if submission.service is not None:
        submission.service.twirled(circuit, gates=True, measurements=False)


def _form(submission: Submission) -> Form:
    """How the result is written; this program's client sends the wish among the options."""
    options = submission.params.get("options")
    asked = isinstance(options, Mapping) and options.get("support_qiskit") is True
    return Form.TYPED if asked else submission.form


_INPUT_OPTIONS = (
    "max_layers_to_learn",
    "shots_per_randomization",
    "num_randomizations",
    "layer_pair_depths",
    "twirling_strategy",
)


def _layer_error(layer: Layer, model: DeviceModel, random: np.random.Generator | None) -> Object:
    circuit = QuantumCircuit(len(layer.qubits))
    for name, qubits in layer.circuit():
        circuit.append(get_standard_gate_name_mapping()[name], qubits)
    rates = by_label(layer_rates(layer, model), layer.qubits)
    generators = Object(_PAULIS, "PauliList", {"data": list(rates)}, kind="settings")
    told = np.array(list(rates.values())) if random is None else dry.rates(random, len(rates))
    error = Object(_MODULE, "PauliLindbladError", {"generators": generators, "rates": Array(told)})
    return Object(_MODULE, "LayerError", {"circuit": Circuit(circuit), "qubits": list(layer.qubits), "error": error})


def _third(submission: Submission, log: Log) -> Outcome:
    """Layers are given as boxes."""
    version = submission.params["schema_version"]
    if not isinstance(version, str) or version not in VERSIONS:
        raise invalid(f"The noise learner knows the schema versions {', '.join(VERSIONS)}, not {str(version)[:20]!r}.")
    module = import_module(f"ibm_quantum_schemas.noise_learner_v3.version_{version[1:].replace('.', '_')}")
    tell_unknown(submission.params, ("instructions", "options", "schema_version"), log)
    unused = ("bit_flip_checks", "post_selection")
    options: Any = validated(
        module.OptionsModel, submission.params.get("options"), submission.allowance, log, unused=unused
    )
    container = submission.params.get("instructions")
    text = container.get("circuit_b64") if isinstance(container, Mapping) else None
    (circuit,) = circuits.from_qpy(
        wire.from_base64(text, "instructions"),
        submission.limits,
        programs=1,
        newest=VERSIONS[version],
        **ANNOTATIONS,
    )
    _check_gates(circuit, submission)
    random = _random(submission)
    data = [_learned(box, options.layer_pair_depths, version, submission, random) for box in circuit.data]
    boxes = [_layer_of(box, submission) for box in circuit.data]
    shots, reset = options.num_randomizations * options.shots_per_randomization, getattr(options, "init_qubits", True)
    loads = learning_loads(boxes, options.layer_pair_depths, shots, submission.model, reset=reset)
    usage = charge(loads, submission, getattr(options, "rep_delay", None))
    document = {"schema_version": version, "data": data}
    return results.encoded(Form.PLAIN, document, _report(len(data), submission, usage))


def _learned(
    box: CircuitInstruction,
    depths: list[int],
    version: str,
    submission: Submission,
    random: np.random.Generator | None,
) -> dict[str, Any]:
    """The rates of one box: of its gates, or of its measurements; from ``random`` in a dry run."""
    if box.name != "box":
        raise invalid(f"The noise of boxes is learned; the instruction {box.name!r} is none.")
    physical = [_physical(qubit, submission) for qubit in box.qubits]
    body = box.operation.blocks[0]
    where = dict(zip(body.qubits, physical, strict=True))
    inner = [(item.name, tuple(where[qubit] for qubit in item.qubits)) for item in body.data if item.name != "barrier"]
    _check_layer(inner, submission)
    measured = [qubits[0] for name, qubits in inner if name == "measure"]
    if measured:
        rates: Rates = {("X", (qubit,)): readout_rate(submission.model, qubit) for qubit in sorted(measured)}
        protocol, kept, successes = "trex", 1.0, {}
    else:
        gates = frozenset((name, qubits) for name, qubits in inner if len(qubits) == 2)
        rates = layer_rates(Layer(gates, tuple(sorted(physical))), submission.model)
        protocol, kept, successes = "lindblad", dict.fromkeys(depths, 1.0), {depth: {} for depth in depths}
    selection = {"fraction_kept": kept, **({"success_rates": successes} if version != "v0.1" else {})}
    place = {qubit: index for index, qubit in enumerate(sorted(physical))}
    values = np.array(list(rates.values())) if random is None else dry.rates(random, len(rates))
    return {
        "generators_sparse": [[[letters, [place[qubit] for qubit in qubits]]] for letters, qubits in rates],
        "num_qubits": len(physical),
        "rates": to_tensor(values, compressed=False),
        "rates_std": to_tensor(np.zeros_like(values), compressed=False),
        "metadata": {"learning_protocol": protocol, "post_selection": selection},
    }


def _layer_of(box: CircuitInstruction, submission: Submission) -> Layer:
    """The gates of a box on physical qubits."""
    body = box.operation.blocks[0]
    where = dict(zip(body.qubits, (_physical(qubit, submission) for qubit in box.qubits), strict=True))
    pairs = (item for item in body.data if len(item.qubits) == 2 and item.name != "barrier")
    gates = frozenset((item.name, tuple(where[qubit] for qubit in item.qubits)) for item in pairs)
    return Layer(gates, tuple(sorted(where.values())))


def _physical(qubit: Any, submission: Submission) -> int:
    """The physical qubit: its place in the register of the whole device, as the client sends it."""
    register, index = qubit._register, qubit._index
    if register is None or register.size != submission.model.n_qubits:
        raise invalid(
            f"A box acts on qubits that are not those of {submission.device}: use a register of its "
            f"{submission.model.n_qubits} qubits."
        )
    return index


def _check_layer(inner: list[tuple[str, tuple[int, ...]]], submission: Submission) -> None:
    """A box holds one gate or one measurement a qubit, beside gates on single qubits, which dress them."""
    for name, qubits in inner:
        if not submission.model.ideal and not submission.model.isa_target.instruction_supported(name, qubits):
            raise not_isa(f"The instruction {name} on qubits {qubits} is not supported by the target system.")
    learned = [qubit for name, qubits in inner if len(qubits) > 1 or name == "measure" for qubit in qubits]
    kinds = {name == "measure" for name, qubits in inner if len(qubits) > 1 or name == "measure"}
    if len(learned) != len(set(learned)) or len(kinds) > 1:
        raise invalid("The noise of a box is learned if it holds one layer: gates on different pairs, or measurements.")
