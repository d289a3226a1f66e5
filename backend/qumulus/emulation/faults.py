"""Faults of requests: the one rule before handlers that has requests go wrong as the rules of an administrator say."""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import overload

from fastapi import Response

from qumulus.core import faults as core
from qumulus.core.errors import LimitReached, NoResult, NotAuthenticated, QumulusError
from qumulus.core.faults import OFFLINE, FaultKind
from qumulus.core.ports import Clock, FaultStore
from qumulus.openapi.contract import Call, Fault, Rule

from . import responses

log = logging.getLogger("qumulus.faults")

OWN = "emulator"  # the API by which faults are taken back: nothing goes wrong there
STATUS = 500
PAGE = """<!DOCTYPE html>
<html><head><title>Gateway</title></head><body><h1>Gateway</h1><p>{}</p></body></html>
"""


class Rules(Sequence[Rule]):
    """All rules that are asked before handlers: those that were given, and one for faults while there are any."""

    def __init__(self, given: Sequence[Rule], faults: FaultStore, clock: Clock) -> None:
        """``given`` may change while requests are answered."""
        self._given = given
        self._faults = faults
        self._rule = faulty(faults, clock)

    def __len__(self) -> int:
        return len(self._given) + bool(self._faults.active())

    @overload
    def __getitem__(self, index: int) -> Rule: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rule]: ...
    def __getitem__(self, index: int | slice) -> Rule | Sequence[Rule]:
        return [*self][index]

    def __iter__(self) -> Iterator[Rule]:
        yield from self._given
        if self._faults.active():
            yield self._rule


def faulty(faults: FaultStore, clock: Clock) -> Rule:
    """Return the rule that has requests go wrong by ``faults``, at the time of ``clock``."""

    async def rule(call: Call) -> Response | None:
        if call.api == OWN:
            return None
        for fault in faults.active():
            if not await is_for(fault.rule, call) or not fault.rule.in_force(clock.now()):
                continue
            if not await asyncio.to_thread(faults.count, fault):
                continue
            tell(fault, call)
            if not fault.rule.dry_run:
                responses.mark(call, fault)
                if (response := await ACTS[fault.rule.kind](fault, call)) is not None:
                    return response
        return None

    return rule


async def is_for(rule: core.FaultRule, call: Call) -> bool:
    """Say whether a rule is for a request; what costs most is asked last."""
    if rule.kind not in ACTS or not rule.is_for_api(call.api):
        return False
    account = call.caller.account if call.caller else None
    if not rule.is_for_request(operation=call.operation, purpose=call.purpose, account=account):
        return False
    if rule.kind in OFFLINE and call.job_id is not None:
        return False  # its record says it
    if rule.device is not None and await call.device() != rule.device:
        return False
    return rule.tag is None or rule.tag in await call.tags()


def tell(fault: core.Fault, call: Call) -> None:
    """Write to the log what is injected, or would be."""
    does = "Would be" if fault.rule.dry_run else "Is"
    log.warning(
        "%s %s: %s of %s.",
        does,
        fault.told,
        call.operation,
        call.api,
        extra={"fields": {"injected": fault.id, "kind": fault.rule.kind, "api": call.api, "operation": call.operation}},
    )


def sentence(fault: core.Fault) -> str:
    """Return what an answer says."""
    return fault.said("This failure")


async def _error(fault: core.Fault, _call: Call) -> None:
    rule = fault.rule
    headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    raise Fault(rule.status or STATUS, sentence(fault), headers, rule.code)


async def _slow(fault: core.Fault, _call: Call) -> None:
    await asyncio.sleep(fault.rule.seconds or 0.0)


async def _cut(_fault: core.Fault, call: Call) -> None:
    responses.cut(call)


async def _garbled(_fault: core.Fault, call: Call) -> None:
    responses.garble(call)


async def _reset(_fault: core.Fault, call: Call) -> Response:
    responses.swallow(call)
    await call.hang_up(at_once=True)
    return Response()


async def _page(fault: core.Fault, _call: Call) -> Response:
    return Response(PAGE.format(html.escape(sentence(fault))), fault.rule.status or 200, media_type="text/html")


async def _not_authenticated(fault: core.Fault, _call: Call) -> None:
    raise as_answered(NotAuthenticated(sentence(fault)))


async def _limit_reached(fault: core.Fault, _call: Call) -> None:
    raise as_answered(LimitReached(sentence(fault)))


async def _no_result(fault: core.Fault, call: Call) -> None:
    raise as_answered(NoResult(call.job_id or "of this address", f"not told of: this was {fault.told}"))


async def _offline(_fault: core.Fault, _call: Call) -> None:
    """What is seen of the device says it by itself."""


def as_answered(error: QumulusError) -> Fault:
    """Return the failure that an API answers as it does an error of the core."""
    return Fault(None, error.message, cause=error)


Act = Callable[[core.Fault, Call], Awaitable[Response | None]]

ACTS: Mapping[FaultKind, Act] = {
    FaultKind.ERROR: _error,
    FaultKind.SLOW: _slow,
    FaultKind.CUT: _cut,
    FaultKind.GARBLED: _garbled,
    FaultKind.RESET: _reset,
    FaultKind.PAGE: _page,
    FaultKind.NOT_AUTHENTICATED: _not_authenticated,
    FaultKind.LIMIT_REACHED: _limit_reached,
    FaultKind.NO_RESULT: _no_result,
    **dict.fromkeys(OFFLINE, _offline),
}
"""What becomes of a request, by the kind of a fault."""
