"""The pytest plugin: a quantum cloud for a test suite, and the real clients already pointed at it.

    def test_a_bell_pair_is_correlated(ibm_service):
        backend = ibm_service.backend("ibm_brisbane")
        ...

``quantum_cloud`` is the cloud itself, one for the whole session (one a worker under xdist); ``quantum_environment`` sets the
variables by which code under test finds it on its own; ``ibm_service``, ``oqtopus_client`` and ``planqk_service`` are clients.
With ``--qumulus-fresh``, or ``qumulus_fresh = true`` in the settings of pytest, each test finds a cloud without jobs.

Only the standard library and pytest are imported here: where the packages of a client do not fit beside those of the server,
`qumulus_command` names a `qumulus` that is installed elsewhere.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .clients import DEFAULT_TOKEN, FAMILIES
from .control.administration import Administration, CloudRefused, Namespace, service_name
from .control.emulator import Emulator, Fault
from .control.ephemeral import COMMAND, CloudNotStarted, EphemeralCloud
from .control.exchanges import NoExchanges, RecordedCloud
from .control.time import EmulatedClock, clear_calibrations, set_queue
from .core.ports.namespaces import MARK, OWN

__all__ = ["CloudRefused", "Fault", "QuantumCloud"]

ACCESS_KEY = "qumulus"
CLOUD = pytest.StashKey["QuantumCloud"]()  # of the session, as long as it runs
NOT_HERE = (
    "The packages of the server are not installed beside these tests: install Qumulus with them, or elsewhere, and name it "
    "by qumulus_command = /path/to/qumulus in the settings of pytest, or by the variable QUMULUS_COMMAND."
)


class QuantumCloud:
    """A running cloud, with what a test may want to know of it and to do to it."""

    instance = FAMILIES["ibm"].instance

    def __init__(
        self, cloud: EphemeralCloud, server: Administration | None = None, namespace: Namespace | None = None
    ) -> None:
        """``server`` has it, where that is another one than ``cloud``, which then only leads there; in a ``namespace``, if it is one."""
        self._cloud = cloud
        self._server = server or Administration(cloud.url)
        self._namespace = namespace
        self._others: list[QuantumCloud] = []  # namespaces that were made by this one
        self.administer = namespace.administer if namespace else self._server
        self.url = self.administer.url
        self.token = f"{namespace.name}{MARK}{DEFAULT_TOKEN}" if namespace else DEFAULT_TOKEN
        """What clients may send: in a namespace it leads there, whatever address they know."""
        self.emulator = Emulator(self.administer)
        self.clock = EmulatedClock(self.administer, self.undo_later)
        """What time it is in the cloud: `clock.stand()`, `clock.advance(hours=2)`; undone when the test ends."""
        self._set: list[Callable[[], object]] = []  # how what was set is undone, the last of it last

    def variables(self, family: str) -> dict[str, str]:
        """What a family's clients (``ibm``, ``oqtopus``, ``planqk``) read from the environment."""
        return FAMILIES[family].environment(self.url, self.token)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment ``given``, changed so that untouched clients of all families find this cloud."""
        return self._cloud.environment(given, namespace=self._namespace.name if self._namespace else None)

    @property
    def proxy(self) -> str:
        """Where the proxy is that answers for the real clouds."""
        return self._cloud.proxy

    def reset(self) -> dict[str, int]:
        """Forget all jobs, sessions, added tokens and settings of devices; how many of each."""
        return self.administer("POST", "/reset")

    def namespace(self, name: str | None = None, *, fork: bool = False, snapshot: str | None = None) -> QuantumCloud:
        """A cloud of its own in the same server until the test ends: empty, with this one's state (``fork``), or with a snapshot.

        Raises:
            CloudRefused: there is one of that name already, or no such snapshot.
        """
        name = name or f"tests-{os.urandom(6).hex()}"
        namespace = self._server.namespace(name, fork=self._name if fork else None, snapshot=snapshot)
        made = QuantumCloud(self._cloud, self._server, namespace)
        self._others.append(made)
        self.undo_later(lambda: (self._others.remove(made), namespace.remove()))
        return made

    def snapshot(self, name: str | None = None) -> str:
        """Keep the state of this cloud until the test ends, for `namespace(snapshot=…)` and `restore`; the name of what is kept.

        Raises:
            CloudRefused
        """
        name = name or f"tests-{os.urandom(6).hex()}"
        self._server.save(name, self._name)
        self.undo_later(lambda: self._server.forget(name))
        return name

    def restore(self, snapshot: str) -> None:
        """Put a state in the place of that of this namespace; what runs here is ended.

        Raises:
            CloudRefused: there is no such snapshot, or this is the server's own cloud, which is not put back while it runs.
        """
        if self._namespace is None:
            raise CloudRefused(
                "A state is put back in a namespace: quantum_cloud.namespace(snapshot=…) makes one with it."
            )
        self._namespace.restore(snapshot)

    @property
    def _name(self) -> str:
        return self._namespace.name if self._namespace else OWN

    def set_device(self, device: str, **settings: object) -> None:
        """Take a device off (``online=False``), make its jobs wait (``least_queue_seconds=2``) or run longer, until the test ends.

        Raises:
            CloudRefused: there is no such device or setting.
        """
        known = self.administer("GET", f"/devices/{device}")["settings"]
        self.administer("PUT", f"/devices/{device}/settings", known | settings)
        self.undo_later(lambda: self.administer("PUT", f"/devices/{device}/settings", known))

    def fault(self, kind: str, **rule: object) -> Fault:
        """Let something go wrong until the test ends: `fault("error", api="ibm", status=503, times=2)`. See docs/emulation.md.

        Raises:
            CloudRefused: there is no such kind, or it takes no such member.
        """
        fault = self.emulator.fault(kind, **rule)
        self.undo_later(fault.remove)
        return fault

    def queue(self, device: str, **setting: object) -> None:
        """Let others queue at a device until the test ends: `queue("torino", waiting=40, run_scale=1)`. See docs/emulation.md.

        Raises:
            CloudRefused: there is no such device or member.
        """
        self.undo_later(set_queue(self.administer, device, setting))

    def calibration(self, device: str, **setting: object) -> list[dict[str, Any]]:
        """Let a device drift until the test ends: `calibration("torino", number=3, bad_qubits=[{"qubit": 3}])`; all its calibrations.

        Raises:
            CloudRefused: there is no such device or member.
        """
        self.undo_later(lambda: clear_calibrations(self.administer, device))
        return self.administer("POST", f"/calibrations/{device}", setting)["calibrations"]

    def stuck(self) -> list[str]:
        """Return a sentence for each job that waits for what will not come by itself; none where the cloud does not answer."""
        with contextlib.suppress(CloudRefused, OSError):
            return [*self.emulator.stuck(), *(sentence for each in self._others for sentence in each.stuck())]
        return []

    def told(self) -> str:
        """Return what a person may want to know where a test has failed."""
        try:
            faults = [fault for fault in self.emulator.faults() if fault.known_hits]
        except (CloudRefused, OSError):
            return ""
        hit = [f"The fault {fault.id} ({fault.rule['kind']}) has hit {fault.known_hits} times." for fault in faults]
        return "\n".join([*hit, *self.stuck()])

    def undo_later(self, undo: Callable[[], object]) -> None:
        """Have something undone after the test that has set it."""
        self._set.append(undo)

    @property
    def mark(self) -> int:
        """Return how much was set until now."""
        return len(self._set)

    def undo(self, mark: int = 0) -> None:
        """Undo what was set since a mark, the last of it first."""
        while len(self._set) > mark:
            self._set.pop()()


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a project can set."""
    group = parser.getgroup("qumulus", "a quantum cloud for the tests")
    group.addoption("--qumulus-fresh", action="store_true", default=None, help="each test finds a cloud without jobs")
    group.addoption("--qumulus-url", default=None, help="take a namespace of its own in the cloud that runs there")
    parser.addini("qumulus_url", "take a namespace of its own in the cloud that runs there", default="")
    parser.addini("qumulus_fresh", "each test finds a cloud without jobs", type="bool", default=False)
    parser.addini(
        "qumulus_patience",
        "seconds after which a test fails whose job waits for what will not come by itself; 0: never",
        default="20",
    )
    parser.addini("qumulus_command", "how qumulus is called, where it is installed elsewhere", default="")
    parser.addini("qumulus_instances", "further IBM instances, names or CRNs", type="linelist", default=[])


