"""Deployed services, data pools and sealed secrets in the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import databases
from qumulus.core.clock import SystemClock
from qumulus.core.errors import UnknownFile, UnknownPool, UnknownService
from qumulus.core.pools import About
from qumulus.core.ports import Deployed, PoolRecord
from qumulus.core.services import Deployment, Service, ServiceState
from qumulus.storage import open_storage
from qumulus.storage.blobs.sweeping import sweep
from qumulus.storage.database import schema
from qumulus.storage.pools import BATCH_FILES
from qumulus.storage.storage import open_database

LARGE = bytes(range(256)) * 1000
POOL = PoolRecord(
    id="6c1b2c8a-33b7-4b9c-9a0e-0a4b0e3a6b10",
    account="local",
    about=About(name="Cities", tags=("a", "b")),
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
)


def deployed(name: str = "sum", version: str = "1", **members: object) -> Deployed:
    told = {
        "name": name,
        "title": "Sum",
        "description": "adds",
        "version": version,
        "state": ServiceState.BUILDING,
        "reason": None,
        "api_version": 2,
        "entrypoint": "src.program:run",
        "deployed_at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    }
    return Deployed(service=Service(**told | members), deployment=Deployment(strict=True))  # ty: ignore[invalid-argument-type]


@pytest.fixture
def storage(tmp_path):
    storage = open_storage(tmp_path / "state")
    yield storage
    storage.close()


def test_what_is_deployed_is_found_with_its_package_until_it_is_removed(storage):
    for each in (deployed(), deployed("average")):
        storage.services.put(each, b"package of " + each.service.name.encode())
    assert storage.services.get("sum") == deployed()
    assert [each.service.name for each in storage.services.all()] == ["average", "sum"]
    assert storage.services.package("sum", "1") == b"package of sum"
    storage.services.remove("sum")
    for ask in (storage.services.get, storage.services.remove, lambda name: storage.services.package(name, "1")):
        with pytest.raises(UnknownService):
            ask("sum")


def test_a_large_package_is_a_large_value_that_goes_with_its_version(storage):
    storage.services.put(deployed(), LARGE)
    assert len(list(storage.blobs.keys())) == 1
    assert storage.services.package("sum", "1") == LARGE
    storage.services.put(deployed(version="2"), LARGE + b"2")
    assert len(list(storage.blobs.keys())) == 1
    assert storage.services.package("sum", "2") == LARGE + b"2"
    with pytest.raises(UnknownService):
        storage.services.package("sum", "1")
    storage.services.remove("sum")
    assert list(storage.blobs.keys()) == []


def test_what_became_of_a_version_is_said_of_no_other_one(storage):
    storage.services.put(deployed(version="2"), b"")
    assert not storage.services.built(replace(deployed(version="1").service, state=ServiceState.FAILED))
    assert storage.services.get("sum").service.state is ServiceState.BUILDING
    assert storage.services.built(replace(deployed(version="2").service, state=ServiceState.FAILED, reason="no"))
    assert storage.services.get("sum").service.reason == "no"


def test_packages_and_files_are_not_swept_as_long_as_a_row_names_them(tmp_path, storage):
    storage.services.put(deployed(), LARGE)
    storage.pools.put(POOL)
    storage.pools.add(POOL.id, [("large", LARGE)])
    storage.blobs.put("0" * 32, LARGE)
    assert sweep(storage._database, storage.blobs, timedelta(0)) == 1
    storage.close()
    again = open_storage(tmp_path / "state")  # who is alone on a folder sweeps as well
    assert again.services.package("sum", "1") == again.pools.content(POOL.id, "large") == LARGE
    again.close()


def test_a_data_pool_keeps_its_files_small_and_large(storage):
    storage.pools.put(POOL)
    storage.pools.put(replace(POOL, about=About(name="Towns")))
    assert [pool.about.name for pool in storage.pools.pools()] == ["Towns"]
    storage.pools.add(POOL.id, [("b", b"1")])
    storage.pools.add(POOL.id, [("b", LARGE), ("a", b"2")])
    assert [(file.name, file.size) for file in storage.pools.files(POOL.id)] == [("a", 1), ("b", len(LARGE))]
    assert storage.pools.content(POOL.id, "b") == LARGE
    storage.pools.discard(POOL.id, ["a", "never there"])
    with pytest.raises(UnknownFile):
        storage.pools.content(POOL.id, "a")
    storage.pools.remove(POOL.id)
    assert list(storage.blobs.keys()) == []
    for ask in (lambda: storage.pools.pool(POOL.id), lambda: storage.pools.add(POOL.id, [("c", LARGE)])):
        with pytest.raises(UnknownPool):
            ask()
    assert list(storage.blobs.keys()) == []


def test_a_data_pool_takes_more_files_than_a_transaction(storage):
    storage.pools.put(POOL)
    many = {f"{number:04}": b"%d" % number for number in range(2 * BATCH_FILES + 1)}
    storage.pools.add(POOL.id, many.items())
    assert [file.name for file in storage.pools.files(POOL.id)] == list(many)
    assert storage.pools.content(POOL.id, "0512") == b"512"
    storage.pools.discard(POOL.id, list(many)[1:])
    assert [file.name for file in storage.pools.files(POOL.id)] == ["0000"]


def test_sealed_secrets_are_kept_until_they_are_forgotten_or_nobody_came_for_them(storage):
    storage.sealed.keep("one", b"sealed")
    storage.sealed.keep("two", b"sealed too")
    storage.sealed.forget("one")
    assert (storage.sealed.get("one"), storage.sealed.get("two")) == (None, b"sealed too")
    storage.sealed.sweep(timedelta(days=1))
    assert storage.sealed.get("two") == b"sealed too"
    storage.sealed.sweep(timedelta(seconds=-1))
    assert storage.sealed.get("two") is None


def test_the_tables_of_services_come_and_go_and_jobs_stay(tmp_path):
    from qumulus.core.jobs import NewJob

    storage = open_storage(tmp_path / "state")
    job = storage.jobs.submit(NewJob(account="local", device="brisbane", kind="echo", api="test", payload=b"kept"))
    storage.services.put(deployed(), b"package")
    storage.close()
    database = open_database(tmp_path / "state", databases.url(tmp_path / "state"), SystemClock())
    schema.downgrade(database, "0003")
    schema.upgrade(database)
    database.close()
    again = open_storage(tmp_path / "state")
    assert again.services.all() == []
    assert again.jobs.payload(job.id) == b"kept"
    again.services.put(deployed(), b"package")
    assert again.services.package("sum", "1") == b"package"
    again.close()
