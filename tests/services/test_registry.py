"""Services of several processes that share a database and no folder."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from qumulus.core.accounts import Caller
from qumulus.core.errors import InvalidRequest, LimitReached, StorageFull, UnknownService
from qumulus.core.jobs import NewJob
from qumulus.core.pools import About
from qumulus.core.services import Deployment, device_of
from qumulus.payloads import SERVICE
from qumulus.services import archive
from qumulus.services.host import registry_of
from qumulus.services.pool_mounts import PoolCopies
from qumulus.services.registry import ServiceRegistry
from qumulus.services.resources import Resources
from qumulus.storage import Storage, open_storage

FILES = {"src/program.py": b"def run():\n    return 1\n", "datapool/numbers/a.csv": b"1.5"}
ME = Caller(account="local")


@pytest.fixture
def storage(tmp_path: Path):
    storage = open_storage(tmp_path / "state")
    yield storage
    storage.close()


def registry(storage: Storage, folder: Path, *, key: bytes | None = b"a key") -> ServiceRegistry:
    """The services of a process with a folder of its own."""
    _, pools = registry_of(storage, resources=Resources(), secret=bytes)
    return ServiceRegistry(
        folder,
        storage.services,
        clock=storage.clock,
        events=storage.events,
        resources=Resources(),
        pools=pools,
        mounts=PoolCopies(storage.pools),
        sealed=storage.sealed,
        key=key,
    )


def until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_service_is_unpacked_where_it_is_first_needed(storage, tmp_path):
    here, there = registry(storage, tmp_path / "here"), registry(storage, tmp_path / "there")
    service = here.deploy("sum", FILES, Deployment())
    assert there.services() == (service,)
    assert there.document("sum") == here.document("sum")
    assert there.brings("sum") == {"numbers"}
    until(lambda: there.served(device_of("sum")))
    with there.program(device_of("sum")) as program:
        assert program.folder.is_relative_to(tmp_path / "there")
        assert (program.folder / "src" / "program.py").read_bytes() == FILES["src/program.py"]


def test_who_unpacks_the_same_at_the_same_time_is_passed_over(storage, tmp_path, monkeypatch):
    here, there = registry(storage, tmp_path / "here"), registry(storage, tmp_path / "there")
    there.deploy("sum", FILES, Deployment())
    unpack = archive.unpack

    def with_somebody_faster(files, folder):
        unpack(files, folder)
        if not list(folder.parent.glob("[!.]*")):
            shutil.copytree(folder, folder.parent / there.service("sum").version)

    monkeypatch.setattr("qumulus.services.archive.unpack", with_somebody_faster)
    here.deploy("sum", FILES, Deployment())
    assert [path.name for path in (tmp_path / "here" / "unpacked").iterdir()] == [here.service("sum").version]


@pytest.mark.parametrize(
    ("number", "told"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EACCES, PermissionError)]
)
def test_what_keeps_a_service_from_being_unpacked_is_told_and_leaves_nothing(
    storage, tmp_path, monkeypatch, number, told
):
    def refused(self, target):
        raise OSError(number, os.strerror(number), str(target))

    here = registry(storage, tmp_path / "here")
    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(told):
        here.deploy("sum", FILES, Deployment())
    monkeypatch.undo()
    assert here.services() == ()
    assert list((tmp_path / "here" / "unpacked").iterdir()) == []
    here.deploy("sum", FILES, Deployment())


@pytest.mark.parametrize("letter", ["a", "ä", "漢"])
def test_a_file_whose_name_is_too_long_is_refused_whatever_its_letters(storage, tmp_path, letter):
    name = letter * (255 // len(letter.encode()) + 1)
    with pytest.raises(InvalidRequest, match="too long"):
        registry(storage, tmp_path / "here").deploy("sum", {**FILES, name: b""}, Deployment())


def test_a_version_that_runs_is_kept_until_it_has_ended(storage, tmp_path, monkeypatch):
    monkeypatch.setattr("qumulus.services.unpacked.SWEPT_SECONDS", -1)
    one = registry(storage, tmp_path / "one")
    one.own()
    one.deploy("sum", FILES, Deployment())
    with one.program(device_of("sum")) as program:
        one.deploy("sum", FILES | {"b": b""}, Deployment())
        assert (program.folder / "src" / "program.py").is_file()
    assert not program.folder.exists()
    one.remove("sum")
    assert list((tmp_path / "one" / "unpacked").iterdir()) == []
    with pytest.raises(UnknownService), one.program(device_of("sum")):
        pass


def test_secrets_pass_sealed_and_only_who_has_the_key_reads_them(storage, tmp_path):
    here, there = registry(storage, tmp_path / "here"), registry(storage, tmp_path / "there")
    with here.keep_secrets("a-job", {"SECRET_A": "do not tell"}, "the token"):
        pass
    sealed = storage.sealed.get("a-job")
    assert sealed is not None
    assert b"do not tell" not in sealed
    assert there._secrets.get("a-job")["SECRET_A"] == "do not tell"
    there._secrets._key = b"another key"
    assert there._secrets.get("a-job") == {}


def test_secrets_in_memory_are_forgotten_when_an_execution_is_cancelled_before_it_runs(storage, tmp_path):
    here = registry(storage, tmp_path / "here", key=None)
    job_id = "01234567-89ab-4def-8123-456789abcdef"
    new = NewJob(
        job_id=job_id, account=ME.account, device=device_of("sum"), kind=SERVICE.name, api="planqk/service", payload=b""
    )
    with here.keep_secrets(job_id, {"SECRET_A": "do not tell"}, "the token"):
        storage.jobs.submit(new)
    assert here._secrets.get(job_id)["SECRET_A"] == "do not tell"
    storage.jobs.cancel(job_id, ME)
    assert here._secrets.get(job_id) == {}


@pytest.mark.parametrize("key", [None, b"a key of all"], ids=["in memory", "sealed"])
def test_secrets_of_an_execution_that_is_not_accepted_are_forgotten(key, storage, tmp_path):
    here = registry(storage, tmp_path / "here", key=key)

    def refused() -> None:
        with here.keep_secrets("a-job", {"SECRET_A": "do not tell"}, "the token"):
            assert here._secrets.get("a-job")["SECRET_A"] == "do not tell"
            raise LimitReached("The queue is full.")

    with pytest.raises(LimitReached):
        refused()
    assert here._secrets.get("a-job") == {}


def test_what_a_run_does_to_its_copy_of_a_data_pool_is_taken_over_at_its_end(storage, tmp_path):
    from qumulus.services.pools import DataPools

    pools = DataPools(storage.pools, clock=storage.clock, secret=bytes)
    pool = pools.make(About(name="Numbers"), ME)
    for name in ("gone", "kept", "changed"):
        pools.add(pool.id, name, b"1", ME)
    copies = PoolCopies(storage.pools)
    for writable in (False, True):
        with ExitStack() as mounts:
            folder = mounts.enter_context(copies.mount(pool.id, tmp_path / "lent", writable=writable))
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
                "gone": b"1",
                "kept": b"1",
                "changed": b"1",
            }
            (folder / "gone").unlink()
            (folder / "changed").write_bytes(b"23")
            (folder / "new").write_bytes(b"4")
            (folder / "link").symlink_to("/etc/passwd")
            (folder / "folder").mkdir()
        assert not (tmp_path / "lent").exists()
        content = {file.name: pools.read(pool.id, file.id, ME)[1] for file in pools.files(pool.id, ME)}
        assert content == (
            {"changed": b"23", "kept": b"1", "new": b"4"} if writable else {"gone": b"1", "kept": b"1", "changed": b"1"}
        )


def test_what_an_older_version_kept_in_its_folder_is_taken_over_once_and_stays_there(storage):
    folder = storage.home / "services"
    version = folder / "deployed" / "sum" / "abc"
    for name, content in FILES.items():
        (version / name).parent.mkdir(parents=True, exist_ok=True)
        (version / name).write_bytes(content)
    told = {
        "name": "sum",
        "title": "Sum",
        "description": "",
        "version": "abc",
        "state": "READY",
        "reason": None,
        "api_version": 1,
        "entrypoint": "src.program:run",
        "deployed_at": "2026-01-02T03:04:05+00:00",
    }
    current = {"service": told, "deployment": {"entrypoint": None, "strict": True}}
    (version.parent / "current.json").write_text(json.dumps(current))
    found, _ = registry_of(storage, resources=Resources(), secret=bytes)
    (service,) = found.services()
    assert (service.version, service.api_version) == ("abc", 1)
    assert found.brings("sum") == {"numbers"}
    until(lambda: found.served(device_of("sum")))
    with found.program(device_of("sum")) as program:
        assert program.strict
        assert (program.folder / "src" / "program.py").read_bytes() == FILES["src/program.py"]
    found.remove("sum")
    again, _ = registry_of(storage, resources=Resources(), secret=bytes)
    assert again.services() == ()
    assert (version / "src" / "program.py").is_file()
