"""How the running of users' programs begins."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatchers import wait_for
from qumulus.dispatching import loops
from qumulus.services import host as host_module
from qumulus.services import sandbox
from qumulus.services.device_programs import Packages
from qumulus.services.host import Host
from qumulus.services.resources import Resources
from qumulus.storage import open_storage


class NoFamily:
    """No programs come with jobs."""

    modules = Path("/")
    begin = outcome = end = None


@pytest.mark.parametrize("what", ["the sandbox", "the lock"])
def test_what_fails_at_the_beginning_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str):
    """No process more is allowed, or the disk is full: it was a thread that ended, and no program ran until the next start."""
    monkeypatch.setattr(loops, "RETRY_SECONDS", 0.05)
    failed: list[str] = []

    def once(name: str, then: Any) -> Any:
        if name == what and not failed:
            failed.append(name)
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return then

    monkeypatch.setattr(host_module, "probe", lambda: once("the sandbox", sandbox.Sandbox("none", False, False)))
    storage = open_storage(tmp_path)
    host = Host(
        storage,
        slots=1,
        resources=Resources(),
        family=NoFamily(),  # ty: ignore[invalid-argument-type]
        packages=Packages(),
        network=False,
        allow_unsandboxed=True,
        secret=lambda: b"secret",
        own=lambda: once("the lock", True),
    )
    host.begin()
    try:
        wait_for(lambda: failed and host._runs)
    finally:
        host.end(timedelta())
        storage.close()
