"""Starting a process of the server again."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from qumulus.serving.supervisor import Child, Supervisor
from qumulus.settings import Settings


def test_a_process_that_cannot_be_started_again_now_is_started_later_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    refused: list[Any] = []

    def popen(*arguments: Any, **_options: Any) -> Any:
        if not refused:
            refused.append(arguments)
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return ended

    with socket.socket() as listener:
        supervisor = Supervisor(Settings(home=tmp_path), listener)
        try:
            child = Child(0, ended, again_at=time.monotonic())
            supervisor._children = [child]
            monkeypatch.setattr(subprocess, "Popen", popen)
            supervisor._look(child)
            assert supervisor._children == [child]
            assert child.again_at is not None
            assert child.again_at > time.monotonic()
            child.again_at = time.monotonic()
            supervisor._look(child)
            assert supervisor._children[0] is not child
        finally:
            supervisor.stop()
