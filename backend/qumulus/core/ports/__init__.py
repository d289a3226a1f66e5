"""The ports: what the core needs from outside. Each is one Protocol; `qumulus.serving.app` plugs the parts in.

All methods are synchronous and safe to call from several threads.
"""

from .accounts import Accounts, Sessions
from .devices import AddedDevices, Catalogue, DeviceImports, DeviceRules, DeviceSettingsStore, Document
from .faults import FaultStore
from .jobs import JobQuery, JobStore, Page, Settled, Workloads
from .listening import Listening
from .namespaces import Namespaces
from .queue import Claim, FetchedQueue, JobQueue
from .services import Deployed, PoolRecord, PoolStore, SealedStore, ServiceStore, StoredFile
from .state import BlobStore, Forgotten, Identifiers, State
from .time import Clock, ClockControl, MachineClock

__all__ = [
    "Accounts",
    "AddedDevices",
    "BlobStore",
    "Catalogue",
    "Claim",
    "Clock",
    "ClockControl",
    "Deployed",
    "DeviceImports",
    "DeviceRules",
    "DeviceSettingsStore",
    "Document",
    "FaultStore",
    "FetchedQueue",
    "Forgotten",
    "Identifiers",
    "JobQuery",
    "JobQueue",
    "JobStore",
    "Listening",
    "MachineClock",
    "Namespaces",
    "Page",
    "PoolRecord",
    "PoolStore",
    "SealedStore",
    "ServiceStore",
    "Sessions",
    "Settled",
    "State",
    "StoredFile",
    "Workloads",
]
