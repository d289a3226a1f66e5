"""Time passes in the cloud, and the real client of Qiskit Runtime meets what it has done: no test waits for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2, Session
from qiskit_ibm_runtime.exceptions import IBMNotAuthorizedError, IBMRuntimeError

from qumulus.clients import DEFAULT_TOKEN, FAMILIES
from qumulus.control.administration import Administration
from qumulus.control.ephemeral import EphemeralCloud

MONDAY = "2026-03-02T08:00:00Z"


@pytest.fixture(scope="module")
def cloud() -> Iterator[EphemeralCloud]:
    with EphemeralCloud() as running:
        yield running


@pytest.fixture
def administer(cloud: EphemeralCloud) -> Iterator[Administration]:
    administration = Administration(cloud.url)
    administration("PUT", "/clock", {"rate": 0, "now": MONDAY})
    yield administration
    administration("POST", "/reset")


@pytest.fixture
def service(cloud: EphemeralCloud, administer: Administration, monkeypatch: pytest.MonkeyPatch) -> QiskitRuntimeService:
    changed = cloud.environment(os.environ)
    for name in os.environ.keys() - changed.keys():
        monkeypatch.delenv(name)
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return QiskitRuntimeService(channel="ibm_quantum_platform", token=DEFAULT_TOKEN, instance=FAMILIES["ibm"].instance)


def circuit(service: QiskitRuntimeService) -> tuple[Any, QuantumCircuit]:
    made = QuantumCircuit(1)
    made.x(0)
    made.measure_all()
    return service.backend("ibm_fez"), made


def test_a_session_of_two_hours_expires(service, administer):
    backend, made = circuit(service)
    session = Session(backend, max_time="2h")
    sampler = SamplerV2(session)
    sampler.run([made], shots=10).result()
    administer("POST", "/clock/advance", {"seconds": 2 * 3600 - 1})
    sampler.run([made], shots=10).result()
    administer("POST", "/clock/advance", {"seconds": 1})
    with pytest.raises(IBMRuntimeError, match="session"):
        sampler.run([made], shots=10)
    assert session.status() == "Closed"


def test_a_job_has_the_dates_of_the_cloud(service):
    backend, made = circuit(service)
    job = SamplerV2(backend).run([made], shots=10)
    job.result()
    assert job.creation_date.astimezone().isoformat()[:4] == "2026"
    assert job.metrics()["timestamps"]["finished"].startswith("2026-03-02T08:00:00")


def test_a_bearer_token_ends_by_the_clock_where_that_is_asked_for(service, administer):
    administer("PUT", "/clock", {"rate": 0, "now": MONDAY, "bearer_tokens": True})
    service.jobs()
    administer("POST", "/clock/advance", {"seconds": 3600})
    with pytest.raises(IBMNotAuthorizedError, match="bearer token has expired"):
        service.jobs()
