"""Faults: what goes wrong because somebody wants to see it, by rules that say what, for whom, when and how often."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from .errors import InvalidRequest


class FaultKind(StrEnum):
    """What goes wrong."""

    ERROR = "error"  # an error of any status, in the form of the API
    SLOW = "slow"
    CUT = "cut"  # half of the answer, then the end of the connection
    GARBLED = "garbled"  # an answer of the right length whose second half is no text
    RESET = "reset"  # no answer at all
    PAGE = "page"  # a page of a proxy, with status 200 unless another one is named


TAKES: Mapping[FaultKind, frozenset[str]] = MappingProxyType(
    {
        FaultKind.ERROR: frozenset({"status", "message", "retry_after"}),
        FaultKind.SLOW: frozenset({"seconds"}),
        FaultKind.CUT: frozenset(),
        FaultKind.GARBLED: frozenset(),
        FaultKind.RESET: frozenset(),
        FaultKind.PAGE: frozenset({"status", "message"}),
    }
)
"""The members that say how a kind goes wrong, beside those that every rule may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A rule. What is None does not narrow it."""

    kind: FaultKind
    note: str | None = None
    api: str | None = None  # such as "ibm/runtime", or a whole family
    operation: str | None = None  # its operationId
    device: str | None = None  # the core's name
    account: str | None = None
    tag: str | None = None
    nth: int | None = None
    probability: float | None = None
    seed: int | None = None
    times: int | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    dry_run: bool = False
    status: int | None = None
    message: str | None = None
    retry_after: int | None = None
    seconds: float | None = None

    def in_force(self, now: datetime) -> bool:
        """Say whether the rule acts at a time."""
        return (self.begins_at is None or self.begins_at <= now) and (self.ends_at is None or now < self.ends_at)

    def is_for_api(self, api: str) -> bool:
        """Say whether the rule is for an API, such as "ibm/runtime"."""
        return self.api is None or api == self.api or api.startswith(f"{self.api}/")

    def is_for(self, *, operation: str, account: str | None) -> bool:
        """Say whether the rule is for an operation that an account calls."""
        return self.operation in (None, operation) and self.account in (None, account)

    def strikes(self, seen: int, hits: int) -> bool:
        """Say whether the ``seen``-th of those that the rule is for is hit, after so many ``hits``."""
        if self.nth is not None and seen != self.nth:
            return False
        if self.times is not None and hits >= self.times:
            return False
        return self.probability is None or chance(self.seed or 0, seen) < self.probability


PARAMETERS = frozenset().union(*TAKES.values())
DEFAULTS: Mapping[str, object] = MappingProxyType({each.name: each.default for each in fields(FaultRule)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule that was made, and what became of it."""

    id: str
    created_at: datetime
    rule: FaultRule
    seen: int = 0
    hits: int = 0

    @property
    def told(self) -> str:
        """Return what people are told where it has hit: nobody may take it for a real one."""
        return f"injected by the fault {self.id} ({self.rule.kind})"


def chance(seed: int, number: int) -> float:
    """Return a number of [0, 1) that looks drawn and is the same every time, for the ``number``-th of a sequence."""
    drawn = hashlib.sha256(f"{seed}:{number}".encode()).digest()[:8]
    return int.from_bytes(drawn) / (1 << 64)


def check(rule: FaultRule, apis: Mapping[str, Collection[str]]) -> None:
    """See that a rule says something that can be done; ``apis`` are the operations by API.

    Raises:
        InvalidRequest
    """
    given = {name for name in PARAMETERS if getattr(rule, name) is not None}
    if not given <= TAKES[rule.kind]:
        extra, own = ", ".join(sorted(given - TAKES[rule.kind])), ", ".join(sorted(TAKES[rule.kind]))
        raise InvalidRequest(f"A fault of the kind {rule.kind} takes {own or 'no further members'}: leave out {extra}.")
    if rule.begins_at is not None and rule.ends_at is not None and rule.ends_at <= rule.begins_at:
        raise InvalidRequest("The fault ends before it begins: give it a later end.")
    named = {api: operations for api, operations in apis.items() if rule.is_for_api(api)}
    if not named:
        raise InvalidRequest(f"There is no API {rule.api}: name one of {', '.join(sorted(apis))}, or a cloud.")
    if rule.operation is not None and not any(rule.operation in operations for operations in named.values()):
        where = f" of {rule.api}" if rule.api else ""
        raise InvalidRequest(f"No operation{where} is called {rule.operation}: the documents at /docs have the names.")
