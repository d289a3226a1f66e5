"""Processes to be killed, and what is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import databases
from engines import PROGRAMS, alive, wait_for

HERE = Path(__file__).parent
LONG = os.environ.get("QUMULUS_FAULTS") == "long"


class Host:
    """A `host.py` process on a folder."""

    def __init__(self, home: Path, workers: int = 2) -> None:
        self.home = home
        log = home.parent / "hosts.log"
        with log.open("ab") as errors:
            self.process = self._begin(errors, workers)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n", log.read_text()

    def _begin(self, errors: IO[bytes], workers: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(HERE / "host.py"), str(self.home), str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | databases.environment(self.home) | {"PYTHONPATH": str(PROGRAMS)},
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def submit(self, kind: str, payload: str, key: str) -> str | None:
        """The id that was acknowledged; None if the process is gone."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{kind} {payload} {key}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        answer = self.process.stdout.readline()
        return answer.strip() if answer.endswith("\n") else None

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)
        self.close()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(") ")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return found


def family(pid: int) -> list[int]:
    """A process's children and theirs."""
    return [found for child in children(pid) for found in (child, *family(child))]


def parent_of(host: int) -> int | None:
    """The warm parent of a server process, if it has one."""
    found = [pid for pid in children(host) if "execution.parent" in command(pid)]
    return found[0] if found else None


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def kill(pid: int) -> None:
    """`kill -9`; nothing happens if it has ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def gone(pids: list[int], seconds: float) -> None:
    """Wait until none of them lives."""
    wait_for(lambda: not any(alive(pid) for pid in pids), seconds, lambda: f"alive: {[p for p in pids if alive(p)]}")
