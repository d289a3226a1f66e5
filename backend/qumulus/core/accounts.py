"""Accounts, their instances and tokens, and who may see what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from .errors import InvalidRequest

DEFAULT_ACCOUNT = "local"
PLAN, REGION = "internal", "us-east"  # of an instance of which nothing else is said

# The instances that are always there: the default account's own, and the one in the first examples of the IBM server.
_LOCAL = "crn:v1:bluemix:public:quantum-computing:us-east:a/00000000000000000000000000000000:"
LOCAL_CRN = _LOCAL + "00000000-0000-4000-8000-000000000000::"
TEST_CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::"
MAX_CRN = MAX_NAME = 255

CRN = re.compile(r"crn:v1:[^:,\s]*:[^:,\s]*:quantum-computing:(?P<region>[^:,\s]+):[^:,\s]+:(?P<id>[^:,\s]+)::")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A service instance: what a job is charged to."""

    crn: str
    name: str
    account: str
    plan: str = PLAN
    region: str = REGION
    tags: tuple[str, ...] = ()
    limit_seconds: float | None = None  # of devices; None: as much as the plan allows


def instance_called(text: str) -> Instance:
    """Return the instance of the default account that a CRN, or a name, stands for. A name's CRN is the same on every machine.

    Raises:
        InvalidRequest: it is neither.
    """
    if (crn := CRN.fullmatch(text)) and len(text) <= MAX_CRN and text.isascii():
        return Instance(crn=text, name=crn["id"], account=DEFAULT_ACCOUNT, region=crn["region"])
    if text.startswith("crn:") or not text.isprintable() or not 0 < len(text) <= MAX_NAME:
        raise InvalidRequest(f"{text[:80]!r} is no instance: say a name, or a CRN such as {LOCAL_CRN}")
    return Instance(crn=crn_of(text), name=text, account=DEFAULT_ACCOUNT)


def crn_of(name: str, account: str = DEFAULT_ACCOUNT, region: str = REGION) -> str:
    """Return the CRN of an instance that has but a name."""
    owner = LOCAL_CRN.split(":")[6] if account == DEFAULT_ACCOUNT else f"a/{uuid5(NAMESPACE_URL, account).hex}"
    return f"crn:v1:bluemix:public:quantum-computing:{region}:{owner}:{uuid5(NAMESPACE_URL, name)}::"


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
