"""The core's ports as handlers take them: `jobs: Jobs` in a signature, no `Depends`.

Each is `async` because a plain function would be sent to a thread, which costs more than what it does.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import URL

from qumulus.core import announcements, applications, cloud, following, keeping, pools, ports, seeds, services
from qumulus.core.ports.namespaces import BEGINS, leading


def _cloud(request: Request) -> cloud.Cloud:
    return request.app.state.cloud


def _whole(request: Request) -> cloud.Cloud:
    return _cloud(request)


def _jobs(request: Request) -> ports.JobStore:
    return _cloud(request).jobs


def _queue(request: Request) -> ports.FetchedQueue:
    return _cloud(request).queue


def _devices(request: Request) -> ports.Catalogue:
    return _cloud(request).catalogue


def _device_imports(request: Request) -> ports.DeviceImports:
    return _cloud(request).device_imports


def _accounts(request: Request) -> ports.Accounts:
    return _cloud(request).accounts


def _sessions(request: Request) -> ports.Sessions:
    return _cloud(request).sessions


def _workloads(request: Request) -> ports.Workloads:
    return _cloud(request).workloads


def _device_settings(request: Request) -> ports.DeviceSettingsStore:
    return _cloud(request).device_settings


def _faults(request: Request) -> ports.FaultStore:
    return _cloud(request).faults


def _state(request: Request) -> ports.State:
    return _cloud(request).state


def _keeping(request: Request) -> keeping.Keeping:
    return _cloud(request).keeping


def _settled(request: Request) -> ports.Settled:
    return _cloud(request).settled


def _following(request: Request) -> following.Following:
    return _cloud(request).following


def _seeds(request: Request) -> seeds.Seeds:
    return _cloud(request).seeds


def _clock(request: Request) -> ports.Clock:
    return _cloud(request).clock


def _clock_control(request: Request) -> ports.ClockControl:
    return _cloud(request).clock


def _applications(request: Request) -> applications.Applications:
    return _cloud(request).applications


def _announcements(request: Request) -> announcements.Announcements:
    return _cloud(request).announcements


def _services(request: Request) -> services.Services:
    return _cloud(request).services


def _pools(request: Request) -> pools.Pools:
    return _cloud(request).pools


def _origin(request: Request) -> str:
    """The address that the request came to, such as `http://127.0.0.1:8080`."""
    return origin_of(request)


def origin_of(request: Request) -> str:
    """Return the address that a request came to, such as `http://127.0.0.1:8080`, or that of a namespace there."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get(BEGINS, '')}"


def _leading(request: Request) -> str:
    """What the credentials begin with that are given out, so that they lead back to this cloud."""
    return leading(request.scope.get(BEGINS, ""))


def _namespaces(request: Request) -> ports.Namespaces:
    return _cloud(request).namespaces


def _listening(request: Request) -> ports.Listening:
    return _cloud(request).listening


def _address(request: Request) -> URL:
    return request.url.replace(path=request.scope.get(BEGINS, "") + request.url.path)


Cloud = Annotated[cloud.Cloud, Depends(_whole)]
Listening = Annotated[ports.Listening, Depends(_listening)]
Leading = Annotated[str, Depends(_leading)]
Jobs = Annotated[ports.JobStore, Depends(_jobs)]
Queue = Annotated[ports.FetchedQueue, Depends(_queue)]
Devices = Annotated[ports.Catalogue, Depends(_devices)]
DeviceImports = Annotated[ports.DeviceImports, Depends(_device_imports)]
Accounts = Annotated[ports.Accounts, Depends(_accounts)]
Sessions = Annotated[ports.Sessions, Depends(_sessions)]
Workloads = Annotated[ports.Workloads, Depends(_workloads)]
DeviceSettingsStore = Annotated[ports.DeviceSettingsStore, Depends(_device_settings)]
Faults = Annotated[ports.FaultStore, Depends(_faults)]
State = Annotated[ports.State, Depends(_state)]
Keeping = Annotated[keeping.Keeping, Depends(_keeping)]
Seeds = Annotated[seeds.Seeds, Depends(_seeds)]
Settled = Annotated[ports.Settled, Depends(_settled)]
Following = Annotated[following.Following, Depends(_following)]
Clock = Annotated[ports.Clock, Depends(_clock)]
ClockControl = Annotated[ports.ClockControl, Depends(_clock_control)]
Applications = Annotated[applications.Applications, Depends(_applications)]
Announcements = Annotated[announcements.Announcements, Depends(_announcements)]
Services = Annotated[services.Services, Depends(_services)]
Pools = Annotated[pools.Pools, Depends(_pools)]
Namespaces = Annotated[ports.Namespaces, Depends(_namespaces)]
Origin = Annotated[str, Depends(_origin)]
Address = Annotated[URL, Depends(_address)]  # the whole address of the request
