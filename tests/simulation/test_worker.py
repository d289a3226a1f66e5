"""The entry of worker processes."""

from __future__ import annotations

import pytest

from qumulus.core.kinds import KindsDiffer, Runners
from qumulus.core.programs import Program
from qumulus.core.results import Failure, Severity
from qumulus.simulation import worker


def test_a_kind_that_nothing_runs_is_told_as_an_error_of_ours_and_not_of_the_program() -> None:
    lines: list[tuple[str, Severity]] = []
    program = Program(job_id="x", kind="runtime.newthing", payload=b"", device="brisbane")
    outcome = worker.run(program, lambda text, severity, *_: lines.append((text, severity)))
    assert outcome.failure is Failure.INTERNAL
    assert outcome.reason is not None
    assert "error of Qumulus, not of the program" in outcome.reason
    assert (outcome.reason, Severity.ERROR) in lines


def test_a_kind_without_a_runner_is_noticed_before_the_first_program(monkeypatch: pytest.MonkeyPatch) -> None:
    worker.check()
    monkeypatch.setattr(worker, "RUNNERS", Runners("The simulation", {}))
    with pytest.raises(KindsDiffer, match="has no runner for jobs of the kind 'openqasm'"):
        worker.check()
