"""Processes to be killed, and what is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import databases
from dispatchers import PROGRAMS
from process_trees import children, command

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
        self.process.wait(60)
        self.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self.close()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


def parent_of(host: int) -> int | None:
    """The fork server of a server process, if it has one."""
    found = [pid for pid in children(host) if "execution.fork_server" in command(pid)]
    return found[0] if found else None
