"""What is kept for how long, and how much an account may have stored: rules, and who has what.

Rules are text: `days=400 jobs=200000 gib=50; kind=service days=30; account=ci jobs=1000`. Each has what it is about (`kind=`, `account=`,
both, or neither: every account) and limits. Where several are about the same jobs, the one that says most counts, limit by limit:
kind and account, then account, then kind, then neither. A limit of 0 keeps nothing that has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

LIMITS = ("days", "jobs", "gib")
SCOPES = ("kind", "account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Limits, and whose jobs and of which kind they are about; None: of each."""

    account: str | None = None
    kind: str | None = None
    days: float | None = None
    jobs: float | None = None
    gib: float | None = None

    def about(self, account: str, kind: str | None) -> bool:
        """Whether these jobs are meant."""
        return self.account in (None, account) and self.kind in (None, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What holds for the jobs of one account and, where a rule names it, one kind; None: no limit."""

    days: float | None = None
    jobs: float | None = None
    gib: float | None = None


class Rules:
    """Rules, as they hold for accounts and kinds."""

    def __init__(self, text: str) -> None:
        """Read them.

        Raises:
            ValueError: with what is wrong.
        """
        self.text = text
        rules = [_rule(part) for part in text.split(";") if part.strip()]
        self._rules = sorted(rules, key=lambda rule: (rule.account is None, rule.kind is None))

    def kinds(self, account: str) -> frozenset[str]:
        """The kinds of an account's jobs that are counted by themselves."""
        return frozenset(rule.kind for rule in self._rules if rule.kind and rule.account in (None, account))

    def limits(self, account: str, kind: str | None = None) -> Limits:
        """What holds for jobs of one account, of one of `kinds` or of all others together."""
        found: dict[str, float | None] = dict.fromkeys(LIMITS)
        for rule in self._rules:
            if rule.about(account, kind):
                for name in LIMITS:
                    found[name] = getattr(rule, name) if found[name] is None else found[name]
        return Limits(**found)


def _rule(text: str) -> Rule:
    given: dict[str, str | float] = {}
    for word in text.split():
        name, sign, value = word.partition("=")
        if not sign or not value or name not in (*SCOPES, *LIMITS) or name in given:
            raise ValueError(
                f"{word[:80]!r} is not a rule: say {', '.join(f'{each}=…' for each in LIMITS)}, each once, "
                "for all, or with kind=… or account=… before them; rules are divided by ';'"
            )
        given[name] = value if name in SCOPES else _number(word, value)
    if not any(name in given for name in LIMITS):
        raise ValueError(f"{text.strip()[:80]!r} has no limit: add days=…, jobs=… or gib=…")
    return Rule(**given)  # ty: ignore[invalid-argument-type]


def _number(word: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ValueError(f"{word[:80]!r} needs a number that is not below 0")
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one account has stored of one kind of job, or in data pools."""

    account: str
    kind: str  # of jobs, or `POOLS`
    jobs: int  # or data pools
    pending: int  # jobs that have not ended
    bytes: int
    oldest: datetime | None = None


POOLS = "data pools"


class Keeping(Protocol):
    """Who has what stored, as of a short time ago, and by which rules it is kept."""

    def held(self) -> Sequence[Held]:
        """Count anew, and return what each account has, by account and kind."""
        ...

    @property
    def kept(self) -> Rules: ...

    @property
    def quota(self) -> Rules: ...
