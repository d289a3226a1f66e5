"""A server whose handlers do not keep the specifications does not start, and says all that is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from qumulus.openapi.jobs import REPOSITORY

DRIFTED = """
from qumulus.apis.emulator import server
from qumulus.apis.oqtopus.user import tasks
kept = tasks.operation.handlers
kept[:] = [(name, handler) for name, handler in kept if name != "postTask"]
dict(kept)["listTasks"].__defaults__ = (*dict(kept)["listTasks"].__defaults__[:-1], 5)
server.operation.handlers.append(("getWeather", server.get_information))
from qumulus.cli import main
main()
"""


def test_everything_that_drifted_is_told_at_once(tmp_path: Path) -> None:
    environment = os.environ | {"QUMULUS_HOME": str(tmp_path / "state"), "QUMULUS_PORT": "0"}
    command = [sys.executable, "-c", DRIFTED, "serve"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "getWeather: has a handler, qumulus.apis.emulator.server.get_information, but is not declared." in said
    assert "postTask: is declared, but has no handler." in said
    assert "listTasks: defaults offset to 5, not 0." in said
    assert "Traceback" not in said
    shown = re.findall(r"```\n(postTask.*?)\n```", (REPOSITORY / "README.md").read_text(), re.DOTALL)[0]
    assert set(shown.splitlines()) < set(said.splitlines())
