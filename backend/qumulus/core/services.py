"""Services: programs that users deploy, and what the APIs ask of whoever keeps and runs them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from .errors import InvalidRequest

PREFIX = "service:"  # before the name of a service where a job names its device
FUNCTION = "function-"  # how the name of a service begins that is kept by one account, and is not offered to everybody
BESIDE = "program:"  # before the name of a device where a job is a user's program that runs beside it
NAMESPACE = uuid.UUID("7c0f1b52-6c0e-5a1c-9d4f-5f2c3f9b8f10")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def device_of(service: str) -> str:
    """Return what stands for a service where a job names its device: the queue of executions."""
    return PREFIX + service


def service_of(device: str) -> str:
    """Return the service whose queue that is."""
    return device.removeprefix(PREFIX)


def queue_beside(device: str) -> str:
    """Return the queue of programs that run beside a device and not on the device; a job names that queue as its device."""
    return BESIDE + device


def device_beside(queue: str) -> str:
    """Return the device beside which the programs of that queue run; any other device as it is."""
    return queue.removeprefix(BESIDE)


def is_device(device: str) -> bool:
    """Say whether the device of a job is a real one, and not a queue of programs of users."""
    return not device.startswith((PREFIX, BESIDE))


def path_name(title: str) -> str:
    """Return a name that fits into a path, from a title or a folder's name.

    Raises:
        InvalidRequest: nothing of it fits.
    """
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:63].strip("-")
    if not NAME.fullmatch(name):
        raise InvalidRequest(f"{title!r} gives no name for a service: use letters and digits.")
    return name


class ServiceState(StrEnum):
    """What became of a deployment."""

    BUILDING = "BUILDING"  # its packages are being installed; executions wait
    READY = "READY"
    FAILED = "FAILED"  # its packages could not be installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A deployed service as everybody sees it."""

    name: str
    title: str
    description: str
    version: str  # digest of its files
    state: ServiceState
    reason: str | None  # why it failed, or what was noticed when it was deployed
    api_version: int  # 1: the oldest clients' answer to GET of its base
    entrypoint: str
    deployed_at: datetime
    built_at: datetime | None = None  # when what it needs was there, or could not be had
    listing: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """How a family offers it to people; JSON, opaque to the core. It outlasts deployments."""

    @property
    def id(self) -> uuid.UUID:
        """Return the id, which is the same in every installation."""
        return uuid.uuid5(NAMESPACE, self.name)

    @property
    def definition_id(self) -> uuid.UUID:
        """Return the id of the version that is deployed, of which a service has one at a time; it is the same for all."""
        return uuid.uuid5(NAMESPACE, f"{self.name}/definition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How a service is to be run, beside what its own files say."""

    entrypoint: str | None = None
    strict: bool | None = None  # hand over to the vendor's own runtime package
    about: Mapping[str, Any] | None = None  # what the family that deployed it keeps of it; JSON, opaque to the core
    draft: str | None = None  # why it does not run: it has no program yet


class Services(Protocol):
    """The deployed services. Any process of a state folder sees them."""

    def services(self) -> tuple[Service, ...]: ...

    def service(self, name: str) -> Service:
        """Return the service.

        Raises:
            UnknownService
        """
        ...

    def about(self, name: str) -> Mapping[str, Any]:
        """Return what the family that deployed a service keeps of it; nothing of one that a person deployed.

        Raises:
            UnknownService
        """
        ...

    def deploy(self, name: str, files: Mapping[str, bytes], deployment: Deployment) -> Service:
        """Take over the files of a service, by path; executions from now on run these.

        Raises:
            InvalidRequest: it is no service: the text says what is missing or wrong.
        """
        ...

    def change(self, name: str, change: Callable[[Mapping[str, bytes]], Mapping[str, bytes]]) -> Service:
        """Deploy a service anew with other files, made of those that it has; a draft stays one until a program is among them.

        Raises:
            UnknownService
            InvalidRequest: it is no service then.
        """
        ...

    def offer(self, name: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Service:
        """Offer a service to people in another way; what runs stays as it is.

        Raises:
            UnknownService
        """
        ...

    def draft(self, name: str, files: Mapping[str, bytes], why: str) -> Service:
        """Take over the first files of a service that has no program yet: it does not run, and says ``why``.

        Raises:
            InvalidRequest: the name is none.
        """
        ...

    def packed(self, name: str) -> bytes:
        """Return the files of a service, as a zip file.

        Raises:
            UnknownService
        """
        ...

    def opened(self, value: bytes) -> Mapping[str, bytes]:
        """Return the files in a zip file, by path.

        Raises:
            InvalidRequest: it is none, or has too much in it.
        """
        ...

    def remove(self, name: str) -> None:
        """Forget a service. Its executions stay, those that wait fail.

        Raises:
            UnknownService
        """
        ...

    def document(self, name: str) -> Mapping[str, Any]:
        """Return the OpenAPI document of a service: the platform's operations with the service's own words and schemas.

        Raises:
            UnknownService
        """
        ...

    def brings(self, name: str) -> frozenset[str]:
        """Return the parameters that a service brings a data pool along for.

        Raises:
            UnknownService
        """
        ...

    def check(self, name: str, body: Mapping[str, Any]) -> None:
        """Compare an input with the service's own schemas, where its developer asked for that.

        Raises:
            UnknownService, InvalidRequest
        """
        ...

    def keep_secrets(self, job_id: str, secrets: Mapping[str, str], token: str) -> AbstractContextManager[None]:
        """Keep the secrets of an execution until it has run, in memory, or sealed where several processes need them.

        It is submitted inside the context: where that fails, they are forgotten. ``token`` is its caller's, with which the
        program may call the quantum API.
        """
        ...
