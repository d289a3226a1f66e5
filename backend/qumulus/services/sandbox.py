"""What this machine can put between a user's program and itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from .control_groups import ControlGroups, NoGroups, delegated

CHILD = Path(__file__).parent / "child"
FIRST_USER, USERS = 61184, 4336  # the range that systemd has for passing users too
PROBE_SECONDS = 30.0
COUNTS_A_SECOND = 20


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The strongest isolation that holds here."""

    namespaces: str  # "own", "user" or "none"
    landlock: bool
    drops_user: bool  # whether a program runs as a user of its own
    filtered: bool = False  # whether system calls that no program needs are refused
    groups: ControlGroups | None = None  # hold memory, processes and processor time; None: they are counted
    why_counted: str = "no control group was looked for"  # where there are none

    @property
    def private_root(self) -> bool:
        """Say whether a program sees nothing of the machine but the system's programs, and the platform's literal paths."""
        return self.namespaces != "none"

    @property
    def holds(self) -> bool:
        """Say whether a program can be kept from the files of the person who started the server."""
        return self.private_root or self.landlock

    def words(self) -> str:
        """Sentences for the start of the log: what keeps a program where it is, and what holds it to its limits."""
        return f"{self.kept()} {self._memory()}"

    def kept(self) -> str:
        """Sentences that say what keeps a program where it is."""
        return f"{self._files()} {self._calls()}"

    def _files(self) -> str:
        user = "a user of its own" if self.drops_user else "the server's user"
        if self.private_root:
            return f"User programs run as {user}, with a root and processes of their own and /var/runtime in its place."
        if self.landlock:
            return (
                f"User programs run as {user}, kept from other files by Landlock; this machine allows no namespaces, "
                "so /var/runtime is not in its place: programs find their folders by INPUT_DIRECTORY and OUTPUT_DIRECTORY."
            )
        return f"User programs run as {user} and nothing keeps them from the files of this machine."

    def _calls(self) -> str:
        if self.filtered:
            return "System calls that lead out of a sandbox are refused to them."
        return "This machine has no filter of system calls for them."

    def _memory(self) -> str:
        if self.groups is not None:
            return "The kernel holds their memory, processes and processor time by control groups."
        return f"Their memory is counted {COUNTS_A_SECOND} times a second, since {self.why_counted}."

    def user(self, job_id: str) -> int | None:
        """Return the user that an execution runs as; the kernel counts its processes by it."""
        return FIRST_USER + hash_of(job_id) % USERS if self.drops_user else None


def hash_of(text: str) -> int:
    """Return the same number for the same text in every process."""
    return int.from_bytes(text.encode()[-8:], "big")


def probe(*, groups: bool = True) -> Sandbox:
    """Try the ladder from the top; about 50 ms. Looking for control ``groups`` moves this process, and others beside it, into one.

    Raises:
        RuntimeError: the child can't even be started.
    """
    command = [sys.executable, "-I", str(CHILD), "--probe"]
    if os.geteuid() == 0:
        command.append(str(FIRST_USER))
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"The sandbox can't be tried: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    found = Sandbox(told["namespaces"], told["landlock"], told["user"] is not None, told["filtered"])
    try:
        return replace(found, groups=delegated()) if groups else found
    except NoGroups as error:
        return replace(found, why_counted=str(error))
