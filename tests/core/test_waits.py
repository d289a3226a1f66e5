"""Questions that are asked at once: answered where nobody has to wait for it, and left alone where somebody would."""

from __future__ import annotations

from pathlib import Path

import pytest

from qumulus.core.accounts import Caller
from qumulus.core.jobs import NewJob
from qumulus.core.waits import MustWait, at_once
from qumulus.storage import open_storage
from qumulus.storage.jobs.values import IN_ROW_BYTES


def test_a_row_is_read_at_once_and_nothing_is_written_or_read_from_a_blob(tmp_path: Path):
    storage = open_storage(tmp_path)
    new = NewJob(account="local", device="brisbane", api="test", kind="any", payload=b"x" * (IN_ROW_BYTES + 1))
    job = storage.jobs.submit(new)
    assert at_once(storage.jobs.get, job.id, Caller(account="local")).id == job.id
    for call, arguments in ((storage.jobs.payload, (job.id,)), (storage.jobs.submit, (new,))):
        with pytest.raises(MustWait):
            at_once(call, *arguments)
    assert storage.jobs.payload(job.id) == new.payload
    assert sum(storage.jobs.pending().values()) == 1
    storage.close()
