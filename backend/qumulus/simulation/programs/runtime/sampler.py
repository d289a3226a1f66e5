"""The sampler: shots of each circuit for each set of parameter values.

Emulates the ``sampler`` program of Qiskit Runtime, version 2 (models: ``ibm_quantum_schemas.sampler.version_0_1``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import prod
from typing import Any

import numpy as np
from ibm_quantum_schemas.sampler.version_0_1 import OptionsModel
from numpy.typing import NDArray

from qumulus.core.programs import Program
from qumulus.core.results import Outcome
from qumulus.simulation.carried import carried_sweep, delay_between_shots
from qumulus.simulation.devices import DeviceModel
from qumulus.simulation.drifting import sampled
from qumulus.simulation.progress import progress
from qumulus.simulation.reports import combined
from qumulus.simulation.seeds import Seed
from qumulus.simulation.sharing import Part, parts

from . import dry, local_mode, results, spans
from .circuits import tell_delays
from .conditions import LOCAL_ONLY, Conditions, conditions, tell
from .failures import Log, coded, invalid
from .kerneled import AVERAGED, CLASSIFIED, POINT_BITS, Kernel
from .options import tell_unknown, validated
from .pubs import SamplerPub, sampler_pubs
from .scheduling import ASKED, TOLD, Compiled
from .service_limits import ServiceLimits
from .stored import returned
from .submission import Submission, read
from .twirling import Randomizations, product, randomizations
from .usage import Load, charge, duration
from .values import Array, Bits, DataBin, Record


@coded
def run(program: Program, log: Log) -> Outcome:
    """Run a sampler job.

    Raises:
        ProgramError: a pub or an option is not valid on the device.
        Refused: it is over a limit.
    """
    submission = read(program)
    tell_unknown(submission.params, ("pubs", "shots", "options", "version", "support_qiskit"), log)
    options = validated(
        OptionsModel, submission.params.get("options"), submission.allowance, log, also=ASKED, unused=LOCAL_ONLY
    )
    twirl, execution = options.twirling, options.execution
    level = execution.meas_type
    under = conditions(
        submission, options, log, twirl_gates=twirl.enable_gates, twirl_measurements=twirl.enable_measure, also=TOLD
    )
    twirled = twirl.enable_gates or twirl.enable_measure
    counts = twirl.num_randomizations, twirl.shots_per_randomization
    default = (product(*counts) if twirled else None) or options.default_shots
    pub_results, pub_spans, report = [], [], []
    pubs = list(sampler_pubs(submission, default))
    tell_delays((pub.circuit for pub in pubs), log)
    if submission.service is not None:
        _hold_to(submission.service, pubs, options)
    if level != CLASSIFIED:
        _check_level(level, under, submission)
    if under.method == local_mode.NAME and not execution.init_qubits:
        raise invalid(
            "The client's local mode resets its qubits before each shot: leave execution.init_qubits at True."
        )
    size = 1 if level == CLASSIFIED else POINT_BITS
    registers = [(prod(pub.shape) * pub.shots, register.size) for pub in pubs for register in pub.circuit.cregs]
    results.check_size(sum(shots * submission.form.bits(width * size) for shots, width in registers), submission.limits)
    items = [under.compiled(pub.circuit) for pub in pubs]
    if submission.service is not None:
        submission.service.sizes([item.scheduled for item in items], reset=execution.init_qubits)
    usage = charge(_loads(pubs, items, under, execution), submission, execution.rep_delay)
    if submission.dry_run:
        return _dry_run(pubs, items, under, submission, level, counts if twirled else None, usage)
    alike = _alike(pubs)
    local = local_mode.sampled(pubs, under, submission) if under.method == local_mode.NAME else [None] * len(pubs)
    progress().pubs = len(pubs)
    within = replace(submission, limits=submission.limits.shared(len(pubs)))
    kernels = [None if level == CLASSIFIED else Kernel.of(item.circuit, under.model) for item in items]

    def simulated(index: int) -> Part:
        pub, kernel, drawn = pubs[index], kernels[index], local[index]
        progress().reaches(index, len(pub.circuit.data) * prod(pub.shape))
        start = submission.now().isoformat()
        model = under.model if kernel is None else kernel.drawn_with
        bits, simulation = (
            _simulated(pub, items[index], index, under, model, within, alike[index], execution)
            if drawn is None
            else (drawn.bits, drawn.metadata)
        )
        return Part({"simulation": simulation, "span": [start, submission.now().isoformat()]}, bits)

    for index, (pub, part) in enumerate(zip(pubs, parts(len(pubs), simulated), strict=True)):
        item, kernel, bits = items[index], kernels[index], part.arrays
        twirls = randomizations(pub.shots, *counts) if twirled else None
        simulation = under.report(part.members["simulation"])
        scheduled = under.told.of(item, under.model, next(iter(pub.bindings()), {})) if under.told else {}
        bits = bits if under.model.ideal else returned(pub.circuit, bits)
        fields = (
            {register.name: Bits(bits[register.name], pub.shape) for register in pub.circuit.cregs}
            if kernel is None
            else _points(pub, kernel, bits, (under.seed, index), averaged=level == AVERAGED)
        )
        result = _result(pub, fields, simulation, twirls, scheduled)
        pub_results.append(result)
        start, end = map(datetime.fromisoformat, part.members["span"])
        pub_spans.append(spans.span(index, pub.shape, pub.shots, start, end, twirls))
        report.append(simulation)
        tell(log, index, simulation)
    metadata = {"execution": {"execution_spans": spans.collection(pub_spans)}}
    return results.outcome(
        submission.form, pub_results, metadata, {"seed": under.seed, "pubs": report, "circuits": _executed(pubs)}
    )


def _dry_run(
    pubs: Sequence[SamplerPub],
    items: Sequence[Compiled],
    under: Conditions,
    submission: Submission,
    level: str,
    counts: tuple[Any, Any] | None,
    usage: float,
) -> Outcome:
    """The outcome of a dry run: registers at random, and what is true of them otherwise. ``counts`` are those of a twirling."""
    found, pub_spans, now = [], [], submission.now()
    for index, (pub, item) in enumerate(zip(pubs, items, strict=True)):
        random, fields = dry.source(under.seed, index), dict[str, Array | Bits]()
        for each in pub.circuit.cregs:
            if level == CLASSIFIED:
                fields[each.name] = Bits(dry.bits(random, prod(pub.shape) * pub.shots, each.size), pub.shape)
            else:
                fields[each.name] = Array(dry.points(random, pub.shape, pub.shots, each.size, level))
        twirls = None if counts is None else randomizations(pub.shots, *counts)
        scheduled = under.told.of(item, under.model, pub.first_binding()) if under.told else {}
        found.append(_result(pub, fields, dry.SIMULATION, twirls, scheduled))
        pub_spans.append(spans.span(index, pub.shape, pub.shots, now, now, twirls))
    metadata = {"execution": {"execution_spans": spans.collection(pub_spans)}}
    return results.outcome(
        submission.form, found, metadata, dry.report(usage, seed=under.seed, circuits=_executed(pubs))
    )


def _executed(pubs: Sequence[SamplerPub]) -> Mapping[str, Any]:
    return results.executed((pub.circuit, prod(pub.shape) * pub.shots) for pub in pubs)


def _alike(pubs: Sequence[SamplerPub]) -> list[int]:
    """Return for each pub how many like it are still to run, that one included."""
    if len(pubs) == 1:
        return [1]
    left = Counter(pub.effort() for pub in pubs)
    found = []
    for pub in pubs:
        found.append(left[pub.effort()])
        left[pub.effort()] -= 1
    return found


def _hold_to(service: ServiceLimits, pubs: Sequence[SamplerPub], options: OptionsModel) -> None:
    """See that a job keeps the limits of the service.

    Raises:
        ProgramError: it does not.
    """
    twirl = options.twirling
    service.delay(options.execution.rep_delay)
    executions = 0
    for pub in pubs:
        service.twirled(pub.circuit, gates=twirl.enable_gates, measurements=twirl.enable_measure)
        shots = pub.shots
        if twirl.enable_gates or twirl.enable_measure:
            twirls = randomizations(shots, twirl.num_randomizations, twirl.shots_per_randomization)
            shots = twirls.number * twirls.shots
        executions += prod(pub.shape) * shots
    service.executions(executions)


def _loads(pubs: Sequence[SamplerPub], items: Sequence[Compiled], under: Conditions, execution: Any) -> Iterator[Load]:
    """The circuits with their executions, for the usage."""
    for pub, item in zip(pubs, items, strict=True):
        if executions := prod(pub.shape) * pub.shots:
            seconds = duration(item.scheduled, under.model, pub.first_binding(), reset=execution.init_qubits)
            yield Load(executions, seconds)


def _simulated(
    pub: SamplerPub,
    item: Compiled,
    index: int,
    under: Conditions,
    model: DeviceModel,
    submission: Submission,
    alike: int,
    execution: Any,
) -> tuple[Mapping[str, NDArray[np.uint8]], Mapping[str, Any]]:
    """The shots of one pub by register, shape (sets · shots, width), and how they were simulated."""
    seed, bindings = (under.seed, index), pub.bindings()
    if execution.init_qubits:
        samples = sampled(
            item.circuit,
            model,
            bindings,
            shots=pub.shots,
            seed=seed,
            method=under.method,
            limits=submission.limits,
            alike=alike,
        )
    else:
        delay = delay_between_shots(model) if execution.rep_delay is None else execution.rep_delay
        samples = carried_sweep(
            item.circuit, model, bindings, shots=pub.shots, seed=seed, delay=delay, limits=submission.limits
        )
    bits = {
        register.name: np.concatenate([drawn.bits[register.name] for drawn in samples])
        if samples
        else np.zeros((0, register.size), np.uint8)
        for register in pub.circuit.cregs
    }
    return bits, combined([drawn.metadata for drawn in samples])


def _check_level(level: str, under: Conditions, submission: Submission) -> None:
    """See that measurements can be returned as points.

    Raises:
        ProgramError: they are twirled, as the client says it too, or come from the local mode.
    """
    if "measurements" in under.twirled:
        raise invalid(
            f"Measurements of the type {level!r} are not twirled: set twirling.enable_measure to False, or "
            "execution.meas_type to 'classified'."
        )
    if under.method == local_mode.NAME:
        raise invalid(
            f"The client's local mode has no measurements of the type {level!r}: leave simulation_method "
            f"{local_mode.NAME!r} away on {submission.device}."
        )


def _points(
    pub: SamplerPub, kernel: Kernel, bits: Mapping[str, NDArray[np.uint8]], seed: Seed, *, averaged: bool
) -> dict[str, Array]:
    """The registers of a pub as points, shape (*sets, shots, width), or their means over the shots."""
    points, _ = kernel.registers(bits, seed)
    fields = dict[str, Array]()
    for register in pub.circuit.cregs:
        found = points[register.name].reshape((*pub.shape, pub.shots, register.size))
        fields[register.name] = Array(found.mean(axis=-2) if averaged else found)
    return fields


def _result(
    pub: SamplerPub,
    fields: Mapping[str, Array | Bits],
    simulation: Mapping[str, Any],
    twirls: Randomizations | None,
    scheduled: Mapping[str, Any],
) -> Record:
    """The result of one pub."""
    metadata: dict[str, Any] = {"circuit_metadata": pub.circuit.metadata or {}}
    if simulation:
        metadata["simulation"] = simulation
    if twirls is not None:
        metadata["num_randomizations"] = twirls.number
    if scheduled:
        metadata["compilation"] = scheduled
    return Record("SamplerPubResult", {"data": DataBin(fields, pub.shape), "metadata": metadata})
