"""A run of a function: the job, what its program is told, and the files that it finds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from qumulus.apis.family import loaded
from qumulus.core.accounts import Caller
from qumulus.core.jobs import Job, NewJob
from qumulus.core.pools import About, Pool, Pools
from qumulus.core.ports import JobStore
from qumulus.core.services import Services, device_of
from qumulus.payloads import SERVICE
from qumulus.payloads.user_programs import Parameters

from . import uploads

API = "ibm/functions"
POOL = "Qiskit Function "  # and the title: how the files of a function are called among data pools
DATA = "data"


def begin(
    about: Mapping[str, Any],
    arguments: str,
    *,
    caller: Caller,
    credential: str,
    instance: str,
    channel: str,
    origin: str,
    jobs: JobStore,
    pools: Pools,
    services: Services,
) -> Job:
    """Begin a run of a function. The credential stays a secret of the run, and is good for this cloud."""
    job_id, name = str(uuid.uuid4()), uploads.service_name(caller.account, about["title"])
    secrets = {"QISKIT_IBM_TOKEN": credential, "ENV_JOB_GATEWAY_TOKEN": credential}
    told = {
        "entrypoint": about["entrypoint"],
        "archive": uploads.ARCHIVE,
        "variables": {**about["variables"], **_variables(origin, instance, channel, job_id)},
    }
    pool = files_of(about["title"], caller, pools)
    brought = {} if pool is None else {DATA: asdict(pools.reference(pool.id, None, caller))}
    new = NewJob(
        job_id=job_id,
        account=caller.account,
        device=device_of(name),
        kind=SERVICE.name,
        api=API,
        payload=SERVICE.encode(Parameters({"arguments": arguments, "function": told})),
        name=about["title"],
        instance=instance,
        attempts=1,
        request={
            "secrets": sorted(secrets),
            "service_id": about["id"],
            "origin": origin,
            "pools": brought,
            "function": {"id": about["id"], "title": about["title"]},
        },
    )
    with services.keep_secrets(job_id, secrets, credential):
        return jobs.submit(new)


def _variables(origin: str, instance: str, channel: str, job_id: str) -> dict[str, str]:
    """The variables by which the clients in a function find this cloud."""
    clients = loaded("qumulus.apis.ibm.family:IBM").clients
    return {
        name: value for name, value in clients.environment(origin, "", instance).items() if name != "QISKIT_IBM_TOKEN"
    } | {
        "QISKIT_IBM_CHANNEL": channel,
        "ENV_JOB_GATEWAY_HOST": f"{origin}/functions",
        "ENV_JOB_GATEWAY_INSTANCE": instance,
        "ENV_JOB_ID_GATEWAY": job_id,
        "ENV_GATEWAY_PROVIDER_VERSION": "v1",
    }


def files_of(title: str, caller: Caller, pools: Pools) -> Pool | None:
    """The files of a function; None where there never were any."""
    return next((pool for pool in pools.pools(caller) if pool.about.name == POOL + title), None)


def files_for(title: str, caller: Caller, pools: Pools) -> Pool:
    """The same, made where they are not there."""
    return files_of(title, caller, pools) or pools.make(About(name=POOL + title), caller)
