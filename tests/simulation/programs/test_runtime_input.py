"""Input that is wrong or hostile: the job fails with a sentence, whatever was sent."""

from __future__ import annotations

import io
import json
import zlib
from base64 import b64encode
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qiskit import qpy
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import Program
from qumulus.core.results import Failure, Outcome
from qumulus.simulation.devices import device_model
from simulation.circuits import bell, isa

from .runtime import run, sampler

BRISBANE = device_model("brisbane")


def encoded(data: bytes) -> dict[str, str]:
    return {"__type__": "QuantumCircuit", "__value__": b64encode(zlib.compress(data)).decode()}


def as_qpy(circuit: QuantumCircuit) -> bytes:
    file = io.BytesIO()
    qpy.dump(circuit, file)
    return file.getvalue()


def npy(array: np.ndarray) -> dict[str, str]:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return {"__type__": "ndarray", "__value__": b64encode(zlib.compress(file.getvalue())).decode()}


def failed(program: Program, *words: str, code: int = 1002) -> Outcome:
    outcome = run(program)
    assert outcome.failure is Failure.PROGRAM
    assert outcome.reason_code == code
    for word in words:
        assert word in outcome.reason
    return outcome


def test_a_circuit_that_was_not_transpiled_fails_with_the_code_of_the_service() -> None:
    failed(sampler([bell()]), "The instruction h on qubits (0,) is not supported by the target system.", code=1517)


def test_a_gate_on_qubits_that_are_not_coupled_fails() -> None:
    circuit = QuantumCircuit(127, 1)
    circuit.ecr(0, 126)
    failed(sampler([circuit]), "The instruction ecr on qubits (0, 126) is not supported", code=1517)


def test_a_gate_inside_a_condition_is_checked_too() -> None:
    circuit = QuantumCircuit(2, 1)
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.h(1)
    failed(sampler([circuit]), "The instruction h on qubits (1,)", code=1517)


def test_more_qubits_than_the_device_has_fail() -> None:
    failed(sampler([QuantumCircuit(128, 1)]), "128 qubits but the target system requires 127 qubits", code=1517)


def test_qpy_of_a_future_version_is_refused() -> None:
    data = bytearray(as_qpy(isa(bell(), BRISBANE)))
    data[6] = qpy.QPY_VERSION + 1
    failed(sampler([[encoded(data), [], 10]]), f"The QPY format version being read, {qpy.QPY_VERSION + 1}, isn't")


@pytest.mark.parametrize("version", range(13))
def test_qpy_before_version_13_is_refused_because_it_could_carry_code(version: int) -> None:
    data = bytearray(as_qpy(isa(bell(), BRISBANE)))
    data[6] = version
    failed(sampler([[encoded(data), [], 10]]), f"QPY of version {version} is not read")


@pytest.mark.parametrize("version", range(13, qpy.QPY_VERSION + 1))
def test_every_version_of_qpy_from_13_is_read(version: int) -> None:
    file = io.BytesIO()
    qpy.dump(isa(bell(), BRISBANE), file, version=version)
    assert run(sampler([[encoded(file.getvalue()), [], 10]])).succeeded


def test_qpy_that_is_cut_off_anywhere_fails_the_job() -> None:
    data = as_qpy(isa(bell(), BRISBANE))
    for size in range(0, len(data), 37):
        failed(sampler([[encoded(data[:size]), [], 10]]), "The circuit is not valid QPY", code=3211)


def test_zlib_data_that_is_cut_off_fails_the_job() -> None:
    packed = zlib.compress(as_qpy(isa(bell(), BRISBANE)))[:-30]
    circuit = {"__type__": "QuantumCircuit", "__value__": b64encode(packed).decode()}
    failed(sampler([[circuit, [], 10]]), "cut off")


def test_a_compression_bomb_is_stopped_at_the_limit() -> None:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    circuit = {"__type__": "QuantumCircuit", "__value__": b64encode(packed).decode()}
    failed(sampler([[circuit, [], 10]], decompressed_bytes=1 << 20), "unfolds to more bytes than it may")


def test_many_small_bombs_count_together() -> None:
    pub = [encoded(as_qpy(isa(bell(), BRISBANE))), [], 1]
    size = len(as_qpy(isa(bell(), BRISBANE)))
    assert run(sampler([pub] * 3, decompressed_bytes=3 * size)).succeeded
    failed(sampler([pub] * 4, decompressed_bytes=3 * size), "unfolds to more bytes than it may")


def test_a_header_that_declares_millions_of_qubits_is_refused_before_it_is_read() -> None:
    huge = QuantumCircuit(5000)
    failed(sampler([[encoded(as_qpy(huge)), [], 10]]), "declares 5000 qubits")


