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
PROVIDERS_POOL = "Qiskit Function of the provider "  # the same, for what a provider keeps for all runs
DATA, PROVIDER_DATA = "data", "provider_data"
CATALOG, PROVIDED = "catalog", "provider:"  # tags of the jobs of providers' functions; the second with the name


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
    job_id = jobs.new_id()
    secrets = {"QISKIT_IBM_TOKEN": credential, "ENV_JOB_GATEWAY_TOKEN": credential}
    told = {
        "entrypoint": about["entrypoint"],
        "archive": uploads.ARCHIVE,
        "variables": {**about["variables"], **_variables(origin, instance, channel, job_id)},
    }
    new = NewJob(
        job_id=job_id,
        account=caller.account,
        device=queue_of(about["id"]),
        kind=SERVICE.name,
        api=API,
        payload=SERVICE.encode(Parameters({"arguments": arguments, "function": told})),
        name=about["title"],
        instance=instance,
        attempts=1,
        tags=(CATALOG, f"{PROVIDED}{about['provider']}") if about.get("provider") else (),
        request={
            "secrets": sorted(secrets),
            "service_id": about["id"],
            "origin": origin,
            "pools": _brought(about, caller, pools),
            "function": {name: about.get(name) for name in ("id", "title", "provider")},
        },
    )
    with services.keep_secrets(job_id, secrets, credential):
        return jobs.submit(new)


def queue_of(function: str) -> str:
    """What the jobs of a function name as their device."""
    return device_of(uploads.service_of(uuid.UUID(function)))


def _brought(about: Mapping[str, Any], caller: Caller, pools: Pools) -> dict[str, Any]:
    """The pools that a run finds: the caller's files for the function, and those of its provider, which it may only read."""
    title, provider = about["title"], about.get("provider")
    own = files_of(pool_name(title, provider), caller, pools)
    brought = {} if own is None else {DATA: asdict(pools.reference(own.id, None, caller))}
    if provider:
        owner = Caller(account=about["account"])
        theirs = files_of(pool_name(title, provider, PROVIDERS_POOL), owner, pools)
        if theirs is not None:
            brought[PROVIDER_DATA] = {**asdict(pools.reference(theirs.id, None, owner)), "writable": False}
    return brought


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


def pool_name(title: str, provider: str | None, prefix: str = POOL) -> str:
    """How the files of a function are called among data pools."""
    return f"{prefix}{provider}/{title}" if provider else f"{prefix}{title}"


def files_of(name: str, caller: Caller, pools: Pools) -> Pool | None:
    """A caller's pool of that name; None where there never was one."""
    return next((pool for pool in pools.pools(caller) if pool.about.name == name), None)


def files_for(name: str, caller: Caller, pools: Pools) -> Pool:
    """The same, made where it is not there."""
    return files_of(name, caller, pools) or pools.make(About(name=name), caller)