@pytest.fixture(scope="session")
def quantum_cloud(pytestconfig: pytest.Config) -> Iterator[QuantumCloud]:
    """A cloud for the whole session; under xdist each worker has its own, which runs one job at a time.

    With ``--qumulus-url`` it is a namespace in a server that runs already, for each worker another one.
    """
    command = shlex.split(os.environ.get("QUMULUS_COMMAND") or pytestconfig.getini("qumulus_command"))
    if not command and importlib.util.find_spec("uvicorn") is None:
        pytest.fail(NOT_HERE, pytrace=False)
    shared = (pytestconfig.getoption("qumulus_url") or pytestconfig.getini("qumulus_url")).rstrip("/")
    settings = {"workers": "1"} if "PYTEST_XDIST_WORKER" in os.environ else {}
    with contextlib.ExitStack() as begun:
        try:
            server = _administration(shared) if shared else None
            namespace = begun.enter_context(own_namespace(server)) if server else None
            cloud = EphemeralCloud(
                instances=pytestconfig.getini("qumulus_instances"),
                settings={"upstream": shared} if shared else settings,
                command=command or COMMAND,
            )
            begun.enter_context(cloud)
        except CloudNotStarted as error:
            pytest.fail(str(error), pytrace=False)
        except (CloudRefused, OSError) as error:
            pytest.fail(f"No namespace can be had at {shared}: {error}", pytrace=False)
        pytestconfig.stash[CLOUD] = QuantumCloud(cloud, server, namespace)
        begun.callback(pytestconfig.stash.__delitem__, CLOUD)
        begun.callback(pytestconfig.stash[CLOUD].undo)  # what was set for all tests: others may use the server after us
        yield pytestconfig.stash[CLOUD]


