"""Time, queues and calibrations of a cloud, for who administers it: small clients of the emulator's API. Standard library only.

clock = EmulatedClock(Administration("http://127.0.0.1:8080"))
clock.stand("2026-03-02T08:00:00Z")
clock.advance(hours=2)
clock.until(job.job_id(), "ended")
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal

from .administration import Administration, CloudRefused

CANCEL_SECONDS = 10.0  # in which jobs that were cancelled have ended
LOOK_SECONDS = 0.05


class EmulatedClock:
    """The clock of a cloud. Whatever changes it tells ``before_change`` how to undo that."""

    def __init__(
        self, administer: Administration, before_change: Callable[[Callable[[], object]], None] = lambda _: None
    ) -> None:
        self._administer = administer
        self._before_change = before_change

    @property
    def now(self) -> datetime:
        """What time it is in the cloud."""
        return datetime.fromisoformat(self._administer("GET", "/clock")["now"])

    @property
    def mode(self) -> str:
        """How it goes: ``real``, ``scaled`` or ``manual``."""
        return self._administer("GET", "/clock")["mode"]

    def stand(self, now: datetime | str | None = None, *, bearer_tokens: bool = False) -> datetime:
        """Let it stand, at another time if one is given, until it is advanced."""
        return self._set(0.0, now, bearer_tokens=bearer_tokens)

    def go(self, rate: float = 1.0, now: datetime | str | None = None, *, bearer_tokens: bool = False) -> datetime:
        """Let it go so many times as fast as that of the machine."""
        return self._set(rate, now, bearer_tokens=bearer_tokens)

    def advance(self, **span: float) -> datetime:
        """Let time pass: `advance(hours=2)`, with the members of a `timedelta`."""
        self._note()
        return self._told("POST", "/clock/advance", {"seconds": timedelta(**span).total_seconds()})

    def until(self, job_id: str, moment: Literal["started", "ended"] = "started") -> datetime:
        """Let as much time pass as a job needs.

        Raises:
            CloudRefused: the job waits for something else than time.
        """
        self._note()
        return self._told("POST", f"/clock/advance/{job_id}", {"until": moment})

    def reset(self) -> None:
        """Give the cloud the time of the machine."""
        self._administer("DELETE", "/clock")

    def _set(self, rate: float, now: datetime | str | None, *, bearer_tokens: bool) -> datetime:
        self._note()
        body: dict[str, Any] = {"rate": rate, "bearer_tokens": bearer_tokens}
        if now is not None:
            body["now"] = now.isoformat() if isinstance(now, datetime) else now
        return self._told("PUT", "/clock", body)

    def _note(self) -> None:
        known = self._administer("GET", "/clock")
        if known["mode"] == "real":
            self._before_change(self.reset)
        else:
            kept = {name: known[name] for name in ("rate", "now", "bearer_tokens")}
            self._before_change(lambda: self._administer("PUT", "/clock", kept))

    def _told(self, method: str, path: str, body: Mapping[str, Any]) -> datetime:
        return datetime.fromisoformat(self._administer(method, path, body)["now"])


def set_queue(administer: Administration, device: str, setting: Mapping[str, object]) -> Callable[[], None]:
    """Let others queue at a device; what undoes it is returned.

    Raises:
        CloudRefused: there is no such device, or no such member of a queue.
    """
    settings = administer("GET", f"/devices/{device}")["settings"]
    name = administer("GET", f"/devices/{device}")["name"]
    before = [queue for queue in administer("GET", "/queues")["queues"] if queue["device"] == name]
    administer("PUT", f"/queues/{name}", setting)

    def undo() -> None:
        administer("DELETE", f"/queues/{name}")
        administer("PUT", f"/devices/{name}/settings", settings)
        for queue in before:
            administer("PUT", f"/queues/{name}", queue["setting"])

    return undo


def clear_calibrations(administer: Administration, device: str) -> None:
    """Give a device its own calibration back; jobs of it that wait or run are cancelled."""
    name = administer("GET", f"/devices/{device}")["name"]
    for state in ("queued", "claimed", "running"):
        for job in administer("GET", f"/jobs?state={state}&device={name}")["jobs"]:
            with suppress(CloudRefused):  # it has ended meanwhile
                administer("POST", f"/jobs/{job['id']}/cancel")
    until = time.monotonic() + CANCEL_SECONDS
    while True:
        try:
            administer("DELETE", f"/calibrations/{name}")
        except CloudRefused:
            if time.monotonic() > until:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return
