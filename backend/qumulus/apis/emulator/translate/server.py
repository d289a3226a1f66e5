"""Whether the server is well."""

from __future__ import annotations

from collections.abc import Sequence

from qumulus.apis.emulator.schemas import emulator
from qumulus.apis.given import said
from qumulus.core.health import Check, first_need


def health(checks: Sequence[Check]) -> emulator.Health:
    """Return whether the server is well, by what was looked at."""
    reason = first_need(checks)
    looked_at = [
        emulator.Check(name=emulator.CheckName(each.name), well=each.well, reason=said(each.reason or None))
        for each in checks
    ]
    return emulator.Health(live=True, ready=reason is None, checks=said(looked_at or None), reason=said(reason or None))
