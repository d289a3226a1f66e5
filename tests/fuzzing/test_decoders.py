"""Whatever reads what others send, fed with what nobody sends: each ends in a value or in a refusal, and in time.

Without a setting each gets the same few hundred inputs every time. `QUMULUS_FUZZ_SECONDS` says for how long each is fed with others;
`make fuzz` does it for minutes, and what reaches more is kept in `.fuzzing`.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = os.environ.get("QUMULUS_FUZZ_SECONDS")
RUNS = "500"
KEPT = HERE.parents[1] / ".fuzzing"

spec = importlib.util.spec_from_file_location("decoders", HERE / "decoders.py")
assert spec is not None
assert spec.loader is not None
decoders = importlib.util.module_from_spec(spec)
sys.modules["decoders"] = decoders
spec.loader.exec_module(decoders)


@pytest.mark.parametrize("name", decoders.TARGETS)
def test_a_decoder_reads_or_refuses_whatever_it_is_fed_with(name, tmp_path):
    corpus = (KEPT if SECONDS else tmp_path) / name
    corpus.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, HERE / "decoders.py", name, SECONDS or "60", corpus, *([] if SECONDS else [RUNS])]
    environment = os.environ | {"RUST_BACKTRACE": "0"}  # to find the names in one takes longer than reading
    done = subprocess.run(command, capture_output=True, timeout=float(SECONDS or 60) + 300, env=environment)
    told = (done.stdout + done.stderr).decode(errors="replace")
    ended_by_native_code = name in decoders.ABORTS and ("deadly signal" in told or done.returncode < 0)
    assert "Uncaught Python exception" not in told, told[-4000:]
    assert (done.returncode == 0 and "Done " in told) or ended_by_native_code, told[-4000:]


def _open_dictionary() -> bytes:
    """An array whose header is a dictionary that does not end."""
    text = b"{'descr': '<f8', 'shape': ("
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def _far_away() -> bytes:
    """A QPY file whose circuit begins at 2^64 - 1, by its table."""
    _, _, (seed, *_) = decoders.TARGETS["qpy"].make()
    table = struct.calcsize("!6sBBBBQc") + 1
    return seed[:table] + b"\xff" * 8 + seed[table + 8 :]


@pytest.mark.parametrize(("name", "data"), [("npy", _open_dictionary()), ("qpy", _far_away())])
def test_what_was_found_once_is_refused(name, data):
    decode, refused, _ = decoders.TARGETS[name].make()
    with pytest.raises(refused):
        decode(data)


def test_a_samplex_over_which_its_library_panics_is_refused():
    decode, refused, (seed,) = decoders.TARGETS["samplex"].make()
    document = json.loads(seed)
    document["nodes"][2]["id"] = document["nodes"][1]["id"]  # two nodes of one number
    with pytest.raises(refused):
        decode(json.dumps(document).encode())


def test_a_samplex_whose_inner_circuit_declares_millions_of_bits_is_refused_and_not_read_for_hours():
    decode, refused, (seed,) = decoders.TARGETS["samplex"].make()
    document = json.loads(seed)
    table = json.loads(document["attrs"]["param_table"])
    circuit = bytearray(base64.b64decode(table["circuit_base64"]))
    header = circuit.index(b"circuit-") - struct.calcsize("!H1cHIIQIQI")
    struct.pack_into("!I", circuit, header + struct.calcsize("!H1cHI"), 9_000_000)
    table["circuit_base64"] = base64.b64encode(circuit).decode()
    document["attrs"]["param_table"] = json.dumps(table)
    with pytest.raises(refused, match="9000000 classical bits"):
        decode(json.dumps(document).encode())
