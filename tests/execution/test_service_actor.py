"""Actors of executions, as they are on a node; Ray itself is not needed for that."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import denying
from qumulus.cluster.services import orders
from qumulus.cluster.services.actor import FOLDER, ServiceActor, Unsafe
from qumulus.execution.wire import packed, unpacked
from qumulus.services import archive
from qumulus.services.execution import Input, Package
from qumulus.services.resources import Resources

PACKAGE = Package(
    version="v", content=bytes, entrypoint="src.program:run", requirements=(), strict=False, resources=Resources()
)
SOURCE = """
import os
def run():
    print("begun")
    return os.path.exists({seen!r})
"""


def seen(folder: Path) -> str:
    """What a program sees of a file in ``folder``; or why it was not run."""
    (folder / "secret").touch()
    actor = ServiceActor()
    holds = actor.enter()
    actor.take("v", archive.zipped({"src/program.py": SOURCE.format(seen=str(folder / "secret")).encode()}))
    order = orders.order("a-job", PACKAGE, Input(body=b"{}"), network=True, unsandboxed=False)
    header, hidden, *parts = packed(order)
    try:
        *log, ended = actor.run(hidden, header, *parts)
    except Unsafe as error:
        return f"{holds}: {error}"
    assert [line.text for frame in log for line in orders.told_lines(unpacked(frame))] == ["begun"]
    outcome, pools = orders.told_end(unpacked(ended))
    assert pools == {}
    return f"{holds}: {outcome.files['output.txt'].decode()}"


def test_a_program_runs_behind_the_sandbox_of_its_node_and_not_at_all_where_there_is_none(tmp_path, monkeypatch):
    folder = tmp_path / "node"
    monkeypatch.setenv(FOLDER, str(folder))
    assert seen(tmp_path) == "True: false"
    told = subprocess.run(
        [sys.executable, denying.__file__, sys.executable, __file__, tmp_path],
        env=os.environ | {"PYTHONPATH": str(Path(denying.__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told == "False: This node can't keep a program from other files.\n"
    assert list((folder / "runs").iterdir()) == []


def test_what_a_room_has_left_that_was_killed_is_removed_by_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path / "node"))
    runs = tmp_path / "node" / "runs"
    for name in ("old", "held", "fresh"):
        (runs / name / "run" / "input").mkdir(parents=True)
    (tmp_path / "node").chmod(0o755)
    long_ago = time.time() - 3600
    for name in ("old", "held"):
        os.utime(runs / name, (long_ago, long_ago))
    hold = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, runs / "held"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        ServiceActor().enter()
        assert sorted(os.listdir(runs)) == ["fresh", "held"]
        holder.kill()
    ServiceActor().enter()
    assert os.listdir(runs) == ["fresh"]


def test_a_folder_that_somebody_else_could_change_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "node"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setenv(FOLDER, str(folder))
    with pytest.raises(Unsafe, match=FOLDER):
        ServiceActor().enter()


if __name__ == "__main__":
    print(seen(Path(sys.argv[1])))
