"""Accounts, their instances and tokens, and who may see what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

DEFAULT_ACCOUNT = "local"

# The instances that are always there: the default account's own, and the one in the first examples of the IBM server.
LOCAL_CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/00000000000000000000000000000000:00000000-0000-4000-8000-000000000000::"
TEST_CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A service instance: what a job is charged to."""

    crn: str
    name: str
    account: str
    plan: str = "internal"
    region: str = "us-east"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who owns jobs."""

    id: str
    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential as it is kept: never in clear text."""

    id: str
    account: str
    scheme: str  # which API's credential it is, such as "ibm" or "oqtopus"
    digest: bytes  # SHA-256 of the secret
    expires_at: datetime | None = None
    built_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sends a request. ``token`` is None where an operation needs no credential and none came."""

    account: str
    token: str | None = None
    instance: str | None = None
