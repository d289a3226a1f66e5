"""The executor: quantum programs, whose items are circuits with arguments or with a samplex that draws them.

Emulates the ``executor`` program of Qiskit Runtime (models: ``ibm_quantum_schemas.executor``). What a program passes
through, and its semantic role, come back unchanged: the client's sampler and estimator are built on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from samplomatic.quantum_program import SamplexItem

from qumulus.core.programs import Program
from qumulus.core.results import Outcome
from qumulus.simulation import drifting
from qumulus.simulation.carried import carried_sweep, delay_between_shots
from qumulus.simulation.iq import Points
from qumulus.simulation.progress import progress
from qumulus.simulation.reports import combined
from qumulus.simulation.seeds import generator
from qumulus.simulation.sharing import ITEMS, Part, parts

from . import dry, results
from .circuits import tell_delays
from .conditions import NOISE, with_noise
from .dialects import Dialect, dialect_of
from .failures import Log, coded, invalid
from .kerneled import AVERAGED, BOTH, CLASSIFIED, LEVELS, POINT_BITS, Kernel
from .options import tell_experimental, tell_unknown, validated
from .pubs import bindings, check_angles, first_binding
from .samplexes import PARAMETERS, sampled, samplex_item
from .scheduling import EXECUTION, STRETCHES, TIMING, TOLD, Told, compiled
from .service_limits import ServiceLimits
from .stored import returned
from .submission import Submission, read
from .tensors import from_tensor, to_tensor
from .usage import Load, charge, duration
from .values import Form

_RANDOMIZATIONS = -1
"""The member of a seed's path for the randomizations of an item."""

MOST_ELEMENTS = 1_000_000
"""Bound circuits in one item."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A circuit with its arguments, shape (…, parameters), or with a samplex that gives them."""

    circuit: QuantumCircuit
    shape: tuple[int, ...]
    angles: list[Any]
    arguments: NDArray[Any] | SamplexItem


@coded
def run(program: Program, log: Log) -> Outcome:
    """Run an executor job.

    Raises:
        ProgramError: the program is not valid on the device.
        Refused: it is over a limit.
    """
    submission = read(program)
    tell_unknown(submission.params, ("schema_version", "quantum_program", "options"), log)
    dialect = dialect_of(submission.params)
    quantum_program = _program(submission)
    options = _options(submission, dialect, log)
    experimental = getattr(options, "experimental", None) or {}
    told = Told.asked(options.model_dump(), experimental.get(EXECUTION))
    submission = replace(submission, model=with_noise(submission, experimental.get(NOISE)))
    shots, level = _shots(quantum_program), _level(quantum_program)
    items = _items(quantum_program, dialect, submission)
    tell_delays((item.circuit for item in items), log)
    if submission.service is not None:
        _hold_to(submission.service, quantum_program, items, shots, options)
    bits = sum(prod(item.shape) * shots * register.size for item in items for register in item.circuit.cregs)
    results.check_size(bits * (1 if level == CLASSIFIED else POINT_BITS), submission.limits)
    usage = charge(_loads(items, shots, options, submission), submission, options.rep_delay)
    seed = submission.seed_or(None)
    circuits = results.executed((item.circuit, prod(item.shape) * shots) for item in items)
    if submission.dry_run:
        data = [_at_random(item, shots, level, (seed, index), submission, told) for index, item in enumerate(items)]
        return _written(items, data, dialect, quantum_program, dry.report(usage, seed=seed, circuits=circuits))
    progress().pubs = len(items)
    within = replace(submission, limits=submission.limits.shared(len(items)))

    def executed(index: int) -> Part:
        item, start = items[index], submission.now().isoformat()
        progress().reaches(index, len(item.circuit.data) * prod(item.shape))
        arrays, simulation, scheduled = _executed(item, shots, level, (seed, index), within, told, options)
        span = [start, submission.now().isoformat()]
        return Part({"simulation": simulation, "scheduled": scheduled, "span": span}, arrays)

    data = list(parts(len(items), executed, ITEMS))
    report = {"seed": seed, "pubs": [part.members["simulation"] for part in data], "circuits": circuits}
    return _written(items, data, dialect, quantum_program, report)


def _written(
    items: Sequence[Item],
    data: Sequence[Part],
    dialect: Dialect,
    quantum_program: Mapping[str, Any],
    report: Mapping[str, Any],
) -> Outcome:
    """The outcome with the data of all items."""
    found = [_item_result(part.arrays, dialect, part.members["scheduled"]) for part in data]
    chunks = [
        _chunk(index, item.shape, *part.members["span"], dialect)
        for index, (item, part) in enumerate(zip(items, data, strict=True))
    ]
    return results.encoded(Form.PLAIN, _document(found, chunks, dialect, quantum_program), report)


