"""What a job's log says while it runs."""

from __future__ import annotations

import re

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qumulus.core.results import Failure, Severity
from qumulus.core.results import Progress as Report
from qumulus.simulation.devices import device_model
from qumulus.simulation.progress import Progress, followed, progress

from .circuits import isa, kicked_ising, su2
from .programs.runtime import estimator, run, sampler

Told = tuple[str, Severity, Report]

BRISBANE = device_model("brisbane")


def test_a_job_that_is_done_at_once_has_no_lines_of_progress() -> None:
    log: list[str] = []
    assert run(sampler([(isa(su2(2), BRISBANE),)]), log).succeeded
    assert [line[:12] for line in log] == ["Estimated us", "Pub 0: dense"]


def long_job(**limits: object) -> tuple[list[str], object]:
    log: list[str] = []
    observable = SparsePauliOp.from_sparse_list([("Z", [62], 1.0)], 127)
    pub = (kicked_ising(BRISBANE, 10, 0.7), observable)
    outcome = run(estimator([pub, pub], resilience_level=0, **limits), log)
    return log, outcome


def test_a_long_job_says_from_the_start_what_it_does_and_how_far_it_is() -> None:
    log, outcome = long_job(approximate=True, pub_budget=2.0)
    assert outcome.succeeded, outcome.reason
    assert re.match(r"Pub 0 \(0 of 2 done, \d+\.\d s used\): [\d,]+ instructions to simulate", log[1])
    assert any(re.match(r"Pub 1 \(1 of 2 done, .* s used, some .* s to go\)", line) for line in log)
    assert any(re.match(r"Pub 0: pauli by qumulus .* error estimate", line) for line in log)


def test_a_refusal_is_two_sentences_and_the_log_has_what_each_method_needs() -> None:
    log, outcome = long_job(seconds=60.0)
    assert outcome.failure is Failure.REFUSED
    assert outcome.reason.count(". ") == 1
    assert not re.search(r"e\+\d\d s and", outcome.reason.partition("limits")[0])
    assert any(re.fullmatch(r"chain-cut needs .* s and .* MiB\.", line) for line in log)


def test_a_line_comes_again_only_for_another_method_or_after_a_while() -> None:
    told: list[Told] = []
    found = Progress(lambda *line: told.append(line), pubs=3)
    found.reaches(0, 10)
    found.begins("dense", 0.01)
    assert not told
    found.begins("chain", 2.0)
    found.begins("chain", 2.0)
    found.works("somewhere")
    assert [text.partition(": ")[2] for text, *_ in told] == ["chain at work, estimated 2 s a run."]
    found.reaches(1, 10)
    found.begins("pauli", 3.0)
    assert told[1][0].startswith("Pub 1 (1 of 3 done")


def test_each_line_comes_with_the_figures_for_the_record_of_the_job() -> None:
    told: list[Told] = []
    found = Progress(lambda *line: told.append(line), pubs=4)
    found.reaches(0, 5000)
    found.runs = 3
    found.begins("chain", 2.0)
    found.reaches(3, 10)
    found.begins("pauli", 3.0)
    first, second, third = (report for *_, report in told)
    assert (first.method, first.parts, first.parts_done, first.seconds_left) == (None, 4, 0, None)
    assert second.method == "chain"
    assert second.seconds_left == pytest.approx(6.0, abs=2.5)  # three runs, by the estimate
    assert (third.method, third.parts_done) == ("pauli", 3)
    assert third.seconds_left == pytest.approx(third.seconds_used / 3)  # by what is done


def test_the_usage_of_a_job_is_said_before_anything_is_simulated_and_with_every_line() -> None:
    told: list[tuple[str, Severity, Report]] = []
    found = Progress(lambda *line: told.append(line), pubs=2)
    found.counts(2.5, "osaka")
    found.works("at it", at_once=True)
    assert told[0][0] == "Estimated usage: 2.5 s of osaka."
    assert [report.usage_seconds for _, _, report in told] == [2.5, 2.5]


def test_progress_belongs_to_the_job_that_runs() -> None:
    mine = Progress()
    with followed(mine):
        assert progress() is mine
    assert progress() is not mine


def test_an_empty_circuit_is_no_news() -> None:
    told: list[Told] = []
    Progress(lambda *line: told.append(line)).reaches(0, QuantumCircuit(1).size())
    assert not told
