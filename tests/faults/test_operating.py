"""What operators do to a server and its folder: copies of a folder that is used, old and new versions, small limits, very large results."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Connection, MetaData, Table, insert, select

import databases
from asking import TASK, ask
from dispatchers import wait_for
from qumulus.core.accounts import Caller
from qumulus.core.clock import SystemClock
from qumulus.core.jobs import NewJob
from qumulus.core.ports import JobQuery
from qumulus.core.results import Outcome
from qumulus.serving.process_limits import running
from qumulus.storage import StateUnusable, Storage, open_storage
from qumulus.storage.database import schema
from qumulus.storage.storage import open_database
from servers import Server

ME = Caller(account="local")
NOBODY = 54321  # a user without processes
STEPS = [f"{number:04}" for number in range(1, int(schema.HEAD) + 1)]


def submitted(storage: Storage, payload: bytes = b"x") -> str:
    return storage.jobs.submit(NewJob(account="local", device="d", kind="echo", api="test", payload=payload)).id


@pytest.mark.only("sqlite")
def test_a_copy_of_a_folder_that_is_used_is_opened_whole_or_refused_in_words(tmp_path, record_property):
    stop, opened = threading.Event(), 0
    with closing(open_storage(tmp_path / "used")) as storage:

        def write() -> None:
            while not stop.is_set():
                submitted(storage, bytes(100_000))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(6):
                copy = tmp_path / f"copy-{number}"
                shutil.copytree(tmp_path / "used", copy, ignore_dangling_symlinks=True, copy_function=_copied)
                opened += opens(copy)
        finally:
            stop.set()
            writer.join()
        assert storage.jobs.get(submitted(storage), ME).id
    record_property("measured", f"{opened} of 6 opened, the others refused; the one that is used goes on")


def opens(home: Path) -> bool:
    """Whether a state is opened and used; one that is not is refused because it is damaged."""
    try:
        with closing(open_storage(home)) as storage:
            return bool(submitted(storage))
    except StateUnusable as error:
        if "damaged" not in str(error):
            raise
        return False


def _copied(source: str, target: str) -> None:
    """Copy a file that may be gone by now."""
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return


KNOWN = {  # of a row in each table, where more than any value of the type will do
    "jobs": {"id": "a job", "account": "local", "device": "d", "kind": "echo", "api": "test", "state": "queued", "lane": "d\x1flocal", "payload": b"kept", "attempts": 3, "attempt": 0},
    "accounts": {"id": "somebody", "status": "approved"},
    "instances": {"account": "somebody"},
    "tokens": {"account": "somebody", "built_in": False},
    "results": {"job": "a job"},
    "log_lines": {"job": "a job"},
    "pool_files": {"pool": "id"},
    "faults": {"rule": {"kind": "error", "status": 503}},
}  # fmt: skip
LEFT_OUT = {  # what the database keeps itself, and what has to be a whole device
    "alembic_version",
    "job_counts",
    "job_tags",
    "added_devices",
    "device_calibrations",
}
LARGE = ("blob", "payload_blob", "package_blob")  # that name files, of which there are none
UNSET = ("number", "owner", "lease_until", "due_at", "ended_at", "session", "failure")  # of a job that waits
VALUES = {dict: {}, str: "text", bytes: b"bytes", bool: True, int: 1, float: 1.5}


def filled(connection: Connection) -> dict[str, dict[str, Any]]:
    """Write a row with a value in each column into each table that there is, and return them all, those of the migrations too."""
    known = MetaData()
    known.reflect(connection, only=lambda name, _: not name.startswith(("job_texts", "sqlite")))
    for table in known.sorted_tables:
        if table.name in LEFT_OUT:
            continue
        row = {each.name: _value(table.name, each) for each in table.columns if each.name not in LARGE}
        connection.execute(insert(table).values({name: value for name, value in row.items() if value is not None}))
    return {table.name: rows_of(connection, table) for table in known.sorted_tables}


def _value(table: str, column: Column[Any]) -> Any:
    if column.name in KNOWN.get(table, {}):
        return KNOWN[table][column.name]
    if isinstance(column.type, JSON):
        return [] if column.name == "tags" else {}
    if column.name in UNSET:
        return None
    value = VALUES[column.type.python_type]
    return column.name if value == "text" else value


def rows_of(connection: Connection, table: Table) -> Any:
    return [dict(row._mapping) for row in connection.execute(select(table))]


@pytest.mark.everywhere
@pytest.mark.parametrize("step", STEPS[:-1])
def test_a_state_of_every_earlier_version_is_brought_up_to_date_with_all_that_it_has(tmp_path, step):
    home = tmp_path / "state"
    home.mkdir()
    url = databases.url(home, empty=True)
    database = open_database(home, url, SystemClock())
    schema.upgrade(database, step)
    with database.changing() as connection:
        before = filled(connection)
    database.close()
    with closing(open_storage(home, url=url)) as storage:
        with storage._database.read() as connection:
            now = MetaData()
            now.reflect(connection, only=lambda name, _: name in before)
            after = {name: rows_of(connection, now.tables[name]) for name in before if name not in LEFT_OUT}
        for name, there in after.items():
            for row in before[name]:
                assert any(row.items() <= {key: each.get(key) for key in row}.items() for each in map(dict, there)), (
                    name
                )
        assert storage.jobs.payload("a job") == b"kept"
        assert storage.jobs.find(JobQuery(text="name")).total == 1
        (claim,) = storage.queue.claim("a test", 1, timedelta(minutes=1))
        assert claim.job_id == "a job"


@pytest.mark.everywhere
def test_an_older_version_refuses_the_state_of_a_newer_one_in_words_and_changes_nothing(tmp_path, monkeypatch):
    url = databases.url(tmp_path)
    with closing(open_storage(tmp_path, url=url)) as storage:
        job = submitted(storage)
    monkeypatch.setattr(schema, "HEAD", STEPS[-2])
    with pytest.raises(StateUnusable, match=r"made by a newer version of Qumulus: install that one"):
        open_storage(tmp_path, url=url)
    monkeypatch.undo()
    with closing(open_storage(tmp_path, url=url)) as storage:
        assert storage.jobs.payload(job) == b"x"


def limited(which: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (most, most))


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that also another user than root gets to."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        yield Path(made)


def as_another_user(folder: Path, which: int) -> list[str]:
    """What makes a command one of a user who has no other processes, where root has no such limit: it reads what root reads, no more."""
    if which != resource.RLIMIT_NPROC or os.getuid():
        return []
    os.chown(folder, NOBODY, NOBODY)
    reading = "-all,+dac_read_search"  # the interpreter may lie in root's own folders
    who = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return ["setpriv", *who, "--inh-caps", reading, "--ambient-caps", reading, "--bounding-set", reading]


@pytest.mark.parametrize(
    ("which", "most"),
    [
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_NOFILE, 40),
        (resource.RLIMIT_AS, 200 << 20),
        (resource.RLIMIT_NPROC, 20),
        (resource.RLIMIT_NPROC, 70),
    ],
    ids=["16 files", "40 files", "200 MiB of addresses", "20 processes", "70 processes"],
)
def test_a_server_with_small_limits_serves_or_ends_with_a_message_and_leaves_a_sound_state(
    folder, which, most, record_property
):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUMULUS_")}
    environment |= {"QUMULUS_HOME": str(folder / "state"), "QUMULUS_PORT": "0", "QUMULUS_SIMULATIONS": "1"}
    environment["QUMULUS_SSE_PREPARE"] = "off"
    with (folder / "log").open("wb") as out:
        process = subprocess.Popen(
            [*as_another_user(folder, which), sys.executable, "-m", "qumulus", "serve"],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=limited(
                which, most + (running(os.getuid()) if which == resource.RLIMIT_NPROC and os.getuid() else 0)
            ),
        )
        try:
            wait_for(lambda: process.poll() is not None or "quantum cloud on" in (folder / "log").read_text(), 60)
            alive = process.poll() is None
        finally:
            process.terminate()
            process.wait(30)
    said = (folder / "log").read_text()
    assert said.strip()
    assert "Traceback" not in said
    assert alive or "ulimit -" in said
    with closing(open_storage(folder / "state")) as storage:
        assert submitted(storage)
    record_property("measured", "serves" if alive else "ends with a message; the state is sound")


def test_a_result_of_a_hundred_mebibytes_is_served_whole(tmp_path, record_property):
    size = 100 << 20
    with closing(open_storage(tmp_path / "state")) as storage:  # before the server is there, which would run the job
        job = submitted(storage)
        (claim,) = storage.queue.claim("a test", 1, timedelta(minutes=5))
        assert storage.queue.finish(claim, Outcome(result=bytes(size)), began_at=storage.clock.now())
    with Server(tmp_path / "state") as server:
        request = urllib.request.Request(f"{server.url}/emulator/jobs/{job}/result")
        request.add_header("Authorization", "Bearer qumulus-admin")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert sum(map(len, iter(lambda: answer.read(1 << 20), b""))) == size
        status, _ = ask(server, "POST", "/task", TASK)
        assert status == 200
        peak = int(Path(f"/proc/{server.process.pid}/status").read_text().split("VmHWM:")[1].split()[0]) >> 10
    assert peak < 600
    record_property("measured", json.dumps({"MiB": size >> 20, "peak MiB of the server": peak}))
