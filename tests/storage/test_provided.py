"""Jobs that the engine of a device fetches, their files, and what the engine says of the device."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from qumulus.core.accounts import DEFAULT_ACCOUNT, Caller
from qumulus.core.devices import DeviceReport
from qumulus.core.errors import NoResult, UnknownJob, WrongState
from qumulus.core.jobs import JobState, NewJob
from qumulus.storage import open_storage
from qumulus.storage.storage import Storage

OWNER = Caller(account=DEFAULT_ACCOUNT)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path / "state")
    yield opened
    opened.close()


def submitted(storage: Storage) -> str:
    new = NewJob(account=DEFAULT_ACCOUNT, device="lima", kind="openqasm.job", api="oqtopus/user", payload=b"x")
    return storage.jobs.submit(new).id


@pytest.mark.parametrize("lease", [None, timedelta(hours=1)])
def test_a_fetched_job_outlives_a_restart_of_the_server(storage: Storage, lease: timedelta | None) -> None:
    job_id = submitted(storage)
    assert [claim.job_id for claim in storage.queue.fetch("lima", 10, lease)] == [job_id]
    assert storage.queue.recover(everything=True) == 0
    assert storage.queue.held(job_id).job_id == job_id


def test_a_fetched_job_is_handed_back_when_its_lease_is_over(storage: Storage) -> None:
    job_id = submitted(storage)
    storage.queue.fetch("lima", 10, timedelta(seconds=-1))
    assert storage.queue.recover() == 1
    assert storage.jobs.look(job_id).state is JobState.QUEUED
    with pytest.raises(UnknownJob):
        storage.queue.held(job_id)


@pytest.mark.parametrize("size", [10, 200_000])
def test_the_last_file_of_a_name_stands_and_goes_with_the_job(storage: Storage, size: int) -> None:
    job_id = submitted(storage)
    storage.jobs.attach(job_id, "input.zip", b"a" * size)
    storage.jobs.attach(job_id, "input.zip", b"b" * size)
    assert storage.jobs.file(job_id, "input.zip") == b"b" * size
    storage.jobs.cancel(job_id, OWNER)
    with pytest.raises(WrongState):
        storage.jobs.attach(job_id, "input.zip", b"c")
    storage.jobs.delete(job_id, OWNER)
    assert list(storage.blobs.keys()) == []
    with pytest.raises(UnknownJob):
        storage.jobs.file(job_id, "input.zip")


def test_a_file_that_is_not_there_is_no_result(storage: Storage) -> None:
    with pytest.raises(NoResult):
        storage.jobs.file(submitted(storage), "result.zip")
    with pytest.raises(UnknownJob):
        storage.jobs.attach("nothing", "input.zip", b"")
    with pytest.raises(UnknownJob):
        storage.jobs.look("nothing")
    with pytest.raises(UnknownJob):
        storage.jobs.describe("nothing", {})


def test_what_is_echoed_of_a_job_can_be_replaced(storage: Storage) -> None:
    job_id = submitted(storage)
    storage.jobs.describe(job_id, {"transpiler_info": {"transpiler_lib": None}})
    assert storage.jobs.look(job_id).request == {"transpiler_info": {"transpiler_lib": None}}


def test_a_report_on_a_device_is_kept(storage: Storage) -> None:
    assert storage.device_settings.report("lima") == DeviceReport()
    report = DeviceReport(n_qubits=3, information=b"zip", calibrated_at=storage.clock.now())
    storage.device_settings.set_report("lima", report)
    storage.device_settings.forget()
    assert storage.device_settings.report("lima") == report