def _document(
    data: list[dict[str, Any]], chunks: list[dict[str, Any]], dialect: Dialect, program: Mapping[str, Any]
) -> dict[str, Any]:
    document: dict[str, Any] = {"schema_version": dialect.version, "data": data, "metadata": {"chunk_timing": chunks}}
    if dialect.passthrough:
        document["passthrough_data"] = program.get("passthrough_data")
    if dialect.semantic_role:
        document["semantic_role"] = program.get("semantic_role")
    return document


def _at_random(item: Item, shots: int, level: str, seed: tuple[int, int], submission: Submission, told: Told) -> Part:
    """What a dry run has instead of the data of an item: registers at random, and its true schedule.

    What a samplex draws beside the arguments is drawn as for an execution, by which its registers are to be read.
    """
    ready, arrays, random = compiled(item.circuit, submission.model, None), dict[str, NDArray[Any]](), dry.source(*seed)
    if isinstance(item.arguments, SamplexItem):
        arrays = sampled(item.arguments, generator((*seed, _RANDOMIZATIONS)), submission.limits)
        arrays.pop(PARAMETERS, None)
    for each in item.circuit.cregs:
        bits, points = dry.bits(random, *item.shape, shots, each.size).astype(bool), None
        if level != CLASSIFIED:
            points = dry.points(random, item.shape, shots, each.size, level)
        arrays |= _named(each.name, level, bits, points)
    scheduled = told.of(ready, submission.model, dict.fromkeys(item.circuit.parameters, 0.0))
    now = submission.now().isoformat()
    return Part({"scheduled": scheduled, "span": [now, now]}, arrays)


