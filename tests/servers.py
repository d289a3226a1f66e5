"""Real servers for tests: a `qumulus serve` process on a free port, with a state folder of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import databases

START_SECONDS = 120.0  # a crowded machine takes its time, and a server that ended is seen at once


class Server:
    """A server process. Use it as a context manager, or call `start` and `stop`."""

    started: ClassVar[list[Server]] = []  # all of this test process; their logs stay until it ends

    def __init__(
        self,
        home: Path,
        *,
        environment: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (),
        module: str = "qumulus",
    ) -> None:
        self.home = home
        self.log = home.parent / f"{home.name}.log"
        self._environment = dict(environment or {})
        self._arguments = arguments
        self._module = module
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        Server.started.append(self)

    def start(self, *, ready: bool = True) -> Server:
        """Start and wait until it answers; with ``ready`` also until it runs jobs.

        Raises:
            RuntimeError: it ended or did not answer; with what it printed.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QUMULUS_")}
        environment |= (
            {
                "QUMULUS_HOME": str(self.home),
                "QUMULUS_PORT": "0",
                "QUMULUS_SSE_PREPARE": "off",
                "PYTHONUNBUFFERED": "1",
            }
            | databases.environment(self.home)
            | self._environment
        )
        offset = self.log.stat().st_size if self.url else 0  # bytes, before the new process writes
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._module, "serve", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.output()}")
            found = re.findall(r"quantum cloud on (https?://\S+)\s", self.log.read_bytes()[offset:].decode())
            if found:
                self.url = found[-1]
                if not ready or self._ready():
                    return self
            time.sleep(0.02)
        self.kill()  # nobody else would
        raise RuntimeError(f"the server does not answer:\n{self.output()}")

    def _ready(self) -> bool:
        try:
            self.get("/health")
        except OSError:  # not ready, or too busy to answer in time
            return False
        return True

    def output(self) -> str:
        """What the server printed, the log included."""
        return self.log.read_text()

    @property
    def pid(self) -> int:
        """The process id of the serving process."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """`kill -9`, and wait for the end."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def stop(self, seconds: float = 60.0) -> int:
        """SIGTERM, and wait for the end; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the server did not stop within {seconds} s:\n{self.output()}") from None

    def get(self, path: str) -> bytes:
        """The body of a GET, for tests that need no more."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.stop()


def free_port() -> int:
    """A port that stays free until it is used, as long as nobody asks for just that one.

    None of those that the system gives: to whoever asks for any, and to clients, of which one that asks a server that is
    not there would meet itself.
    """
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.cycle(range(12_000 + _worker % 8 * 2_500, 14_500 + _worker % 8 * 2_500))
for _ in range(os.getpid() % 2_500):  # another run of the tests may be on its way
    next(_ports)


@contextlib.contextmanager
def server(home: Path, **settings: str) -> Iterator[Server]:
    """A fresh server with settings such as `status_hold="0"`."""
    environment = {f"QUMULUS_{name.upper()}": value for name, value in settings.items()}
    with Server(home, environment=environment) as running:
        yield running
