"""The queues that others cause."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from qumulus.apis.emulator.schemas.queues import Queue, QueueSetting, RecordedJob
from qumulus.apis.given import given
from qumulus.core import queues as core
from qumulus.core.seeds import Seeds


def queue(device: str, known: core.OthersQueue, now: datetime) -> Queue:
    """A queue as it is now."""
    recorded = [RecordedJob(after_seconds=after, run_seconds=run) for after, run in known.setting.recorded]
    members = asdict(known.setting) | {"recorded": recorded}
    if not recorded:
        del members["recorded"]
    return Queue(
        device=device,
        since=known.since,
        present=known.present(now),
        free_at=known.ready_at(now),
        setting=QueueSetting.model_validate(members),
    )


def core_setting(device: str, body: QueueSetting, seeds: Seeds) -> core.QueueSetting:
    """What is to be set at a device."""
    recorded = tuple((job.after_seconds, job.run_seconds) for job in given(body.recorded, []))
    drawn = body.model_dump(exclude={"recorded"})
    drawn["seed"] = given(body.seed, seeds.of(f"queue {device}"))
    return core.QueueSetting(**drawn, recorded=recorded)
