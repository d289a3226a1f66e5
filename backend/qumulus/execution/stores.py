"""What a dispatcher needs of a storage."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from qumulus.core.events import Events
from qumulus.core.ports import Clock, DeviceRules, JobQueue


class Intake(Protocol):
    """What comes in, as far as the dispatcher has to do with it."""

    def drain(self) -> None:
        """Take no new jobs from now on."""
        ...


class Stores(Protocol):
    """What the dispatcher needs of a storage."""

    @property
    def home(self) -> Path: ...
    @property
    def jobs(self) -> Intake: ...
    @property
    def queue(self) -> JobQueue: ...
    @property
    def device_settings(self) -> DeviceRules: ...
    @property
    def events(self) -> Events: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def shared(self) -> bool: ...
