"""What a worker says over its socket."""

from __future__ import annotations

import socket
import sys
import threading
from types import ModuleType

import pytest

from qumulus.core.programs import Program
from qumulus.core.results import LOG_THREAD, Log, Outcome
from qumulus.execution.messages import program_members, program_parts
from qumulus.execution.wire import Wire
from qumulus.execution.worker import Worker

LINES = 5000


def chatter(_program: Program, log: Log, _admit: object) -> Outcome:
    for number in range(LINES):
        log(str(number))
    return Outcome()


@pytest.mark.parametrize("scarce", [False, True])
def test_every_line_of_a_log_arrives_in_its_order_before_the_outcome(monkeypatch, scarce):
    monkeypatch.setattr("qumulus.execution.worker.HELD_SECONDS", 0.0)
    monkeypatch.setattr("qumulus.execution.process.limit", lambda _limits: None)  # it would be that of the tests
    begin = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if scarce and thread.name == LOG_THREAD:
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    module = ModuleType("chatter")
    vars(module)["run"] = chatter
    ours, theirs = socket.socketpair()
    worker = threading.Thread(target=Worker(theirs, module, "run").serve, daemon=True)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that the threads meet each other at every point
    try:
        worker.start()
        wire = Wire(ours)
        program = Program(job_id="job", kind="chatter", payload=b"", device="lima", seed=1)
        wire.send("run", program_parts(program), **program_members(program))
        said = []
        while (message := wire.receive(60)) is not None and message.say != "outcome":
            said.append(message.members.get("text", message.say))
    finally:
        sys.setswitchinterval(before)
        ours.close()
    worker.join(60)
    assert said == ["begun", *map(str, range(LINES))]
