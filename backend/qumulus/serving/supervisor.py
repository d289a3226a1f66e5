"""`qumulus serve --workers N`: several processes that answer requests at one address.

They share a socket that listens: whoever is free takes the next connection. The first one runs the jobs as well (unless that is
left to `qumulus worker`). One that ends is started again. They stop with this process, however it ends; Ctrl-C reaches
this process alone, which tells them.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from qumulus.control.temporary import TemporaryFolder
from qumulus.settings import Settings

SOUND_SECONDS = 10.0  # a process that lived so long is started again at once
MOST_PAUSE_SECONDS = 10.0
LOOK_SECONDS = 0.05
MOST_LENGTH = 75  # of the path of the folder above ours: that of a socket in it may have 103 bytes
LATE_SECONDS = 10.0  # that a process may take to stop, beyond the time of its running jobs

log = logging.getLogger("qumulus")


@dataclass(slots=True)
class Child:
    """One of the processes, and its successors."""

    number: int
    process: subprocess.Popen[bytes]
    begun: float = field(default_factory=time.monotonic)
    pause: float = 0.0  # before it is started again
    again_at: float | None = None


class Supervisor:
    """Starts the processes, starts them again, and stops them."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        short = None if len(tempfile.gettempdir()) < MOST_LENGTH else Path("/tmp")  # noqa: S108  a folder of our own in it
        self._temporary = TemporaryFolder(short)
        self._folder = self._temporary.path
        self._told = threading.Event()
        self._signals = 0
        self._children: list[Child] = []
        self._fixed: dict[str, str] = {}  # settings that are known once the first one is up
        self._key = secrets.token_hex(32)

    def run(self) -> Mapping[str, str] | None:
        """Start all; the addresses when they answer, or None when it was told to stop before.

        Raises:
            SystemExit: one of them could not start; it has said why.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        try:
            self._children.append(self._start(0))
            where = self._await([0])  # the state is made by the first alone
            if where is not None and "proxy" in where:
                self._fixed["intercept_port"] = where["proxy"].rpartition(":")[2]
            if where is not None:
                rest = range(1, self._settings.workers)
                self._children += [self._start(number) for number in rest]
                where = where if self._await(rest) is not None else None
        except BaseException:  # an interrupted start leaves no process behind either
            self.stop()
            raise
        return where

    def keep(self) -> None:
        """Keep the processes alive until a signal says to stop."""
        while not self._told.wait(LOOK_SECONDS):
            for child in self._children:
                self._look(child)

    def stop(self) -> None:
        """Stop all processes, and wait until they have ended."""
        living = [child.process for child in self._children if child.process.poll() is None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + self._settings.drain_seconds + LATE_SECONDS
        told = self._signals
        while any(process.poll() is None for process in living):
            late = time.monotonic() > deadline
            if late or self._signals > max(told, 1):  # Ctrl-C once more
                for process in living:
                    process.kill()
            time.sleep(LOOK_SECONDS / 5)
        self._temporary.remove()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1
        self._told.set()

    def _start(self, number: int) -> Child:
        self._ready(number).unlink(missing_ok=True)
        listener = self._listener.fileno()
        given = environment(self._settings) | {
            "QUMULUS_WORKERS": "1",
            "QUMULUS_LISTENER": str(listener),
            "QUMULUS_PARENT": str(os.getpid()),
            "QUMULUS_READY_FILE": str(self._ready(number)),
            "QUMULUS_SIBLINGS": str(self._folder / str(number)),
        }
        given.setdefault("QUMULUS_SERVICES_KEY", self._key)
        if number:
            given |= {"QUMULUS_API_ONLY": "true"}
            given.pop("QUMULUS_INTERCEPT_PORT", None)
        else:
            given |= {f"QUMULUS_{name.upper()}": value for name, value in self._fixed.items()}
        others = {name: value for name, value in os.environ.items() if not name.startswith("QUMULUS_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "serve"],
            env=others | given,
            pass_fds=[listener, self._temporary.lock],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us, and we pass it on
        )
        return Child(number, process)

    def _ready(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _await(self, numbers: Any) -> dict[str, str] | None:
        """Wait until some answer; what the first of them said, or None when we were told to stop."""
        found: dict[str, str] = {}
        for number in numbers:
            while not self._ready(number).exists():
                if self._told.wait(LOOK_SECONDS):
                    return None
                status = self._children[number].process.poll()
                if status is not None:
                    raise SystemExit(status if status > 0 else 1)
            found = found or json.loads(self._ready(number).read_text())
        return found

    def _look(self, child: Child) -> None:
        now = time.monotonic()
        if child.again_at is not None:
            if now >= child.again_at:
                self._start_again(child)
            return
        status = child.process.poll()
        if status is None:
            return
        sound = now - child.begun > SOUND_SECONDS
        child.pause = 0.0 if sound else longer(child.pause)
        child.again_at = now + child.pause
        log.error("Process %d of the server ended (status %s): it is started again.", child.process.pid, status)

    def _start_again(self, child: Child) -> None:
        try:
            successor = self._start(child.number)
        except OSError as error:  # no process more is allowed, say: the others go on
            child.pause = longer(child.pause)
            child.again_at = time.monotonic() + child.pause
            log.error("A process of the server can't be started, trying again in %.1f s: %s", child.pause, error)
            return
        successor.pause = child.pause
        self._children[child.number] = successor


def longer(pause: float) -> float:
    """Return the next pause, in seconds, where one was not long enough."""
    return min(MOST_PAUSE_SECONDS, 2 * pause + 0.1)


def environment(settings: Settings) -> dict[str, str]:
    """Return the settings as variables of the environment."""
    found = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            found[f"QUMULUS_{name.upper()}"] = str(value).lower() if isinstance(value, bool) else str(value)
    return found
