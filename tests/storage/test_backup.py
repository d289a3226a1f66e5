"""A state kept in a file while it is used, and put back."""

from __future__ import annotations

import io
import tarfile
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from dispatchers import wait_for
from qumulus.core.accounts import Caller
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.pools import About
from qumulus.core.ports import PoolRecord
from qumulus.core.results import Outcome
from qumulus.services.pool_folder import PoolFolder
from qumulus.storage import StateUnusable, Storage, open_storage
from qumulus.storage.backup import back_up, restore

pytestmark = pytest.mark.only("sqlite")

ME = Caller(account="local")
LARGE = bytes(range(256)) * 2048  # too large for a row


def submitted(storage: Storage, payload: bytes = LARGE) -> Job:
    return storage.jobs.submit(NewJob(account="local", device="brisbane", kind="echo", api="test", payload=payload))


def done(storage: Storage, result: bytes = LARGE) -> Job:
    job = submitted(storage)
    (claim,) = storage.queue.claim("a test", 1, timedelta(minutes=1))
    storage.queue.finish(claim, Outcome(result=result), began_at=storage.clock.now())
    return storage.jobs.get(job.id, ME)


def test_what_is_put_back_is_what_there_was(tmp_path):
    home, file, other = tmp_path / "home", tmp_path / "kept.tar", tmp_path / "other"
    with closing(open_storage(home)) as storage:
        job, waiting = done(storage), submitted(storage)
        secret = storage.signing_secret()
        pool = PoolRecord(id="0" * 32, account="local", about=About(name="a pool"), created_at=storage.clock.now())
        pools = PoolFolder(home / "services" / "pools")
        pools.put(pool)
        pools.add(pool.id, [("file.txt", b"text")])
        empty = PoolRecord(id="1" * 32, account="local", about=About(name="an empty one"), created_at=pool.created_at)
        pools.put(empty)
        (home / "services" / "environments" / "x").mkdir(parents=True)
        (home / "services" / "environments" / "x" / "large").write_bytes(LARGE)
        made = back_up(home, file)
    assert (made.jobs, made.values, made.lost) == (2, 3, ())
    assert file.stat().st_mode & 0o777 == 0o600
    assert restore(file, other).jobs == 2
    assert not (other / "services" / "environments").exists()
    with closing(open_storage(other)) as storage:
        assert storage.jobs.get(job.id, ME) == job
        assert storage.jobs.result(job.id)[0] == LARGE
        assert storage.jobs.payload(waiting.id) == LARGE
        assert storage.signing_secret() == secret
        assert [each.job_id for each in storage.queue.claim("a test", 9, timedelta(minutes=1))] == [waiting.id]
    back = PoolFolder(other / "services" / "pools")
    assert back.content(pool.id, "file.txt") == b"text"
    assert back.files(pool.id) == pools.files(pool.id)
    assert back.files(empty.id) == []
    assert (other / "services" / "pools" / empty.id / "files").stat().st_mode & 0o777 == 0o777


def test_backups_of_a_state_that_is_written_meanwhile_are_whole(tmp_path):
    home = tmp_path / "home"
    stop = threading.Event()
    written: list[Job] = []

    def write(storage: Storage) -> None:
        while not stop.is_set():
            job = done(storage)
            written.append(job)
            if len(written) % 2:
                storage.jobs.delete(job.id, ME)

    with closing(open_storage(home)) as storage:
        writer = threading.Thread(target=write, args=[storage])
        writer.start()
        try:
            for number in range(5):
                wait_for(lambda number=number: len(written) > 2 * number)
                earlier = {job.id for job in written[1::2]}  # each other one was removed
                made = back_up(home, tmp_path / f"{number}.tar")
                assert made.lost == ()
                restore(tmp_path / f"{number}.tar", tmp_path / str(number))
                with closing(open_storage(tmp_path / str(number))) as back:
                    for job_id in earlier:
                        assert back.jobs.get(job_id, ME).state is JobState.SUCCEEDED
                        assert back.jobs.result(job_id)[0] == LARGE
        finally:
            stop.set()
            writer.join()
    assert len(written) > 5


def test_a_value_that_was_gone_before_is_told_of(tmp_path):
    with closing(open_storage(tmp_path / "home")) as storage:
        job = done(storage)
        for key in list(storage.blobs.keys()):
            storage.blobs.delete(key)
        made = back_up(tmp_path / "home", tmp_path / "kept.tar")
    assert set(made.lost) == {job.id}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup")
    with closing(open_storage(folder / "home")) as storage:
        done(storage)
        back_up(folder / "home", folder / "kept.tar")
    return folder / "kept.tar"


def test_half_a_backup_is_none(kept, tmp_path):
    half = tmp_path / "half.tar"
    half.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])
    with pytest.raises(StateUnusable, match="only a part of one"):
        restore(half, tmp_path / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["half.tar"]


def test_a_backup_with_a_changed_byte_is_refused(kept, tmp_path):
    changed = bytearray(kept.read_bytes())
    changed[changed.index(LARGE[:1024]) + 5] ^= 1
    (tmp_path / "changed.tar").write_bytes(changed)
    with pytest.raises(StateUnusable, match="not what was put into it"):
        restore(tmp_path / "changed.tar", tmp_path / "home")


PLANTED = "services/environments/0123/bin/python"  # a server that is put back would run it, outside of every sandbox


@pytest.mark.parametrize("name", ["../outside", "/outside", "services/../../outside", "blobs/00/x", "present", PLANTED])
def test_an_entry_that_leads_out_of_the_folder_is_refused(kept, tmp_path, name):
    bad = tmp_path / "bad.tar"
    bad.write_bytes(kept.read_bytes())
    with tarfile.open(bad, "a") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"abc"))
    with pytest.raises(StateUnusable, match="none of a backup"):
        restore(bad, tmp_path / "home")
    assert {path.name for path in tmp_path.iterdir()} == {"bad.tar"}


def test_a_folder_that_has_a_state_is_left_alone(kept, tmp_path):
    open_storage(tmp_path / "home").close()
    with pytest.raises(StateUnusable, match="is not empty"):
        restore(kept, tmp_path / "home")


def test_a_file_that_is_there_is_not_replaced(kept, tmp_path):
    open_storage(tmp_path / "home").close()
    with pytest.raises(StateUnusable, match="already"):
        back_up(tmp_path / "home", kept)
    with pytest.raises(StateUnusable, match="no state"):
        back_up(tmp_path / "nothing", tmp_path / "kept.tar")


def test_a_backup_of_a_newer_version_is_refused(kept, tmp_path, monkeypatch):
    monkeypatch.setattr("qumulus.storage.backup.HEAD", "0000")
    with pytest.raises(StateUnusable, match="newer version"):
        restore(kept, tmp_path / "home")
