"""Feeds one decoder with bytes until a time is over: `python decoders.py NAME SECONDS CORPUS`. A process of its own, which may end.

With atheris (where there is a wheel of it) what the bytes reach guides the changes, and whatever reaches more is kept in the corpus;
else the seeds and the corpus are changed by chance.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None

MOST_BYTES = 1 << 16
MEMORY_BYTES = 3 << 30
REFUSED = 3  # seconds that one input may take
Decoder = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Target:
    """A decoder: where its code is, what it may raise, and what it reads to begin with."""

    instrumented: tuple[str, ...]
    make: Callable[[], tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]]


def _qpy() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    from qiskit import QuantumCircuit, qpy
    from qiskit.circuit import Parameter

    from qumulus.core.programs import Limits
    from qumulus.simulation.errors import ProgramError
    from qumulus.simulation.length import steps
    from qumulus.simulation.programs.runtime.circuits import from_qpy

    bell, dynamic = QuantumCircuit(2, 2), QuantumCircuit(2, 2)
    bell.h(0)
    bell.cx(0, 1)
    bell.rz(Parameter("a"), 0)
    bell.measure([0, 1], [0, 1])
    dynamic.measure(0, 0)
    with dynamic.if_test((0, 1)):
        dynamic.x(1)
    with dynamic.for_loop(range(3)):
        dynamic.delay(10, 0, "dt")
    seeds = []
    for circuit in (bell, dynamic):
        for version in (13, qpy.QPY_VERSION):
            with io.BytesIO() as file:
                qpy.dump(circuit, file, version=version)
                seeds.append(file.getvalue())
    limits = Limits()
    return lambda data: [steps(each) for each in from_qpy(data, limits, programs=1)], (ProgramError,), seeds


def _npy() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    import numpy as np

    from qumulus.simulation.errors import ProgramError
    from qumulus.simulation.programs.runtime.wire import _from_npy

    seeds = []
    for array in (
        np.arange(6.0).reshape(2, 3),
        np.array([True]),
        np.zeros(0, complex),
        np.asfortranarray(np.ones((2, 2))),
    ):
        with io.BytesIO() as file:
            np.save(file, array)
            seeds.append(file.getvalue())
    return lambda data: _from_npy(data, "array"), (ProgramError,), seeds


def _values() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    from qumulus.simulation.errors import ProgramError
    from qumulus.simulation.programs.runtime.tensors import from_tensor, is_tensor
    from qumulus.simulation.programs.runtime.wire import Allowance, array

    def decode(data: bytes) -> None:
        with contextlib.suppress(ValueError, RecursionError):  # what is no JSON is refused before
            value = json.loads(data)
            allowance = Allowance(1 << 20)
            array(value, allowance, "value")
            if is_tensor(value):
                from_tensor(value, allowance, "value", compressed=len(data) % 2 == 0)

    seeds = [
        b"[[1, 2], [3.5, 4]]",
        b'{"__type__": "ndarray", "__value__": "eJyb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RqGOgpGmjoKtQoUAACu7BjK"}',
        b'{"__type__": "ndarray", "__value__": [1, 2]}',
        b'{"data": "AAAAAAAA8D8=", "shape": [1], "dtype": "f64"}',
        b'{"data": "AQ==", "shape": [3], "dtype": "bool"}',
    ]
    return decode, (ProgramError,), seeds


def _samplex() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    from qiskit import QuantumCircuit
    from samplomatic import Twirl, build
    from samplomatic.serialization import samplex_to_json

    from qumulus.simulation.errors import ProgramError
    from qumulus.simulation.programs.runtime.samplexes import samplex_item
    from qumulus.simulation.programs.runtime.wire import Allowance

    circuit = QuantumCircuit(2, 2)
    with circuit.box([Twirl()]):
        circuit.cx(0, 1)
    with circuit.box([Twirl()]):
        circuit.measure([0, 1], [0, 1])
    template, samplex = build(circuit)
    item = {"samplex": {"samplex_json": samplex_to_json(samplex), "ssv": 1}, "samplex_arguments": {}, "shape": [3]}

    def decode(data: bytes) -> None:
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode()
            given = {**item, "samplex": {"samplex_json": text, "ssv": 1}}
            samplex_item(given, template, Allowance(1 << 20), compressed=False, newest=None)

    return decode, (ProgramError,), [item["samplex"]["samplex_json"].encode()]


def _zip() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    from qumulus.payloads.zip_files import Unreadable, pack_json, unpack_json

    seeds = [pack_json("input.json", {"program": ["OPENQASM 3;"]}), pack_json("../../x", []), b"PK\x05\x06" + bytes(18)]
    return lambda data: unpack_json(data, most_bytes=1 << 20), (Unreadable,), seeds


def _multipart() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    from qumulus.openapi.contract.multipart import NotMultipart, parts

    form = (
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\na/b.zip\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.zip"\r\nContent-Type: application/zip\r\n\r\n'
        b"PK\0\r\n--b--\r\n"
    )

    def decode(data: bytes) -> None:
        head, _, body = data.partition(b"\n")
        parts(body, head.decode("latin-1"))

    plain = b"multipart/form-data; boundary=b\n"
    return decode, (NotMultipart,), [plain + form, b'multipart/form-data; boundary="b"; x\n' + form, plain + b"--b--"]


def _openqasm() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    from qumulus.simulation.errors import ProgramError
    from qumulus.simulation.length import steps
    from qumulus.simulation.programs import openqasm_text

    seeds = [
        b'OPENQASM 2.0; include "qelib1.inc"; gate g(a) x { rx(a/2) x; } qreg q[2]; creg c[2]; g(pi) q[0]; if (c==1) x q[1]; measure q -> c;',
        b'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; ctrl @ rz(0.5) q[0], q[1]; c = measure q;',
        b"OPENQASM 3; bit[1] c; for int i in [0:2] { rz(0.5*i) $0; } if (c[0] == 1) { sx $0; } else { x $0; } c[0] = measure $0;",
    ]
    return lambda data: steps(openqasm_text.read(data.decode("latin-1"), most_qubits=20)), (ProgramError,), seeds


def _json() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    from pydantic import TypeAdapter

    from qumulus.apis.emulator.schemas.faults import NewFault
    from qumulus.apis.ibm.runtime.schemas.job import RunJobRequest
    from qumulus.apis.planqk.quantum.schemas.job import JobRequest
    from qumulus.openapi.contract.bodies import strict_json
    from qumulus.openapi.contract.problems import Refused

    adapters = [TypeAdapter(each) for each in (RunJobRequest, JobRequest, NewFault)]

    def decode(data: bytes) -> None:
        for adapter in adapters:
            with contextlib.suppress(Refused):
                strict_json(data, adapter)

    seeds = [
        b'{"program_id": "sampler", "backend": "ibm_fez", "params": {"pubs": [["OPENQASM 3;", null, 10]], "version": 2}, "tags": ["a"]}',
        b'{"backend_id": "a", "shots": 1, "input": "x\\u0000", "input_format": "OPEN_QASM_V2", "input_params": {"a": [1e3, NaN]}}',
        b'{"kind": "error", "status": 418, "api": "oqtopus", "rate": 0.5}',
        b"[" * 300 + b"Infinity",
    ]
    return decode, (Refused,), seeds


def _frames() -> tuple[Decoder, tuple[type[BaseException], ...], Sequence[bytes]]:
    import socket
    import struct

    from qumulus.execution.wire import BrokenWire, Message, Wire, packed

    def decode(data: bytes) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                theirs.sendall(data)
            theirs.shutdown(socket.SHUT_WR)
            wire = Wire(ours, most_bytes=1 << 20)
            while wire.receive(0) is not None:
                pass

    def framed(*messages: Message) -> bytes:
        frames = [packed(each) for each in messages]
        return b"".join(struct.pack("!I", len(header)) + header + b"".join(rest) for header, *rest in frames)

    seeds = [framed(Message("log", {"text": "é", "n": 1.5}), Message("done", {}, (b"abc", b""))), framed(Message("x"))]
    return decode, (BrokenWire,), seeds


TARGETS: Mapping[str, Target] = {
    "qpy": Target(("qumulus.simulation.programs.runtime.circuits",), _qpy),
    "npy": Target(("qumulus.simulation.programs.runtime.wire", "numpy.lib"), _npy),
    "openqasm": Target(("qumulus.simulation.programs.openqasm_text", "qumulus.simulation.length"), _openqasm),
    "json": Target(("qumulus.openapi.contract.bodies",), _json),
    "values": Target(("qumulus.simulation.programs.runtime",), _values),
    "samplex": Target(("qumulus.simulation.programs.runtime.samplexes", "samplomatic"), _samplex),
    "zip": Target(("qumulus.payloads", "zipfile"), _zip),
    "multipart": Target(("qumulus.openapi.contract.multipart", "python_multipart"), _multipart),
    "frames": Target(("qumulus.execution.wire",), _frames),
}
ABORTS = frozenset({"qpy", "samplex", "openqasm"})
"""What is read by native code that may end its process: a worker ends with it, and its job fails alone."""


def changed(draw: random.Random, data: bytes) -> bytes:
    """The bytes with up to four changes."""
    found = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(found) + 1)
        match draw.randrange(4):
            case 0 if found:
                found[at % len(found)] ^= 1 << draw.randrange(8)
            case 1:
                found[at:at] = draw.randbytes(draw.randint(1, 8))
            case 2:
                del found[at : at + draw.randint(1, 16)]
            case _:
                found[at : at + 4] = draw.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
    return bytes(found)


def by_chance(test: Decoder, seeds: Sequence[bytes], corpus: Path, seconds: float) -> None:
    """Change what there is, again and again."""
    draw, until = random.Random(7), time.monotonic() + seconds
    known = [*seeds, *(path.read_bytes() for path in sorted(corpus.iterdir()))]
    count = 0
    while time.monotonic() < until:
        data = changed(draw, draw.choice(known))
        try:
            test(data)
        except BaseException:
            (corpus / "found").write_bytes(data)
            raise
        count += 1
    print(f"Done {count} runs")


def main(name: str, seconds: float, corpus: Path, runs: int | None = None) -> None:
    """Feed the decoder; an exception that it must not raise ends the process. ``runs`` are the same each time."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    target = TARGETS[name]
    with atheris.instrument_imports(include=list(target.instrumented)) if atheris else contextlib.nullcontext():
        decoder, refused, seeds = target.make()

    def test(data: bytes) -> None:
        with contextlib.suppress(*refused):
            decoder(data)

    for seed in seeds:
        test(seed)
    if atheris is None:
        by_chance(test, seeds, corpus, min(seconds, 1.0) if runs else seconds)
        return
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={10 * REFUSED}",
        "-rss_limit_mb=0",
        *([f"-runs={runs}", "-seed=7"] if runs else []),
    ]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={corpus.parent}/found-{name}-", str(corpus)], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]), *map(int, sys.argv[4:]))
