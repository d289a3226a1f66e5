"""Damaged circuits: in a process of its own under a limit of memory, every mutant of a job ends as an outcome.

A parser that asks for memory without bound may abort the process; the runner then reports a crashed worker. What may not
happen is that a mutant takes more time or memory than the caps, or raises through the worker's entry.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEMORY = 3 << 30
HERE = Path(__file__).parent

SCRIPT = """
import json, random, resource, sys, time, zlib
from base64 import b64encode

sys.path.insert(0, sys.argv[1])
from simulation.circuits import isa, su2
from simulation.programs.runtime import run, sampler
from simulation.programs.test_runtime_input import as_qpy
from qumulus.core.results import Failure
from qumulus.simulation import worker
from qumulus.simulation.devices import device_model

worker.warm(["brisbane"])
data = as_qpy(isa(su2(3), device_model("brisbane")))
resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
random.seed(int(sys.argv[2]))
slowest, outcomes = 0.0, {}
for _ in range(int(sys.argv[3])):
    mutant = bytearray(data)
    for _ in range(random.randint(1, 3)):
        mutant[random.randrange(7, len(mutant))] = random.randrange(256)
    packed = {"__type__": "QuantumCircuit", "__value__": b64encode(zlib.compress(bytes(mutant), 1)).decode()}
    start = time.process_time()
    outcome = run(sampler([[packed, [], 10]]))
    slowest = max(slowest, time.process_time() - start)
    name = str(outcome.failure or "succeeded")
    outcomes[name] = outcomes.get(name, 0) + 1
    if outcome.failure is Failure.PROGRAM:
        assert outcome.reason_code in (1002, 1517, 3211), outcome.reason
        assert outcome.reason.isascii() and outcome.reason.isprintable(), outcome.reason
        assert outcome.reason.endswith("."), outcome.reason
    print(json.dumps({"slowest": slowest, "outcomes": outcomes}), flush=True)
""".replace("MEMORY", str(MEMORY))


@pytest.mark.parametrize("seed", range(3))
def test_mutants_of_a_circuit_end_as_outcomes(seed: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(HERE.parents[1]), str(seed), "200"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    last = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0 or "memory allocation" in done.stderr, done.stderr[-2000:]
    assert last["slowest"] < 5.0
    assert last["outcomes"].get("program", 0) > 0
