"""The estimator: expectation values of observables, mitigated as the resilience level asks.

Emulates the ``estimator`` program of Qiskit Runtime, version 2 (models: ``ibm_quantum_schemas.estimator.version_0_1``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from ibm_quantum_schemas.estimator.version_0_1 import OptionsModel

from qumulus.core.programs import Limits, Program
from qumulus.core.results import Outcome
from qumulus.simulation import drifting
from qumulus.simulation.errors import Refused
from qumulus.simulation.expectation import terms_in
from qumulus.simulation.progress import progress
from qumulus.simulation.reports import combined
from qumulus.simulation.seeds import extend
from qumulus.simulation.sharing import Part, parts

from . import dry, estimates, learned, results
from .circuits import tell_delays
from .conditions import LOCAL_ONLY, conditions, tell
from .failures import Log, coded, invalid
from .layers import unique_layers
from .learning import learning_loads
from .options import tell_unknown, validated
from .plans import Plan
from .pubs import EstimatorPub, estimator_pubs
from .readout import Calibration, calibrated
from .resilience import USUAL, Resilience, resilience
from .service_limits import ServiceLimits
from .submission import Submission, read
from .usage import Load, charge
from .values import Array, DataBin, Record

_CALIBRATION, _SIGNS = -1, -4
"""Members of the seeds' paths for what is no measurement of a pub's parameter set."""

_INPUTS = ("pubs", "precision", "resilience_level", "options", "version", "support_qiskit")
_BYTES = 10  # a reading of the calibration, with the random number that it is drawn from


@coded
def run(program: Program, log: Log) -> Outcome:
    """Run an estimator job.

    Raises:
        ProgramError: a pub or an option is not valid on the device.
        Refused: it is over a limit.
    """
    submission = read(program)
    tell_unknown(submission.params, _INPUTS, log)
    options = validated(OptionsModel, submission.params.get("options"), submission.allowance, log, unused=LOCAL_ONLY)
    wanted = resilience(submission.params.get("resilience_level", USUAL), options)
    if not options.execution.init_qubits:
        raise invalid(
            "The means of qubits that keep their state from shot to shot are not estimated: leave execution.init_qubits at "
            "True, or sample the circuit."
        )
    brought = learned.accepted(options, submission)
    under = conditions(
        submission,
        options,
        log,
        twirl_gates=wanted.twirl_gates,
        twirl_measurements=wanted.twirl_measurements,
        seed=options.seed_estimator,
    )
    pubs = list(estimator_pubs(submission))
    tell_delays((pub.circuit for pub in pubs), log)
    if submission.service is not None:
        _hold_to(submission.service, pubs, wanted, options)
    plans = [Plan.of(pub, index, wanted, options, under) for index, pub in enumerate(pubs)]
    loads = [load for plan in plans for load in plan.loads(reset=options.execution.init_qubits)]
    if brought is None:
        loads += _learning(plans, options, submission)
    usage = charge(loads, submission, options.execution.rep_delay)
    metadata = _metadata(options, wanted, brought)
    circuits = results.executed((plan.pub.circuit, plan.executions) for plan in plans)
    if submission.dry_run:
        at_random = [_result(plan, _at_random(plan)) for plan in plans]
        return results.outcome(
            submission.form, at_random, metadata, dry.report(usage, seed=under.seed, circuits=circuits)
        )
    progress().pubs = len(pubs)
    limits = submission.limits.shared(len(pubs), 1 if wanted.zne is None else len(wanted.zne.factors))
    found = parts(len(plans), lambda index: _estimated(plans[index], limits))
    estimated = [_result(plan, part) for plan, part in zip(plans, found, strict=True)]
    told = [result.members["metadata"] for result in estimated]
    for index, each in enumerate(told):
        tell(log, index, each["simulation"])
    report = {"seed": under.seed, "pubs": [each["simulation"] for each in told], "circuits": circuits}
    return results.outcome(submission.form, estimated, metadata, report)


def _metadata(options: OptionsModel, wanted: Resilience, brought: Any) -> dict[str, Any]:
    """What a result says of all pubs; ``brought`` is what the job brings along of the noise of layers."""
    return {
        "dynamical_decoupling": options.dynamical_decoupling.model_dump(exclude={"skip_reset_qubits"}),
        "twirling": {
            **options.twirling.model_dump(),
            "enable_gates": wanted.twirl_gates,
            "enable_measure": wanted.twirl_measurements,
            "interleave_randomizations": True,
        },
        "resilience": wanted.metadata() | ({} if brought is None else {"layer_noise_model": brought}),
    }


def _learning(plans: Sequence[Plan], options: OptionsModel, submission: Submission) -> Iterator[Load]:
    """The circuits that learn the noise of the layers that a mitigation uses."""
    learning, strategy = options.resilience.layer_noise_learning, options.twirling.strategy
    layers = unique_layers([plan.pub.circuit for plan in plans if plan.told], strategy)[: learning.max_layers_to_learn]
    shots = learning.num_randomizations * learning.shots_per_randomization
    return learning_loads(layers, learning.layer_pair_depths, shots, submission.model)


def _hold_to(service: ServiceLimits, pubs: Sequence[EstimatorPub], wanted: Resilience, options: OptionsModel) -> None:
    """See that a job keeps the limits of the service.

    Raises:
        ProgramError: it does not.
    """
    service.delay(options.execution.rep_delay)
    folded = sum(wanted.zne.factors) if wanted.zne is not None and wanted.zne.folds else 1.0
    for pub in pubs:
        service.twirled(pub.circuit, gates=wanted.twirl_gates, measurements=wanted.twirl_measurements)
    service.sizes([pub.circuit for pub in pubs], reset=options.execution.init_qubits, folded=folded)


def _result(plan: Plan, part: Part) -> Record:
    """The result of one pub."""
    metadata = plan.metadata()
    if plan.wanted.zne:
        metadata["resilience"]["zne"] = {"extrapolator": part.members["extrapolators"]}
    metadata["simulation"] = part.members["simulation"]
    data = DataBin({name: Array(values) for name, values in part.arrays.items()}, plan.pub.shape)
    return Record("PubResult", {"data": data, "metadata": metadata})


def _at_random(plan: Plan) -> Part:
    """What a dry run has instead of the values of a pub."""
    random, zne, found = dry.source(plan.under.seed, plan.index), plan.wanted.zne, dict[int, Mapping[str, Any]]()
    for wanted_here in plan.pub.elements().values():
        for place, k in wanted_here:
            found[place] = estimates.at_random(plan.flat[k], plan.precision, zne, random)
    members = {"extrapolators": list(zne.extrapolators) if zne else [], "simulation": dry.SIMULATION}
    return Part(members, dict(estimates.stacked([found[place] for place in range(len(found))], plan.pub.shape)))


def _estimated(plan: Plan, limits: Limits) -> Part:
    """The values of one pub, and how they came about."""
    pub, index, wanted, under, shots = plan.pub, plan.index, plan.wanted, plan.under, plan.shots
    progress().reaches(index, len(pub.circuit.data) * prod(pub.values.shape[:-1]))
    calibration = _calibration(plan, limits)
    measured = [
        drifting.measured(
            circuit,
            plan.cases,
            model,
            shots=shots,
            seed=(under.seed, index, f),
            method=under.method,
            limits=limits,
        )
        for f, (circuit, model) in enumerate(plan.amplified())
    ]
    if plan.cancelled is not None:
        seeds = ((under.seed, index, _SIGNS, k) for k in range(len(plan.cases)))
        pairs = zip(measured[0], seeds, strict=True)
        measured = [[plan.cancelled.scattered(each, shots, seed) for each, seed in pairs]]
    found: dict[int, Mapping[str, Any]] = {}
    used = set[str]()
    for at_factors, wanted_here in zip(zip(*measured, strict=True), pub.elements().values(), strict=True):
        means = estimates.Means(at_factors, calibration)
        fits, best = estimates.fitted(means, wanted.zne) if wanted.zne else ([], [])
        used |= {wanted.zne.extrapolators[e] for e in best} if wanted.zne else set()
        for place, k in wanted_here:
            found[place] = (
                estimates.at_zero_noise(means, plan.flat[k], wanted.zne, fits, best)
                if wanted.zne
                else estimates.direct(means, plan.flat[k])
            )
    members = {
        "extrapolators": [each for each in wanted.zne.extrapolators if each in used] if wanted.zne else [],
        "simulation": under.report(combined([case.metadata for at_factor in measured for case in at_factor])),
    }
    return Part(members, dict(estimates.stacked([found[place] for place in range(len(found))], pub.shape)))


def _calibration(plan: Plan, limits: Limits) -> Calibration | None:
    """The calibration of the readout of all qubits that a pub measures."""
    if not plan.wanted.measure_mitigation:
        return None
    under, shots = plan.under, plan.calibration_shots
    qubits = sorted({qubit for _, sums in plan.cases for letters in terms_in(sums) for qubit, _ in letters})
    if shots is not None and shots * len(qubits) * _BYTES > limits.memory_bytes:
        raise Refused(
            f"Calibrating the readout of {len(qubits)} qubits by {shots} shots takes more memory than a job may: "
            "ask for a larger precision.",
            {"shots": shots, "qubits": len(qubits)},
        )
    return calibrated(under.model, qubits, shots=shots, seed=extend(under.seed, plan.index, _CALIBRATION))
