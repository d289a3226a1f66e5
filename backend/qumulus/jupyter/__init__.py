"""A cloud from a notebook: ``%load_ext qumulus.jupyter``, then ``%qumulus start``.

The lines return objects that notebooks show as HTML and other programs as text. Only the standard library is imported here, so that the
extension also works where the packages of the server are installed elsewhere (the variable ``QUMULUS_COMMAND`` names it).
"""

from __future__ import annotations

import atexit
import os
import shlex
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from qumulus.clients import DEFAULT_TOKEN, FAMILIES
from qumulus.control.administration import ADMIN_TOKEN, Administration
from qumulus.control.ephemeral import COMMAND, EphemeralCloud

from .views import DeviceView, JobsView, JobView, StatusView

USAGE = """%qumulus start [SETTINGS…]   starts a cloud for this kernel: %qumulus start --seed 7
%qumulus use URL             points the clients to a cloud that runs already
%qumulus status              says where the cloud is and what it has done
%qumulus jobs                shows the newest jobs
%qumulus job ID              shows one job
%qumulus device NAME         shows a device
%qumulus stop                stops the cloud, and takes the variables back"""
NEWEST = 20


class Misused(Exception):
    """The line can't be carried out; the text says what to write instead."""


class Magics(Protocol):
    """What the extension needs of IPython."""

    def register_magic_function(self, func: Callable[[str], Any], magic_kind: str, magic_name: str) -> None: ...


class Notebook:
    """The cloud of one kernel, and the variables by which clients find it."""

    def __init__(self) -> None:
        self._cloud: EphemeralCloud | None = None
        self._ask: Administration | None = None
        self._before: dict[str, str | None] = {}

    def line(self, line: str) -> object:
        """Carry out what stands behind ``%qumulus``, and return what to show.

        Raises:
            Misused: there is no such line, or no cloud yet.
            CloudNotStarted: the cloud did not start; with what it said.
            CloudRefused: the cloud did not do it; with its sentence.
        """
        words = shlex.split(line) or ["help"]
        lines: dict[str, Callable[..., object]] = {
            "start": self.start,
            "use": self.use,
            "status": self.status,
            "jobs": self.jobs,
            "job": self.job,
            "device": self.device,
            "stop": self.stop,
        }
        wanted = lines.get(words[0])
        takes_one = words[0] in ("use", "job", "device")
        if wanted is None or (words[0] != "start" and len(words) != 1 + takes_one):
            raise Misused(f"Write one of these:\n{USAGE}")
        return wanted(*words[1:])

    def start(self, *flags: str) -> StatusView:
        """Start a cloud of this kernel's own, unless it runs, and point the clients to it."""
        if self._cloud is None:
            command = shlex.split(os.environ.get("QUMULUS_COMMAND", "")) or COMMAND
            cloud = EphemeralCloud(intercept=False, settings=settings(flags), command=command).start()
            self._cloud = cloud
            atexit.register(cloud.stop)
            self._point(cloud.url)
        elif flags:
            raise Misused("A cloud runs already: write %qumulus stop before you start another one.")
        return self.status()

    def use(self, url: str) -> StatusView:
        """Point the clients to a cloud that runs already, with the token of `QUMULUS_ADMIN_TOKEN`."""
        self.stop()
        self._point(url.rstrip("/"))
        return self.status()

    def status(self) -> StatusView:
        """Say where the cloud is, and how many jobs it has."""
        ask = self._cloud_or_misused()
        return StatusView(ask.url, ask("GET", "/storage"), own=self._cloud is not None)

    def jobs(self) -> JobsView:
        """Return the newest jobs."""
        return JobsView(self._cloud_or_misused()("GET", f"/jobs?limit={NEWEST}")["jobs"])

    def job(self, job_id: str) -> JobView:
        """Return one job, with its result if it has one."""
        ask = self._cloud_or_misused()
        found = ask("GET", f"/jobs/{job_id}")
        return JobView(found, ask("GET", f"/jobs/{job_id}/result") if found["state"] == "succeeded" else None)

    def device(self, name: str) -> DeviceView:
        """Return a device with its newest calibration."""
        ask = self._cloud_or_misused()
        found = ask("GET", f"/devices/{name.removeprefix('ibm_')}")
        known = ask("GET", f"/devices/{found['name']}/calibration") if found["kind"] == "qpu" else {}
        return DeviceView(found, known)

    def stop(self) -> None:
        """Stop the cloud if it is this kernel's own, and give the variables the values that they had."""
        if self._cloud is not None:
            atexit.unregister(self._cloud.stop)
            self._cloud.stop()
        self._cloud = self._ask = None
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}

    def _point(self, url: str) -> None:
        self._ask = Administration(url, os.environ.get("QUMULUS_ADMIN_TOKEN", ADMIN_TOKEN))
        token = os.environ.get("QUMULUS_TOKEN", DEFAULT_TOKEN)
        variables = {"QUMULUS_URL": url}
        for clients in FAMILIES.values():
            variables |= clients.environment(url, token)
        self._before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)

    def _cloud_or_misused(self) -> Administration:
        if self._ask is None:
            raise Misused("There is no cloud yet: write %qumulus start.")
        return self._ask


def settings(flags: Sequence[str]) -> dict[str, str]:
    """Return flags of `qumulus serve`, such as ``--seed 7 --strict-simulation``, as settings.

    Raises:
        Misused: a word is no flag's and no flag's value.
    """
    found: dict[str, str] = {}
    name = ""
    for word in flags:
        flag, equals, value = word.partition("=")
        if word.startswith("--"):
            name = flag[2:].replace("-", "_")
            found[name] = value if equals else "true"
            name = "" if equals else name
        elif name:
            found[name], name = word, ""
        else:
            raise Misused(f"{word!r} belongs to no flag: write %qumulus start --seed 7.")
    return found


def load_ipython_extension(ipython: Magics) -> None:
    """Add ``%qumulus``. IPython calls this at ``%load_ext qumulus.jupyter``."""
    notebook = Notebook()
    _notebooks.append(notebook)
    ipython.register_magic_function(notebook.line, "line", "qumulus")


def unload_ipython_extension(_ipython: Magics) -> None:
    """Stop what was started. IPython calls this at ``%unload_ext qumulus.jupyter``."""
    while _notebooks:
        _notebooks.pop().stop()


_notebooks: list[Notebook] = []
