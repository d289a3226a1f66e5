"""Long jobs of one account on every worker: another account's job does not wait for their end, and who is alone gets no more workers."""

from __future__ import annotations

from dispatchers import wait_for
from qumulus.core.accounts import Caller
from qumulus.core.jobs import JobState


def test_a_job_of_another_account_overtakes_long_jobs_that_have_all_workers(start):
    cloud = start(workers=2)
    long = [cloud.submit("nap", "60") for _ in range(3)]
    for job_id in long[:2]:
        cloud.until(job_id, JobState.RUNNING)
    other = cloud.submit("echo", account="other")
    others = Caller(account="other")
    wait_for(lambda: cloud.storage.jobs.get(other, others).state is JobState.SUCCEEDED, 20)
    assert [cloud.get(job_id).state for job_id in long] == [JobState.RUNNING, JobState.RUNNING, JobState.QUEUED]
