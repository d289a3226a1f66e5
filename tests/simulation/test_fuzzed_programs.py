"""Programs with small changes, in a process of its own: each is read, or refused in a sentence, and none ends the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qumulus.simulation.errors import ProgramError
from qumulus.simulation.programs import openqasm_text

COUNT = 20_000 if os.environ.get("QUMULUS_FAULTS") == "long" else 1000


@pytest.mark.parametrize("seed", range(2))
def test_a_changed_program_is_read_or_refused(seed):
    script = Path(__file__).with_name("fuzzing.py")
    done = subprocess.run([sys.executable, script, str(seed), str(COUNT)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["others"] == []
    assert min(told["read"], told["refused"]) > COUNT / 20


@pytest.mark.parametrize(
    "text",
    [
        "OPENQASM 3; // \ud800",
        f"OPENQASM 2.0; qreg q[2]; creg c[2]; if (c=={'9' * 400}) U(0,0,0) q[0];",
        f"OPENQASM 2.0; qreg q[2]; U(0,0,0) q[{'9' * 19}];",
    ],
)
def test_what_ended_the_reader_is_refused(text):
    """Found by changing programs: half a character raised an error of ours, a number of 400 digits an abort of the parser."""
    with pytest.raises(ProgramError):
        openqasm_text.read(text, most_qubits=10)
