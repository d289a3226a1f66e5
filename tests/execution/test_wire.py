"""Frames between processes: what comes through, and what ends the connection."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qumulus.core.programs import Limits, Program
from qumulus.core.results import Failure, LogLine, Outcome, Severity
from qumulus.execution.messages import (
    outcome_members,
    outcome_parts,
    program_members,
    to_line,
    to_outcome,
    to_program,
)
from qumulus.execution.wire import BrokenWire, Message, Wire


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Wire]]:
    ours, theirs = socket.socketpair()
    yield ours, Wire(theirs, most_bytes=1000)
    ours.close()
    theirs.close()


def frame(header: object, *parts: bytes) -> bytes:
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("!I", len(data)) + data + b"".join(parts)


def test_a_frame_comes_as_it_was_sent_however_large():
    ours, theirs = socket.socketpair()
    sender, receiver = Wire(ours), Wire(theirs)
    parts = [b"", b"x" * 5_000_000, b"\x00\xff"]
    sending = threading.Thread(target=sender.send, args=("run", parts), kwargs={"number": 1, "text": "é\U0001f600"})
    sending.start()
    message = receiver.receive(60)
    sending.join(60)
    assert message == Message("run", {"number": 1, "text": "é\U0001f600"}, parts)
    sender.close()
    receiver.close()


def test_frames_that_come_together_are_read_one_after_the_other_by_either_way(ends):
    ours, wire = ends
    ours.sendall(b"".join(frame({"say": word, "parts": [2]}, b"ab") for word in ("a", "b", "c")) + b"\x00")
    assert wire.receive(60) == Message("a", {}, [b"ab"])
    assert wire.receive(0) == Message("b", {}, [b"ab"])
    assert wire.receive_frame()[1:] == (b"ab",)
    rest = frame({"say": "d", "parts": [900]}, b"x" * 900)[1:]  # of whose length one byte is here already
    sending = threading.Thread(target=lambda: [ours.sendall(rest[:10]), ours.sendall(rest[10:])])
    sending.start()
    assert wire.receive(60) == Message("d", {}, [b"x" * 900])
    sending.join(60)
    assert wire.receive(0) is None


def test_nothing_within_the_time_is_nothing(ends):
    assert ends[1].receive(0.01) is None


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!I", 1 << 31),
        frame(b"not json"),
        frame([]),
        frame({"say": 1, "parts": []}),
        frame({"say": "x"}),
        frame({"say": "x", "parts": [-1]}),
        frame({"say": "x", "parts": [1.5]}),
        frame({"say": "x", "parts": [True]}),
        frame({"say": "x", "parts": "aa"}),
        frame({"say": "x", "parts": [600, 600]}),
        frame(b'{"say": "x", "parts": ' + b"[" * 100_000),
        frame(b"\xff\xfe"),
        frame({"say": "x", "parts": [3]}, b"ab"),
        b"\x00\x00",
    ],
)
def test_what_is_no_frame_ends_the_connection(ends, data):
    ours, wire = ends

    def send() -> None:
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)

    sending = threading.Thread(target=send)
    sending.start()
    with pytest.raises(BrokenWire):
        wire.receive(60)
    wire.close()
    sending.join(60)


texts = st.text(max_size=20)
outcomes = st.builds(
    Outcome,
    failure=st.none() | st.sampled_from(Failure),
    reason=st.none() | texts,
    reason_code=st.none() | st.integers(),
    result=st.binary(max_size=50),
    media_type=texts,
    files=st.dictionaries(texts, st.binary(max_size=20), max_size=3),
    metadata=st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts | st.lists(st.integers())),
    run_seconds=st.none() | st.floats(allow_nan=False),
)


@given(outcomes)
def test_an_outcome_is_the_same_on_the_other_side(outcome):
    members = json.loads(json.dumps(outcome_members(outcome)))
    assert to_outcome(Message("outcome", members, outcome_parts(outcome))) == outcome


def test_a_program_is_the_same_on_the_other_side():
    program = Program(
        job_id="j",
        kind="k",
        payload=b"p",
        device="d",
        documents=b"d",
        shots=5,
        seed=7,
        options={"a": [1]},
        limits=Limits(seconds=3),
        noise="local-mode",
    )
    assert to_program(Message("run", json.loads(json.dumps(program_members(program))), [b"p", b"d"])) == program


@pytest.mark.parametrize("missing", ["failure", "reason", "files", "metadata", "run_seconds"])
def test_an_outcome_that_lacks_something_ends_the_connection(missing):
    members = outcome_members(Outcome())
    del members[missing]
    with pytest.raises(BrokenWire):
        to_outcome(Message("outcome", members, [b""]))


def test_a_line_of_the_log_has_a_time_and_a_severity():
    members = {"time": 0, "text": "x", "severity": "WARNING"}
    assert to_line(Message("log", members)) == LogLine(datetime(1970, 1, 1, tzinfo=UTC), "x", Severity.WARNING)
    for wrong in ({"time": 1e300}, {"severity": "LOUD"}, {"time": "noon"}):
        with pytest.raises(BrokenWire):
            to_line(Message("log", members | wrong))
