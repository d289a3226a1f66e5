"""An entry for tests: each kind does one thing. No simulation is needed to see what the dispatcher does."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from qumulus.core.programs import Program
from qumulus.core.results import Failure, Log, Outcome, Progress, Severity

warmed: list[str] = []


def warm(devices: tuple[str, ...]) -> None:
    warmed.extend(devices)


def run(program: Program, log: Log, admit: Callable[[int], None]) -> Outcome:
    if program.kind == "needy":
        admit(int(program.payload))
        return Outcome(result=b"admitted")
    return globals()[program.kind](program, log)


def echo(program: Program, log: Log) -> Outcome:
    log("echoed", Severity.INFO)
    seen = {
        "seed": program.seed,
        "device": program.device,
        "warm": warmed,
        "pid": os.getpid(),
        "options": program.options,
        "noise": program.noise,
        "processes": [program.processes, program.room_bytes],
    }
    return Outcome(result=program.payload, metadata=seen)


def nap(program: Program, log: Log) -> Outcome:
    seconds = float(program.payload)
    log(f"sleeping for {seconds} s", Severity.INFO)
    time.sleep(seconds)
    return Outcome(result=program.payload)


def hold(program: Program, log: Log) -> Outcome:
    """Run until the file that the payload names is there."""
    log("held", Severity.INFO)
    _until_there(program.payload.decode())
    return Outcome(result=b"let go")


def _until_there(path: str) -> None:
    """Wait for a file, so that no test has to be quicker than a run."""
    while not os.path.exists(path):
        time.sleep(0.005)


def plod(program: Program, log: Log) -> Outcome:
    """Say how far it is, and go on until the file that the payload names is there."""
    log(
        "half of it", Severity.INFO, Progress(method="steps", parts=2, parts_done=1, seconds_used=1.5, seconds_left=1.5)
    )
    _until_there(program.payload.decode())
    return Outcome(result=b"all of it", metadata={"method": "steps"})


def burn(program: Program, log: Log) -> Outcome:
    while True:
        pass


def abort(program: Program, log: Log) -> Outcome:
    os.write(2, b"memory allocation of 436207632 bytes failed\n")
    os.abort()


def abort_once(program: Program, log: Log) -> Outcome:
    """Dies until the file that the payload names is there."""
    marker = program.payload.decode()
    if not os.path.exists(marker):
        open(marker, "w").close()
        os.abort()
    return Outcome(result=b"second")


def stop_once(program: Program, log: Log) -> Outcome:
    """Stands still until the file that the payload names is there."""
    marker = program.payload.decode()
    if not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), signal.SIGSTOP)
    return Outcome(result=b"second")


def leave(program: Program, log: Log) -> Outcome:
    os._exit(3)


def segfault(program: Program, log: Log) -> Outcome:
    ctypes.string_at(0)
    return Outcome()


def allocate(program: Program, log: Log) -> Outcome:
    held = bytearray(int(program.payload))
    return Outcome(result=str(len(held)).encode())


def raise_error(program: Program, log: Log) -> Outcome:
    raise ZeroDivisionError("secret detail")


def fail(program: Program, log: Log) -> Outcome:
    return Outcome(failure=Failure.PROGRAM, reason="Line 3 is wrong.", reason_code=1517)


def big(program: Program, log: Log) -> Outcome:
    size = int(program.payload)
    return Outcome(result=b"r" * size, files={"a": b"a" * size, "b": b""})


def spawn(program: Program, log: Log) -> Outcome:
    """Starts a process of its own and sleeps; the payload names a file for its id."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open(program.payload.decode(), "w") as file:
        file.write(str(child.pid))
    time.sleep(60)
    return Outcome()


def chatter(program: Program, log: Log) -> Outcome:
    for number in range(int(program.payload)):
        log(f"line {number}", Severity.INFO)
    return Outcome()


def share(program: Program, log: Log) -> Outcome:
    """Have parts run by helpers, if that can be; says by how many processes they were run."""
    from qumulus.simulation import sharing

    sharing._WORTH = 0.0
    log("before", Severity.INFO)
    with sharing.allowed(2, sys.maxsize):
        found = list(sharing.parts(3, lambda _index: sharing.Part({"pid": os.getpid()}, {})))
    return Outcome(result=str(len({part.members["pid"] for part in found})).encode())


def describe(program: Program, log: Log) -> Outcome:
    limits = program.limits
    found = {"seconds": limits.seconds, "memory": limits.memory_bytes, "omp": os.environ["OMP_NUM_THREADS"]}
    return Outcome(result=json.dumps(found).encode())


def variables(program: Program, log: Log) -> Outcome:
    return Outcome(result=json.dumps(dict(os.environ)).encode())


def odd_text(program: Program, log: Log) -> Outcome:
    log("half a character: \ud800", Severity.INFO)
    return Outcome(failure=Failure.PROGRAM, reason="\udfff and \x00", metadata={"odd": "\ud800 and \N{GRINNING FACE}"})
