"""Whatever reads what others send, fed with what nobody sends: each ends in a value or in a refusal, and in time.

`QUMULUS_FUZZ_SECONDS` says for how long each is fed; `make fuzz` does it for minutes. What reaches more is kept in `.fuzzing`.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = os.environ.get("QUMULUS_FUZZ_SECONDS", "1")
KEPT = HERE.parents[1] / ".fuzzing"

spec = importlib.util.spec_from_file_location("decoders", HERE / "decoders.py")
assert spec is not None
assert spec.loader is not None
decoders = importlib.util.module_from_spec(spec)
sys.modules["decoders"] = decoders
spec.loader.exec_module(decoders)


@pytest.mark.parametrize("name", decoders.TARGETS)
def test_a_decoder_reads_or_refuses_whatever_it_is_fed_with(name):
    corpus = KEPT / name
    corpus.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, HERE / "decoders.py", name, SECONDS, corpus]
    done = subprocess.run(command, capture_output=True, timeout=float(SECONDS) + 300)
    told = (done.stdout + done.stderr).decode(errors="replace")
    ended_by_native_code = name in decoders.ABORTS and ("deadly signal" in told or done.returncode < 0)
    assert "Uncaught Python exception" not in told, told[-4000:]
    assert (done.returncode == 0 and "Done " in told) or ended_by_native_code, told[-4000:]
