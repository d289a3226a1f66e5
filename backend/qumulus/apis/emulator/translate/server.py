"""Whether the server is well, and how clients find it."""

from __future__ import annotations

from collections.abc import Sequence

from qumulus.apis.emulator.schemas import emulator
from qumulus.apis.family import Family
from qumulus.apis.given import said
from qumulus.core.health import Check, Finding, first_need

TOKEN_PLACE = "{token}"  # noqa: S105  stands for the secret of the default account


def health(checks: Sequence[Check]) -> emulator.Health:
    """Return whether the server is well, by what was looked at."""
    reason = first_need(checks)
    looked_at = [
        emulator.Check(name=emulator.CheckName(each.name), well=each.well, reason=said(each.reason or None))
        for each in checks
    ]
    return emulator.Health(live=True, ready=reason is None, checks=said(looked_at or None), reason=said(reason or None))


def diagnosis(findings: Sequence[Finding]) -> emulator.Diagnosis:
    """Return what was found."""
    return emulator.Diagnosis(
        findings=[
            emulator.Finding(what=each.what, grade=emulator.Grade(each.grade), told=each.told, do=each.do)
            for each in findings
        ]
    )


def clients(families: Sequence[Family], url: str) -> emulator.Clients:
    """Return what the clients of the families that have some need, to find the server at ``url``."""
    return emulator.Clients(
        clients=[
            emulator.FamilyClients(
                family=family.name,
                title=family.title,
                note=known.advice(url),
                variables=[
                    emulator.Variable(name=name, value=value, credential=name in known.credentials)
                    for name, value in known.environment(url, TOKEN_PLACE).items()
                ],
            )
            for family in families
            if (known := family.clients) is not None
        ]
    )
