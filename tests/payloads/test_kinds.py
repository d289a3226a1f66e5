"""Kinds of programs: who runs them, and that their payloads have the bytes that older versions have stored."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from qumulus import payloads
from qumulus.core.kinds import Kind, Kinds, KindsDiffer, Payload, Runners, Undecodable, UnknownKind
from qumulus.payloads.archive import Archive
from qumulus.payloads.circuits import CircuitsInput
from qumulus.payloads.openqasm import OpenQasmTask
from qumulus.payloads.primitives import PrimitiveInput
from qumulus.payloads.user_programs import Parameters
from qumulus.simulation.runners import RUNNERS

BACKEND = Path(payloads.__file__).parents[1]
ONE, OTHER = Kind("one", Archive), Kind("other", Parameters)

STORED: list[tuple[Kind, Payload, bytes]] = [
    (
        payloads.SAMPLER,
        PrimitiveInput("ibm_brisbane", {"pubs": [["é", 1e16, None]], "version": 2}),
        '{"backend":"ibm_brisbane","params":{"pubs":[["é",1e+16,null]],"version":2}}'.encode(),
    ),
    (
        payloads.OPENQASM_TASK,
        OpenQasmTask.of({"code": "é;", "n_shots": 10, "note": None}),
        b'{"code": "\\u00e9;", "n_shots": 10, "note": null}',
    ),
    (
        payloads.CIRCUITS,
        CircuitsInput(format=None, input={"qasm": ["é"]}, parameters={"mode": "sample"}, most=2),
        '{"format":null,"input":{"qasm":["é"]},"parameters":{"mode":"sample"},"most":2}'.encode(),
    ),
    (payloads.OPENQASM_ARCHIVE, Archive(b"PK\x03\x04"), b"PK\x03\x04"),
    (payloads.SERVICE, Parameters({"text": "é", "number": 0.5}), '{"text":"é","number":0.5}'.encode()),
    (payloads.SENT_PROGRAM, Archive(b"PK"), b"PK"),
]
"""What the version before there were kinds has stored, byte for byte."""


@pytest.mark.parametrize(("kind", "payload", "stored"), STORED, ids=[kind.name for kind, _, _ in STORED])
def test_a_payload_has_the_bytes_that_it_always_had_and_is_read_from_them(
    kind: Kind, payload: Payload, stored: bytes
) -> None:
    assert kind.encode(payload) == stored
    assert kind.decode(stored) == payload


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 200_000])
def test_what_is_no_input_of_a_primitive_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(Undecodable, match="The body of the job is not a JSON"):
        payloads.SAMPLER.decode(content)


def test_the_names_of_the_kinds_stay_since_they_are_stored_with_jobs() -> None:
    assert set(payloads.KINDS) == {
        "openqasm", "openqasm.job", "kipu", "service", "program",
        "runtime.sampler", "runtime.estimator", "runtime.executor", "runtime.noise-learner", "runtime.calibrate",
        "drawing",
    }  # fmt: skip


def test_the_simulation_runs_all_that_is_simulated() -> None:
    RUNNERS.check(payloads.SIMULATED)


def test_what_differs_is_said_in_a_sentence_for_each_difference() -> None:
    runners = Runners("The test", {ONE: "", Kind("other", Archive): "", Kind("third", Archive): ""})
    with pytest.raises(KindsDiffer) as raised:
        runners.check(Kinds(ONE, OTHER, Kind("fourth", Archive)))
    assert raised.value.sentences == (
        "The test has no runner for jobs of the kind 'fourth'.",
        "The test has a runner for the kind 'third', which nobody sends.",
        "The test takes the kind 'other' for one with the payload Archive, where Parameters is sent.",
    )


def test_two_kinds_of_one_name_are_none() -> None:
    with pytest.raises(KindsDiffer, match="several kinds of programs with the name 'one'"):
        Kinds(ONE, Kind("one", Parameters))


def test_a_kind_that_nothing_runs_is_an_error_of_ours() -> None:
    with pytest.raises(UnknownKind, match="an error of Qumulus, not of the program"):
        RUNNERS.of("runtime.newthing")


def test_no_kind_of_a_job_is_typed_by_hand() -> None:
    typed = [
        f"{path.relative_to(BACKEND)}:{node.lineno}"
        for path in BACKEND.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ("NewJob", "Program")
        for word in node.keywords
        if word.arg == "kind" and isinstance(word.value, ast.Constant | ast.JoinedStr)
    ]
    assert typed == []


def test_the_kinds_are_there_without_the_simulation() -> None:
    code = "import json, sys; import qumulus.payloads; print(json.dumps([*sys.modules]))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not {"qiskit", "numpy", "fastapi", "pydantic"} & set(json.loads(ran.stdout))
