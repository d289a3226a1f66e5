"""Cores that free places of a node lend to a job beside them. Ray itself is not asked."""

from __future__ import annotations

import pytest

from dispatchers import PROGRAMS
from qumulus.cluster.actor import Place
from qumulus.cluster.bundle import bundled, unbundled
from qumulus.cluster.requests import Reservation, lend, widened
from qumulus.core.programs import Program
from qumulus.execution.messages import program_members, program_parts, to_program
from qumulus.execution.wire import Frame, Message, packed, unpacked

ROOM = 1 << 28


def framed(**members: bool) -> Frame:
    program = Program(job_id="job", kind="echo", payload=b"", device="lima", **members)
    return packed(Message("run", program_members(program), program_parts(program)))


def on(node: str) -> Reservation:
    return Reservation(None, ROOM, None, node=node)


def test_a_job_has_the_cores_of_the_free_places_of_its_node() -> None:
    job = on("a")
    lend([job], [on("a"), on("b"), on("a")])
    assert job.processes == 3


def test_jobs_that_begin_together_share_them() -> None:
    first, second, elsewhere = on("a"), on("a"), on("b")
    lend([first, second, elsewhere], [on("a"), on("a"), on("a")])
    assert [each.processes for each in (first, second, elsewhere)] == [2, 2, 1]


def test_what_was_lent_once_is_not_lent_for_good() -> None:
    job = on("a")
    lend([job], [on("a")])
    lend([job], [])
    assert job.processes == 1


def test_a_program_is_told_how_many_processes_it_may_use_and_with_how_much_memory() -> None:
    program = to_program(unpacked(widened(framed(), 3, ROOM)))
    assert (program.processes, program.room_bytes) == (3, ROOM)


@pytest.mark.parametrize(("processes", "members"), [(1, {}), (3, {"repeatable": True})])
def test_one_that_is_alone_or_repeats_itself_has_its_own_core(processes: int, members: dict[str, bool]) -> None:
    program = to_program(unpacked(widened(framed(**members), processes, ROOM)))
    assert (program.processes, program.room_bytes) == (1, None)


def test_a_place_runs_it_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PROGRAMS))
    place = Place("programs:run", (), 1 << 40)
    said = unbundled(place.run(ROOM, bundled([(1, framed())]), 3))
    (outcome,) = (message for _, frame in said if (message := unpacked(frame)).say == "outcome")
    assert outcome.members["metadata"]["processes"] == [3, ROOM]
    place._worker_pool.stop()
