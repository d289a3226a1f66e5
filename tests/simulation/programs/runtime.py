"""Jobs of Qiskit Runtime as the real client package writes and reads them, run by the worker's own entry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_ibm_runtime.json import RuntimeDecoder, RuntimeEncoder

from qumulus.core.clock import REAL, ClockSetting
from qumulus.core.programs import Limits, Program
from qumulus.core.results import Outcome
from qumulus.simulation import worker


def job(
    params: dict[str, Any],
    *,
    kind: str,
    device: str = "brisbane",
    seed: int | None = 1,
    noise: str = "device",
    dry_run: bool = False,
    most_usage: float | None = None,
    service_limits: bool = False,
    clock: ClockSetting = REAL,
    **limits: Any,
) -> Program:
    """A job with the body that the client would post, held to the limits of the service only on request."""
    body = {"program_id": kind, "backend": f"ibm_{device}", "params": params}
    return Program(
        job_id="job",
        kind=f"runtime.{kind}",
        payload=json.dumps(body, cls=RuntimeEncoder).encode(),
        device=device,
        seed=seed,
        limits=Limits(**limits),
        noise=noise,
        service_limits=service_limits,
        clock=clock,
        options={"dry_run": dry_run, "max_execution_time": most_usage},
    )


def sampler(pubs: Sequence[Any], options: dict[str, Any] | None = None, **settings: Any) -> Program:
    """A sampler job; a pub may also be a list that is sent as it stands."""
    coerced = [pub if isinstance(pub, list) else SamplerPub.coerce(pub) for pub in pubs]
    params = {"pubs": coerced, "options": options or {}, "version": 2, "support_qiskit": True}
    return job(params, kind="sampler", **settings)


def estimator(
    pubs: Sequence[Any], options: dict[str, Any] | None = None, resilience_level: int | None = None, **settings: Any
) -> Program:
    """An estimator job; a pub may also be a list that is sent as it stands."""
    coerced = [pub if isinstance(pub, list) else EstimatorPub.coerce(pub) for pub in pubs]
    params = {"pubs": coerced, "options": options or {}, "version": 2, "support_qiskit": True}
    if resilience_level is not None:
        params["resilience_level"] = resilience_level
    return job(params, kind="estimator", **settings)


def run(program: Program, log: list[str] | None = None) -> Outcome:
    """The outcome of a job; what it logs is added to ``log``."""
    return worker.run(program, lambda text, *_: None if log is None else log.append(text))


def result(program: Program) -> Any:
    """The result of a job that succeeds, as the client decodes it."""
    outcome = run(program)
    assert outcome.succeeded, outcome.reason
    return json.loads(outcome.result, cls=RuntimeDecoder)