def test_an_npy_with_objects_is_never_opened() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("unpickled",))

    values = npy(np.array([Bomb()], dtype=object))
    failed(sampler([[encoded(as_qpy(isa(bell(), BRISBANE))), values, 10]]), "one with objects is never opened")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (npy(np.zeros((2, 3))), "the shape (2, 3)"),
        (npy(np.array([np.nan])), "0 parameters"),
        ({"__type__": "ndarray", "__value__": "!!"}, "base64"),
        ({"__type__": "ndarray", "__value__": b64encode(zlib.compress(b"nothing")).decode()}, "not an .npy file"),
        ({"__type__": "settings", "__module__": "os", "__class__": "system", "__value__": {}}, "'settings'"),
        ([["a"]], "other things than numbers"),
        ([[1.0], [1.0, 2.0]], "rows differ"),
    ],
)
def test_values_that_are_no_array_for_the_circuit_fail_the_job(values: Any, words: str) -> None:
    failed(sampler([[encoded(as_qpy(isa(bell(), BRISBANE))), values, 10]]), words)


@pytest.mark.parametrize(
    ("pubs", "words"),
    [
        ([], "no pubs"),
        ([[]], "begins with a circuit"),
        ([[5, [], 10]], "begins with its circuit"),
        ([[{"__type__": "Popen", "__value__": "x"}, [], 10]], "begins with its circuit"),
        ([[{"__type__": "QuantumCircuit", "__value__": "%"}, [], 10]], "base64"),
        ([[{"__type__": "QuantumCircuit", "__value__": b64encode(b"nothing").decode()}, [], 10]], "zlib"),
    ],
)
def test_a_pub_that_is_none_fails_the_job(pubs: list[Any], words: str) -> None:
    failed(sampler(pubs), words)


@pytest.mark.parametrize(
    ("text", "words"),
    [("this is no OpenQASM", "Line 1, column"), ("OPENQASM 3; qubit[10000000] q;", "declares 10000000 qubits")],
)
def test_a_program_that_is_no_openqasm_fails_the_job(text: str, words: str) -> None:
    failed(sampler([[text]]), "Job not valid. Error loading QASM circuit: ", words, code=1603)


@pytest.mark.parametrize("shots", [0, -1, 1.5, "10", True])
def test_a_number_of_shots_that_is_none_fails_the_job(shots: Any) -> None:
    failed(sampler([[encoded(as_qpy(isa(bell(), BRISBANE))), [], shots]]), "send a positive integer")


@pytest.mark.parametrize("payload", [b"", b"[]", b'"', b"[" * 100_000, b'{"params": 3}', b"\xff"])
def test_a_body_that_is_no_object_with_params_fails_the_job(payload: bytes) -> None:
    failed(Program(job_id="job", kind="runtime.sampler", payload=payload, device="brisbane"))


def test_what_cannot_be_printed_is_not_repeated_in_the_failure() -> None:
    outcome = failed(
        sampler([isa(bell(), BRISBANE)], {"twirling": {"strategy": "\ud800\x1b[31m"}, "default_shots": "\x1b"})
    )
    assert outcome.reason.isprintable()


def test_what_cannot_be_printed_is_not_repeated_in_the_log() -> None:
    log: list[str] = []
    run(sampler([isa(bell(), BRISBANE)], {"\ud800\x1b[31m": 1}), log)
    assert log[0] == "Some options have no effect here: options.??[31m."


def test_a_result_over_the_limit_is_refused_before_anything_runs() -> None:
    outcome = run(sampler([(isa(bell(), BRISBANE), None, 10_000_000)], result_bytes=1 << 20))
    assert outcome.failure is Failure.REFUSED
    assert "2500000 bytes" in outcome.reason


def test_an_openqasm_program_on_the_device_runs() -> None:
    text = 'OPENQASM 3; include "stdgates.inc"; bit[1] c; x $3; c[0] = measure $3;'
    outcome = run(sampler([[text]]))
    assert outcome.succeeded, outcome.reason
    assert json.loads(outcome.result)["__type__"] == "PrimitiveResult"


def test_the_inputs_of_an_openqasm_program_take_values_by_position_or_name() -> None:
    text = 'OPENQASM 3; include "stdgates.inc"; input float b; input float a; bit[1] c; rz(a) $3; rz(b) $3; x $3; c[0] = measure $3;'
    for values in ([0.1, 0.2], {"a": 0.1, "b": 0.2}, {"a": [0.1, 0.3], "b": 0.2}):
        outcome = run(sampler([[text, values, 10]]))
        assert outcome.succeeded, outcome.reason
    failed(sampler([[text, {"a": 0.1}, 10]]), "the parameters a, b")
    failed(sampler([[text, {"a": "x", "b": 0.1}, 10]]), "are not numbers")


def test_a_dry_run_decodes_and_checks_and_runs_nothing() -> None:
    fitting, wrong = sampler([isa(bell(), BRISBANE)]), sampler([bell()])
    checked = run(replace(fitting, options={"dry_run": True}))
    assert checked.succeeded
    assert checked.metadata["dry_run"] is True
    assert "pubs" not in checked.metadata
    refused = run(replace(wrong, options={"dry_run": True}))
    assert refused.reason_code == 1517
