"""Accounts, their instances and tokens, and who may see what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

DEFAULT_ACCOUNT = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A service instance: what a job is charged to."""

    crn: str  # its identifier, in the form of the cloud that has instances
    name: str
    account: str
    plan: str
    region: str
    tags: tuple[str, ...] = ()
    limit_seconds: float | None = None  # of devices, as its account wants it; None: as much as it may have
    granted_seconds: float | None = None  # as the administrator wants it, which the account can't raise

    @property
    def allowed_seconds(self) -> float | None:
        """Return the lower of both; None for as much as the plan allows."""
        limits = (self.limit_seconds, self.granted_seconds)
        return min((each for each in limits if each is not None), default=None)


class InstanceNaming(Protocol):
    """How instances are called: the business of the family whose clients name them."""

    @property
    def built_in(self) -> tuple[Instance, ...]:
        """The instances that are always there, of the default account."""
        ...

    def called(self, text: str) -> Instance:
        """The instance of the default account that an identifier, or a name, stands for.

        Raises:
            InvalidRequest: the text is neither.
        """
        ...

    def new(self, name: str, account: str, *, plan: str | None = None, region: str | None = None) -> Instance:
        """An instance of ``account`` with that name; the usual plan and region where None is said."""
        ...


class AccountStatus(StrEnum):
    """Whether an account can be used."""

    APPROVED = "approved"
    UNAPPROVED = "unapproved"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who owns jobs."""

    id: str
    name: str
    email: str | None = None
    organization: str | None = None
    group_id: str | None = None
    status: AccountStatus = AccountStatus.APPROVED
    devices: tuple[str, ...] | None = None  # that it may use, by the core's names; None: all

    def may_use(self, device: str) -> bool:
        """Say whether the account may send jobs to a device, by the core's name of that device."""
        return self.devices is None or device in self.devices


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What people say of themselves."""

    position: str | None = None
    homepage: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image of somebody."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhitelistEntry:
    """Somebody who is expected, and what their account is to be like."""

    email: str
    group_id: str
    number: int = 0  # given when the entry is stored
    name: str | None = None
    organization: str | None = None
    devices: tuple[str, ...] | None = None
    signed_up: bool = False  # whether there is an account with that address


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential as it is kept: never in clear text."""

    id: str
    account: str
    scheme: str  # which API's credential it is, such as "ibm" or "oqtopus"
    digest: bytes  # SHA-256 of the secret
    created_at: datetime
    expires_at: datetime | None = None
    built_in: bool = False
    name: str | None = None  # what whoever made it calls it
    used_at: datetime | None = None  # last, where that was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sends a request. ``token`` is None where an operation needs no credential and none came."""

    account: str
    token: str | None = None
    instance: str | None = None
