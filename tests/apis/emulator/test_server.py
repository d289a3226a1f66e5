"""What the server says of itself."""

from __future__ import annotations

import json
import re
from importlib.metadata import version

from fastapi.testclient import TestClient

from qumulus import __version__
from qumulus.apis import families
from qumulus.apis.emulator import app as emulator
from qumulus.core.health import Check
from qumulus.http import metrics
from qumulus.openapi.documentation import Served
from servers import Server


def client(**given) -> TestClient:
    return TestClient(
        emulator.create(None, naming=families.naming(), credentials=families.credentials(), **given)
    )  # no handler of it calls the cloud


def test_the_root_says_what_runs_here() -> None:
    said = client(served=[Served("emulator", emulator.DOCUMENT)]).get("/").json()
    assert said["version"] == __version__
    assert said["packages"]["qiskit"] == version("qiskit")
    (api,) = said["apis"]
    assert api["name"] == "emulator"
    assert api["operations"] == len(emulator.DOCUMENT.operations)
    assert api["document"] == "/openapi/emulator.yaml"


def test_every_link_of_the_root_leads_somewhere(live_server: Server) -> None:
    said = json.loads(live_server.get("/"))
    addresses = [*said["links"].values(), *(api["document"] for api in said["apis"])]
    assert len(addresses) >= 5
    for address in addresses:
        assert live_server.get(address)


def test_a_server_that_takes_no_jobs_says_why() -> None:
    answer = client(checks=lambda: [Check("workers", "The server is stopping.")]).get("/health")
    assert answer.status_code == 503
    assert answer.json() == {
        "live": True,
        "ready": False,
        "reason": "The server is stopping.",
        "checks": [{"name": "workers", "well": False, "reason": "The server is stopping."}],
    }


def test_a_server_that_takes_jobs_and_can_not_run_programs_of_users_is_ready_and_says_so() -> None:
    checks = [Check("disk"), Check("sandbox", "This machine keeps nothing apart.", needed=False)]
    answer = client(checks=lambda: checks).get("/health")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["checks"][1] == {
        "name": "sandbox",
        "well": False,
        "reason": "This machine keeps nothing apart.",
    }


def test_a_server_that_takes_jobs_is_ready() -> None:
    answer = client().get("/health")
    assert (answer.status_code, answer.json()) == (200, {"live": True, "ready": True})


def test_requests_are_counted_by_api_and_status(live_server: Server) -> None:
    live_server.get("/health")
    text = live_server.get("/metrics").decode()
    (number,) = re.findall(r'qumulus_requests_total{api="emulator",method="GET",status="200"} (\d+)', text)
    live_server.get("/health")
    after = live_server.get("/metrics").decode()
    assert f'qumulus_requests_total{{api="emulator",method="GET",status="200"}} {int(number) + 2}.0' in after
    assert 'qumulus_jobs_ended_total{state="succeeded"}' in after
    assert "process_resident_memory_bytes" in after


def test_durations_fall_into_their_buckets() -> None:
    requests = metrics.Requests()
    for seconds in (0.005, 0.006, 99.0):
        requests.count("user", "GET", 200, seconds)
    text = metrics.text([requests])
    assert 'qumulus_request_seconds_bucket{api="user",le="0.005"} 1.0' in text
    assert 'qumulus_request_seconds_bucket{api="user",le="10.0"} 2.0' in text
    assert 'qumulus_request_seconds_bucket{api="user",le="+Inf"} 3.0' in text
    assert 'qumulus_request_seconds_count{api="user"} 3.0' in text


def test_invented_methods_do_not_make_ever_more_series() -> None:
    requests = metrics.Requests()
    for method in ("PURGE", "X1", "X2"):
        requests.count("user", method, 405, 0.1)
    assert 'qumulus_requests_total{api="user",method="other",status="405"} 3.0' in metrics.text([requests])
