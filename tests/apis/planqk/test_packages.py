"""Services whose packages have to be installed, on a live server: what waits, what fails, and what one is told."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from apis.planqk.cloud import ADMIN, Service, deploy, packed
from servers import Server, server

PROGRAM = "def run():\n    import loguru\n    return {'done': loguru.__name__}"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests of this module."""
    with server(tmp_path_factory.mktemp("packages") / "state") as running:
        yield running


def test_an_execution_of_a_service_whose_packages_can_not_be_installed_fails_with_the_reason(cloud: Server):
    files = packed({"src/program.py": PROGRAM, "requirements.txt": "--no-such-option\n"})
    put = httpx2.put(f"{cloud.url}/emulator/services/broken", json=files, headers=ADMIN, timeout=60)
    assert put.status_code == 201
    service = Service(cloud, "broken")
    waiting = service.start()
    (line,) = service.get(f"/{waiting}/log")
    assert line["message"] == "It waits for the packages of the service, which are being installed."
    assert service.wait(waiting, seconds=90)["status"] == "FAILED"
    late = service.start()
    assert service.wait(late)["status"] == "FAILED"
    for execution in (waiting, late):
        result = service.get(f"/{execution}/result")
        assert "The packages could not be installed:" in result["detail"]
        assert "no such option: --no-such-option" in result["detail"]
        told = [line["message"] for line in service.get(f"/{execution}/log")]
        assert any("no such option: --no-such-option" in line for line in told)
    assert deploy(cloud, "broken", PROGRAM).run()["done"] == "loguru"


def test_a_program_finds_what_the_platform_has_beside_its_own_packages(cloud: Server):
    assert deploy(cloud, "logs", PROGRAM).run()["done"] == "loguru"


def test_results_with_what_is_no_number_are_delivered_whole(cloud: Server):
    service = deploy(cloud, "nan", "def run(): return {'a': float('nan'), 'b': 1}")
    execution = service.start()
    service.wait(execution)
    result = service.get(f"/{execution}/result")
    assert result["b"] == 1
    assert result["a"] != result["a"]
