"""How a task's result is put together with what is known of the task, without being decoded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qumulus.apis.oqtopus.user.schemas.task import PostTaskRequest
from qumulus.apis.oqtopus.user.translate.tasks import new_task, task_result
from qumulus.catalogue import SnapshotCatalogue
from qumulus.catalogue.ideal import IDEAL
from qumulus.core.accounts import Caller
from qumulus.core.results import Outcome
from qumulus.storage import open_storage


@pytest.mark.parametrize("result", [b"{}", b" { } ", b'{"counts": {"0": 1}}', b'\n{"counts":{"0":1}}\n'])
def test_the_result_of_a_task_is_an_object_with_what_the_worker_wrote(tmp_path: Path, result: bytes) -> None:
    storage = open_storage(tmp_path)
    caller = Caller(account="local")
    device = SnapshotCatalogue().device(IDEAL)
    body = PostTaskRequest(code="qubit q;", device=IDEAL, n_qubits=1, n_shots=1)
    try:
        job = storage.jobs.submit(new_task(body, caller, device))
        (claim,) = storage.queue.claim("owner", 1, timedelta(seconds=10))
        assert storage.queue.finish(claim, Outcome(result=result), began_at=datetime.now(UTC))
        shown = json.loads(task_result(storage.jobs.get(job.id, caller), storage.jobs).content)
    finally:
        storage.close()
    assert shown["task_id"] == job.id
    assert {name: shown[name] for name in json.loads(result)} == json.loads(result)
