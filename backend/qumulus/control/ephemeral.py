"""A cloud of one's own for as long as something needs it: its own process, free ports, state in a temporary folder.

Standard library only: a project whose packages do not fit beside this one's can start a cloud that is installed elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from qumulus.apis.families import real_sites
from qumulus.clients import DEFAULT_TOKEN, redirected
from qumulus.interception.environment import environment
from qumulus.interception.sites import sites

from .temporary import TemporaryFolder

START_SECONDS = 60.0
STOP_SECONDS = 20.0
COMMAND = (sys.executable, "-m", "qumulus")

# All that the server gets of the environment, by the beginnings of names: no credential of the person's is among it.
INHERITED = (
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHON",
    "VIRTUAL_ENV",
    "OMP_",
    "OPENBLAS_",
    "MKL_",
    "RAYON_",
    "QUMULUS_FLEET",
    "QUMULUS_WORKER",
    "QUMULUS_JOB_",
    "QUMULUS_PUB_",
    "QUMULUS_SEED",
    "QUMULUS_STRICT_",
    "QUMULUS_STATUS_HOLD",
    "QUMULUS_MAX_",
)


class CloudNotStarted(Exception):
    """The server did not come up; the text says why, in the server's own words."""


class EphemeralCloud:
    """A running cloud; a context manager. Any credential is let in: only this machine can reach it."""

    def __init__(
        self,
        *,
        instances: Iterable[str] = (),
        intercept: bool = True,
        settings: Mapping[str, str] | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """``instances``: names or CRNs of further IBM instances; ``settings``: of the server, such as ``{"simulations": "1"}``;
        ``command``: how `qumulus` is called."""
        self._command = [*command, "serve"]
        self._settings = {
            "auth": "open",
            "drain_seconds": "0",
            "host": "127.0.0.1",
            "instances": ",".join(instances),
            "log": "json",
            "parent": str(os.getpid()),
            "port": "0",
            "sse_prepare": "off",
        }
        if intercept:
            self._settings["intercept_port"] = "0"
        self._settings |= settings or {}
        self._temporary: TemporaryFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.proxy = ""  # where HTTPS_PROXY has to point, if it intercepts
        self.certificate = Path()  # of the authority that a client has to trust then

    def start(self) -> EphemeralCloud:
        """Start the cloud and wait until it answers.

        Raises:
            CloudNotStarted
        """
        try:
            with uninterrupted():  # between a folder or a process and our knowing of it
                self._temporary = TemporaryFolder()
                self.folder = self._temporary.path
                self.log = self.folder / "log"
                ready = self.folder / "ready.json"
                self._process = self._started(ready, self._temporary.lock)
            self._await(ready)
        except BaseException:  # an interrupted start leaves nothing behind either
            self.stop()
            raise
        where = json.loads(ready.read_text())
        self.url = where["url"]
        self.proxy = where.get("proxy", "")
        self.certificate = Path(where.get("certificate", ""))
        return self

    def _started(self, ready: Path, lock: int) -> subprocess.Popen[bytes]:
        paths = {"home": str(self.folder / "state"), "ready_file": str(ready)}
        variables = {f"QUMULUS_{name.upper()}": value for name, value in (self._settings | paths).items()}
        try:
            with self.log.open("wb") as log:
                return subprocess.Popen(  # noqa: S603  our own server
                    self._command,
                    env=inherited() | variables,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[lock],  # a server that outlives us keeps its state until it has ended
                    start_new_session=True,  # Ctrl-C is for the command that uses the cloud
                )
        except OSError as error:
            raise CloudNotStarted(f"{self._command[0]} can't be started: {error.strerror}.") from None

    def _await(self, ready: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                output = self.log.read_text(errors="replace").strip() or "it said nothing"
                how = "ended at its start" if ended else f"did not answer within {START_SECONDS:.0f} s"
                raise CloudNotStarted(f"The cloud {how}: {output}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the cloud and remove its state."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if self._temporary is not None:
            self._temporary.remove()

    def environment(
        self, given: Mapping[str, str], *, with_account: Collection[str] = (), namespace: str | None = None
    ) -> dict[str, str]:
        """Return the environment in which untouched clients find this cloud, or one of its namespaces, made from the one ``given``.

        See `clients.redirected`.

        Where it hands requests on to the real hosts, clients keep their own credentials.
        """
        upstream = urlsplit(self._settings.get("upstream", "")).hostname
        direct = ",".join(filter(None, (given.get("NO_PROXY") or given.get("no_proxy"), upstream)))
        own = "upstream_hosts" in self._settings
        leads = {"with_account": with_account, "namespace": namespace}
        named = dict(given) if own else redirected(given, self.url, DEFAULT_TOKEN, **leads)
        return named | environment(
            {**given, "NO_PROXY": direct},
            proxy=self.proxy,
            certificate=self.certificate,
            bundle=self.folder / "trusted.pem",
            sites=sites(self._settings.get("intercept_hosts", ""), real_sites()),
        )

    def events(self) -> list[dict[str, object]]:
        """Return the events that the log has so far, one object a line."""
        with contextlib.suppress(
            OSError
        ):  # a request is logged after its answer: another answer, and all before are there
            urllib.request.urlopen(self.url, timeout=STOP_SECONDS).close()  # noqa: S310  our own server
        whole, _, _on_its_way = self.log.read_text(errors="replace").rpartition("\n")
        lines = whole.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def __enter__(self) -> EphemeralCloud:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


@contextlib.contextmanager
def uninterrupted() -> Generator[None]:
    """Have Ctrl-C wait until what is done here is done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no other thread is interrupted
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        for number in came[:1]:
            signal.raise_signal(number)


def inherited() -> dict[str, str]:
    """Return the variables of this process that the cloud is started with, beside those that are set for the cloud."""
    return {name: value for name, value in os.environ.items() if name.startswith(INHERITED)}
