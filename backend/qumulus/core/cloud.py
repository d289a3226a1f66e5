"""The cloud as the API families see it: all ports in one place."""

from __future__ import annotations

from dataclasses import dataclass

from .announcements import Announcements
from .applications import Applications
from .following import Following
from .keeping import Keeping
from .pools import Pools
from .ports import (
    Accounts,
    Catalogue,
    ClockControl,
    DeviceImports,
    DeviceSettingsStore,
    FaultStore,
    FetchedQueue,
    JobStore,
    Listening,
    Namespaces,
    Sessions,
    Settled,
    State,
    Workloads,
)
from .seeds import Seeds
from .services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Everything that a handler may call. Built once by `qumulus.serving.app`."""

    jobs: JobStore
    queue: FetchedQueue
    catalogue: Catalogue
    device_imports: DeviceImports
    accounts: Accounts
    sessions: Sessions
    workloads: Workloads
    services: Services
    applications: Applications
    announcements: Announcements
    pools: Pools
    device_settings: DeviceSettingsStore
    faults: FaultStore
    state: State
    settled: Settled
    following: Following
    clock: ClockControl
    keeping: Keeping
    seeds: Seeds
    namespaces: Namespaces
    listening: Listening
