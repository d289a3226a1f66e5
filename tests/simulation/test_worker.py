"""The entry of worker processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_settings_of_qiskit_that_a_person_has_do_not_reach_the_cloud(tmp_path: Path) -> None:
    settings = tmp_path / "settings.conf"
    settings.write_text("[default]\ntranspile_optimization_level = 3\n")
    looked = "import qumulus.simulation; from qiskit.user_config import get_config; print(get_config())"
    told = subprocess.run(
        [sys.executable, "-c", looked],
        env={name: value for name, value in os.environ.items() if name != "QISKIT_IGNORE_USER_SETTINGS"}
        | {"QISKIT_SETTINGS": str(settings)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout == "{}\n"
