"""The vendor's packages inside a service: its quantum client, and its runtime in the strict mode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apis.planqk.cloud import deploy
from clients.environments import environment
from qumulus.services.environments import Environments
from servers import Server, server

BELL = """
    from qhub.quantum.sdk import HubQiskitProvider
    from qiskit import QuantumCircuit, transpile

    def run(shots):
        circuit = QuantumCircuit(2, 2)
        circuit.h(0)
        circuit.cx(0, 1)
        circuit.measure([0, 1], [0, 1])
        backend = HubQiskitProvider().get_backend("kipu.sim.qsim")
        return {"counts": backend.run(transpile(circuit, backend), shots=shots).result().get_counts()}
    """
STRICT = """
    from typing import Optional
    from qhub.commons.runtime import HandlerError
    from qhub.commons.secret import SecretValue

    def run(flag: bool, token: Optional[SecretValue] = None) -> dict:
        if token is not None:
            raise HandlerError("No such city", detail=f"{len(token.unwrap())} letters", extensions={"city": "Ulm"})
        return {"flag": flag}
    """


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("inside") / "state") as running:
        yield running


def test_a_program_reaches_the_quantum_backends_without_saying_where_they_are(cloud: Server):
    requirements = ("qhub-quantum==1.18.1",)
    kept = Environments(cloud.home / "services" / "environments")._place(requirements)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.symlink_to(environment("qhub-quantum-1.18.1").parents[1])  # the one that installing would take minutes to make
    service = deploy(cloud, "bell", BELL, requirements__txt="\n".join(requirements))
    execution = service.start({"shots": 100})
    status = service.wait(execution, seconds=90)
    result = service.get(f"/{execution}/result")
    assert status["status"] == "SUCCEEDED", (result, service.get(f"/{execution}/log"))
    assert set(result["counts"]) == {"00", "11"}
    assert sum(result["counts"].values()) == 100


def test_the_strict_mode_does_what_the_platform_would(cloud: Server):
    service = deploy(
        cloud,
        "strict",
        STRICT,
        requirements__txt="qhub-commons==1.2.2",
        planqk__json='{"strict": true}',
    )
    assert service.run({"flag": False})["flag"] is True  # the platform's own surprise: the truth of a text
    failed = service.run({"flag": True, "$secrets": {"token": "tell-nobody"}})
    assert (failed["title"], failed["detail"], failed["city"]) == ("No such city", "11 letters", "Ulm")
    assert failed["_embedded"]["status"]["status"] == "FAILED"


def test_without_the_vendors_runtime_the_strict_mode_says_what_it_needs(cloud: Server):
    service = deploy(cloud, "bare", "def run() -> dict:\n    return {}", planqk__json='{"strict": true}')
    failed = service.run()
    assert "add qhub-commons to requirements.txt" in failed["detail"]