def _named(name: str, level: str, bits: NDArray[Any], points: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    """The arrays of a register under the names that a result has them by."""
    found = dict[str, NDArray[Any]]()
    if level in (CLASSIFIED, BOTH):
        found[name] = bits
    if points is not None:
        found[f"{name}_avg_iq" if level == AVERAGED else f"{name}_iq"] = points
    return found


def _program(submission: Submission) -> Mapping[str, Any]:
    found = submission.params.get("quantum_program")
    if isinstance(found, Mapping):
        items = found.get("items")
        if isinstance(items, list) and items and all(isinstance(item, Mapping) for item in items):
            return found
    raise invalid("The job has no quantum_program with a list of items.")


def _options(submission: Submission, dialect: Dialect, log: Log) -> Any:
    """The options; what has no effect is logged.

    Raises:
        ProgramError: one has a value that it cannot have.
    """
    options: Any = validated(dialect.options, submission.params.get("options"), submission.allowance, log)
    tell_experimental(getattr(options, "experimental", None) or {}, (NOISE, *TOLD), log)
    return options


def _shots(program: Mapping[str, Any]) -> int:
    shots = program.get("shots")
    if not isinstance(shots, int) or isinstance(shots, bool) or shots < 1:
        raise invalid(f"The program asks for {str(shots)[:40]} shots: send a positive integer.")
    return shots


def _level(program: Mapping[str, Any]) -> str:
    """What becomes of measurements.

    Raises:
        ProgramError: there is no such level.
    """
    level = program.get("meas_level", CLASSIFIED)
    if level not in LEVELS:
        raise invalid(f"There is no meas_level {str(level)[:40]!r}: choose one of {', '.join(LEVELS)}.")
    return level


def _items(program: Mapping[str, Any], dialect: Dialect, submission: Submission) -> list[Item]:
    circuits = dialect.read_circuits(program, submission.allowance, submission.limits)
    items = [
        _item(item, circuit, dialect, submission) for item, circuit in zip(program["items"], circuits, strict=True)
    ]
    for item in items:
        if prod(item.shape) > MOST_ELEMENTS:
            raise invalid(f"An item may have {MOST_ELEMENTS} elements; one has the shape {item.shape}.")
    return items


SAMPLER = "sampler_v2"
"""The semantic role of a program that the client's sampler made."""


def _hold_to(
    service: ServiceLimits, program: Mapping[str, Any], items: Sequence[Item], shots: int, options: Any
) -> None:
    """See that a job keeps the limits of the service.

    Raises:
        ProgramError: it does not.
    """
    service.delay(options.rep_delay)
    for item in items:
        service.dynamic(item.circuit)
    service.sizes([item.circuit for item in items], reset=options.init_qubits)
    if program.get("semantic_role") == SAMPLER:
        service.executions(sum(prod(item.shape) * shots for item in items))


def _loads(items: Sequence[Item], shots: int, options: Any, submission: Submission) -> Iterator[Load]:
    """The circuits with their executions, for the usage."""
    for item in items:
        if executions := prod(item.shape) * shots:
            given = None if isinstance(item.arguments, SamplexItem) else item.arguments
            values = (
                dict.fromkeys(item.circuit.parameters, 0.0) if given is None else first_binding(item.circuit, given)
            )
            circuit = compiled(item.circuit, submission.model, None).scheduled
            yield Load(executions, duration(circuit, submission.model, values, reset=options.init_qubits))


def _item(item: Mapping[str, Any], circuit: QuantumCircuit, dialect: Dialect, submission: Submission) -> Item:
    angles = submission.instructions.check(circuit)
    kind, allowance = item.get("item_type", "circuit"), submission.allowance
    if kind == "samplex":
        samplex = samplex_item(item, circuit, allowance, compressed=dialect.compressed, newest=dialect.newest_samplex)
        return Item(circuit, samplex.shape, angles, samplex)
    if kind != "circuit":
        raise invalid(f"An item is a circuit or a samplex, not {str(kind)[:40]!r}.")
    arguments = from_tensor(
        item.get("circuit_arguments"), allowance, "circuit_arguments", compressed=dialect.compressed
    )
    if arguments.ndim == 0 or arguments.shape[-1] != circuit.num_parameters or arguments.dtype.kind not in "fiu":
        raise invalid(
            f"The circuit has {circuit.num_parameters} parameters and its circuit_arguments the shape {arguments.shape}: "
            "their last axis runs over the parameters."
        )
    try:
        shape = np.broadcast_shapes(arguments.shape[:-1], tuple(item.get("shape") or ()))
    except (TypeError, ValueError) as error:
        raise invalid(
            f"The shape {str(item.get('shape'))[:40]} of an item does not extend that of its arguments."
        ) from error
    return Item(circuit, shape, angles, arguments)


def _executed(
    item: Item,
    shots: int,
    level: str,
    seed: tuple[int, ...],
    submission: Submission,
    told: Told,
    options: Any,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any], dict[str, Any]]:
    """The arrays of an item's result, how it was simulated, and what is told of its schedule."""
    arrays: dict[str, NDArray[Any]] = {}
    if isinstance(item.arguments, SamplexItem):
        arrays = sampled(item.arguments, generator((*seed, _RANDOMIZATIONS)), submission.limits)
        arguments = arrays.pop(PARAMETERS, np.zeros((*item.shape, 0)))
    else:
        arguments = item.arguments
    values = np.broadcast_to(arguments, (*item.shape, item.circuit.num_parameters)).astype(float)
    if not np.isfinite(values).all():
        raise invalid("The values of parameters are finite numbers.")
    sets = bindings(item.circuit, values)
    check_angles(item.angles, sets)
    ready = compiled(item.circuit, submission.model, None)
    kernel = None if level == CLASSIFIED else Kernel.of(ready.circuit, submission.model)
    model = submission.model if kernel is None else kernel.drawn_with
    if options.init_qubits:
        drawn = drifting.sampled(ready.circuit, model, sets, shots=shots, seed=seed, limits=submission.limits)
    else:
        delay = delay_between_shots(model) if options.rep_delay is None else options.rep_delay
        drawn = carried_sweep(ready.circuit, model, sets, shots=shots, seed=seed, delay=delay, limits=submission.limits)
    bits = {
        register.name: np.concatenate([samples.bits[register.name] for samples in drawn])
        if drawn
        else np.zeros((0, register.size), np.uint8)
        for register in item.circuit.cregs
    }
    points = dict[str, Points]()
    if kernel is not None:
        points, bits = kernel.registers(bits, seed)
    bits = bits if submission.model.ideal else returned(item.circuit, bits)
    for register in item.circuit.cregs:
        name, shape, read = register.name, (*item.shape, shots, register.size), None
        if kernel is not None:
            read = points[name].reshape(shape)
        mean = read.mean(axis=-2) if read is not None and level == AVERAGED else read
        arrays |= _named(name, level, bits[name].astype(bool).reshape(shape), mean)
    scheduled = told.of(ready, submission.model, sets[0] if sets else {})
    return arrays, results.simulation(combined([each.metadata for each in drawn])), scheduled


def _item_result(arrays: Mapping[str, NDArray[Any]], dialect: Dialect, scheduled: Mapping[str, Any]) -> dict[str, Any]:
    tensors = {name: to_tensor(values, compressed=dialect.compressed) for name, values in arrays.items()}
    metadata = {TIMING: None, STRETCHES: None, **scheduled} if dialect.item_metadata else None
    return {"results": tensors, "metadata": metadata}


def _chunk(index: int, shape: tuple[int, ...], start: str, stop: str, dialect: Dialect) -> dict[str, Any]:
    """The timing of one item, which is executed in one chunk."""
    part: dict[str, Any] = {"idx_item": index, "size": prod(shape)}
    if dialect.permutation:
        part |= {"permutation": list(range(len(shape))), "element_range": [0, prod(shape), 1]}
    return {"start": start, "stop": stop, "parts": [part]}