def _administration(url: str) -> Administration:
    """Return the administrator of a cloud that runs already."""
    token = os.environ.get("QUMULUS_ADMIN_TOKEN")
    return Administration(url, token) if token else Administration(url)


def own_namespace(server: Administration) -> Namespace:
    """Make a namespace in a server that runs already; as a context manager it is removed at the end.

    Raises:
        CloudRefused, OSError
    """
    return server.namespace(f"pytest-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.urandom(4).hex()}")


@pytest.fixture(autouse=True)
def _qumulus_fresh(request: pytest.FixtureRequest) -> None:
    config = request.config
    if "quantum_cloud" in request.fixturenames and (
        config.getoption("qumulus_fresh") or config.getini("qumulus_fresh")
    ):
        request.getfixturevalue("quantum_cloud").reset()


@pytest.fixture(autouse=True)
def _qumulus_undone(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test sets is undone after it, however long its cloud lives; what was set for more than one test stays."""
    cloud = request.config.stash.get(CLOUD, None)
    mark = cloud.mark if cloud else 0
    yield
    if (cloud := request.config.stash.get(CLOUD, None)) is not None:
        cloud.undo(mark)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test whose job waits for what will not come by itself fails, and says so, instead of hanging."""
    patience = float(item.config.getini("qumulus_patience"))
    with watched(item.config.stash.get(CLOUD, None), patience) if patience else contextlib.nullcontext():
        return (yield)


@contextlib.contextmanager
def watched(cloud: QuantumCloud | None, patience: float) -> Generator[None]:
    """Ask again and again, while a test runs, whether one of its jobs is stuck; where somebody else has set the alarm, do nothing."""
    ours = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")
    if cloud is None or not ours or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
        yield
        return
    before: list[str] = []

    def look(*_: object) -> None:
        stuck = cloud.stuck()
        if both := [sentence for sentence in stuck if sentence in before]:
            pytest.fail("\n".join([f"The test has waited for more than {patience:g} seconds.", *both]), pytrace=False)
        before[:] = stuck

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, patience / 2, patience / 2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Beside a failure stands what the cloud knows of it: faults that have hit, jobs that wait."""
    report = yield
    cloud = item.config.stash.get(CLOUD, None)
    uses = "quantum_cloud" in getattr(item, "fixturenames", ())
    if report.failed and uses and cloud is not None and (told := cloud.told()):
        report.sections.append(("The quantum cloud", told))
    return report


@pytest.fixture
def quantum_environment(quantum_cloud: QuantumCloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment in which clients that the code under test makes by itself find the cloud, whatever their version."""
    changed = quantum_cloud.environment(os.environ)
    for name in os.environ.keys() - changed.keys():
        monkeypatch.delenv(name)
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return changed


@pytest.fixture
def recorded_cloud() -> Iterator[Callable[[Path | str], RecordedCloud]]:
    """Call it with a file of `qumulus record` to have a cloud, at ``.url``, that answers as it was recorded, without a simulator."""
    with contextlib.ExitStack() as running:

        def begun(file: Path | str) -> RecordedCloud:
            try:
                return running.enter_context(RecordedCloud(Path(file)))
            except NoExchanges as error:
                pytest.fail(str(error), pytrace=False)

        yield begun


@pytest.fixture
def ibm_service(quantum_cloud: QuantumCloud, quantum_environment: dict[str, str]) -> Any:  # noqa: ARG001  it is needed
    """A `QiskitRuntimeService` of the installed version, for the instance ``quantum_cloud.instance``."""
    module = _client("ibm_service", "qiskit-ibm-runtime", "qiskit_ibm_runtime")
    return module.QiskitRuntimeService(
        channel="ibm_quantum_platform", token=quantum_cloud.token, instance=quantum_cloud.instance
    )


@pytest.fixture
def oqtopus_client(quantum_cloud: QuantumCloud) -> Any:
    """An `OqtopusClient`."""
    module = _client("oqtopus_client", "oqtopus-client", "oqtopus_client")
    variables = quantum_cloud.variables("oqtopus")
    config = module.OqtopusConfig(url=variables["OQTOPUS_URL"], api_token=variables["OQTOPUS_API_TOKEN"])
    return module.OqtopusClient(config)


@pytest.fixture
def planqk_service(quantum_cloud: QuantumCloud) -> Callable[[Path | str], Any]:
    """Call it with the folder of a service to deploy it and have its client: `HubServiceClient`, else `PlanqkServiceClient`."""

    def deployed(folder: Path | str, name: str | None = None) -> Any:
        module = _client(
            "planqk_service", "qhub-service (or planqk-service-sdk)", "qhub.service.client", "planqk.service.client"
        )
        client = getattr(module, "HubServiceClient", None) or module.PlanqkServiceClient
        url = quantum_cloud.administer.deploy(name or service_name(Path(folder)), Path(folder))
        return client(url, ACCESS_KEY, quantum_cloud.token, f"{quantum_cloud.url}/token")

    return deployed


def _client(fixture: str, package: str, *modules: str) -> Any:
    for module in modules:
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not module.startswith(error.name):
                raise  # the client is there and lacks something itself
    pytest.fail(f"{fixture} needs the package {package}: install it beside the tests.", pytrace=False)
