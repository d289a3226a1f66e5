"""What no cloud offers, of the cloud that an administrator has: a small client of the emulator's API. Standard library only.

cloud = Emulator(Administration("http://127.0.0.1:8080"))
with cloud.fault("error", api="ibm", status=503, times=2) as fault:
    ...
print(fault.hits)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from .administration import Administration, CloudRefused

WAITS = "It waits:"  # how a line in the log of a job begins that says why it does
FOR_TIME = "the clock of the cloud stands"  # what such a line says where nothing but time is missing
OF_A_DEVICE = "device-"  # how the kinds of faults begin that jobs are told of in their logs
MOST_JOBS = 5  # that are told of


class Fault:
    """A fault that was made. As a context manager it is taken back at the end."""

    def __init__(self, administer: Administration, known: Mapping[str, Any]) -> None:
        self._administer = administer
        self._known = known
        self._removed = False

    @property
    def id(self) -> str:
        """Return what the log, the answers and the jobs that it hits name it by."""
        return self._known["id"]

    @property
    def rule(self) -> Mapping[str, Any]:
        """Return what goes wrong, for whom and when."""
        return self._known["rule"]

    @property
    def seen(self) -> int:
        """Return how many requests or jobs it was for."""
        return self._now()["seen"]

    @property
    def known_hits(self) -> int:
        """Return how many it had hit when it was last asked for."""
        return self._known["hits"]

    @property
    def hits(self) -> int:
        """Return how many of them it hit, or would have hit in a dry run."""
        return self._now()["hits"]

    def remove(self) -> None:
        """Take it back, if nobody has."""
        if not self._removed:
            with contextlib.suppress(CloudRefused):
                self._now()
                self._removed = True
                self._administer("DELETE", f"/faults/{self.id}")

    def _now(self) -> Mapping[str, Any]:
        if not self._removed:
            self._known = self._administer("GET", f"/faults/{self.id}")
        return self._known

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.remove()


class Emulator:
    """The faults of a cloud, and why its jobs wait."""

    def __init__(self, administer: Administration) -> None:
        self._administer = administer

    def fault(self, kind: str, **rule: object) -> Fault:
        """Let something go wrong: see the table of kinds in the documentation, or `POST /emulator/faults`.

        Raises:
            CloudRefused: there is no such kind, or it takes no such member.
        """
        known = self._administer("POST", "/faults", {"kind": kind, **rule})
        self._administer.control_url = known.get("control_url", self._administer.control_url)
        return Fault(self._administer, known)

    def faults(self) -> list[Fault]:
        """Return all faults, oldest first."""
        return [Fault(self._administer, known) for known in self._administer("GET", "/faults")["faults"]]

    def clear_faults(self) -> None:
        """Take all faults back."""
        self._administer("DELETE", "/faults")

    def stuck(self) -> list[str]:
        """Return a sentence for each of the newest jobs that wait for what will not come by itself."""
        pending = (
            self._administer("GET", f"/jobs?state={state}&limit={MOST_JOBS}")["jobs"]
            for state in ("queued", "running", "cancelling")
        )
        return [f"Job {job['id']}: {why}" for jobs in pending for job in jobs for why in self._why(job)]

    def _why(self, job: Mapping[str, Any]) -> Iterable[str]:
        """Yield why a job waits, if that is known: a fault keeps it, or its device takes none."""
        injected = job["metadata"].get("injected")
        if injected is not None and not injected["kind"].startswith(OF_A_DEVICE):
            yield f"it is kept by the fault {injected['fault']} ({injected['kind']})."
        elif job["state"] in ("queued", "running"):
            lines = self._administer("GET", f"/jobs/{job['id']}/log")["lines"]
            told = [line["text"] for line in lines if line["text"].startswith(WAITS)]
            stands = self._administer("GET", "/clock")["mode"] == "manual"
            yield from [text for text in told if stands or FOR_TIME not in text][-1:]
