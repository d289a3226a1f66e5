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

import importlib.util
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .clients import DEFAULT_TOKEN, FAMILIES
from .control.administration import Administration, CloudRefused, service_name
from .control.ephemeral import COMMAND, CloudNotStarted, EphemeralCloud

__all__ = ["CloudRefused", "QuantumCloud"]

ACCESS_KEY = "qumulus"
NOT_HERE = (
    "The packages of the server are not installed beside these tests: install Qumulus with them, or elsewhere, and name it "
    "by qumulus_command = /path/to/qumulus in the settings of pytest, or by the variable QUMULUS_COMMAND."
)


class QuantumCloud:
    """A running cloud, with what a test may want to know of it and to do to it."""

    url: str
    token = DEFAULT_TOKEN
    instance = FAMILIES["ibm"].instance

    def __init__(self, cloud: EphemeralCloud) -> None:
        self._cloud = cloud
        self.url = cloud.url
        self.administer = Administration(cloud.url)

    def variables(self, family: str) -> dict[str, str]:
        """What a family's clients (``ibm``, ``oqtopus``, ``planqk``) read from the environment."""
        return FAMILIES[family].environment(self.url, self.token)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment ``given``, changed so that untouched clients of all families find this cloud."""
        return self._cloud.environment(given)

    @property
    def proxy(self) -> str:
        """Where the proxy is that answers for the real clouds."""
        return self._cloud.proxy

    def reset(self) -> dict[str, int]:
        """Forget all jobs, sessions, added tokens and settings of devices; how many of each."""
        return self.administer("POST", "/reset")

    def set_device(self, device: str, **settings: object) -> None:
        """Take a device off (``online=False``), make its jobs wait (``least_queue_seconds=2``) or run longer, until a reset.

        Raises:
            CloudRefused: there is no such device or setting.
        """
        known = self.administer("GET", f"/devices/{device}")["settings"]
        self.administer("PUT", f"/devices/{device}/settings", known | settings)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a project can set."""
    group = parser.getgroup("qumulus", "a quantum cloud for the tests")
    group.addoption("--qumulus-fresh", action="store_true", default=None, help="each test finds a cloud without jobs")
    parser.addini("qumulus_fresh", "each test finds a cloud without jobs", type="bool", default=False)
    parser.addini("qumulus_command", "how qumulus is called, where it is installed elsewhere", default="")
    parser.addini("qumulus_instances", "further IBM instances, names or CRNs", type="linelist", default=[])


@pytest.fixture(scope="session")
def quantum_cloud(pytestconfig: pytest.Config) -> Iterator[QuantumCloud]:
    """A cloud for the whole session; under xdist each worker has its own, which runs one job at a time."""
    command = shlex.split(os.environ.get("QUMULUS_COMMAND") or pytestconfig.getini("qumulus_command"))
    if not command and importlib.util.find_spec("uvicorn") is None:
        pytest.fail(NOT_HERE, pytrace=False)
    settings = {"workers": "1"} if "PYTEST_XDIST_WORKER" in os.environ else {}
    cloud = EphemeralCloud(
        instances=pytestconfig.getini("qumulus_instances"), settings=settings, command=command or COMMAND
    )
    try:
        cloud.start()
    except CloudNotStarted as error:
        pytest.fail(str(error), pytrace=False)
    try:
        yield QuantumCloud(cloud)
    finally:
        cloud.stop()


@pytest.fixture(autouse=True)
def _qumulus_fresh(request: pytest.FixtureRequest) -> None:
    config = request.config
    if "quantum_cloud" in request.fixturenames and (
        config.getoption("qumulus_fresh") or config.getini("qumulus_fresh")
    ):
        request.getfixturevalue("quantum_cloud").reset()


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
