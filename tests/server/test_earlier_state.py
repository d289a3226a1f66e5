"""A state folder that an earlier version wrote is opened by this one, and all that it holds is there and goes on.

`states/schema-0004.zip` was written by the last version whose modules had other names: a finished task and its result, an execution
of a service that had ended, a data pool, a batch, settings of a device, and a job that still waits.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import databases
from dispatchers import wait_for
from qumulus.apis.ibm.instances import LOCAL_CRN
from servers import Server

STATE = Path(__file__).parent / "states" / "schema-0004.zip"
ADMIN = {"Authorization": "Bearer qumulus-admin"}
IBM = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN, "IBM-API-Version": "2025-05-01"}
TASK = "01a22890-33bd-7c9a-9c14-67b4c837594a"
EXECUTION = "944d03db-631e-463d-85a0-9b98ca734409"
WAITING = "01a22890-41f1-7ea1-8d87-95ea27a81d49"
BATCH = "01a22890-41a9-7a2e-a961-27ca428b253a"

pytestmark = pytest.mark.skipif(databases.kind() == "postgres", reason="the folder is one of SQLite")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("earlier")
    with zipfile.ZipFile(STATE) as archive:
        archive.extractall(folder)
    with Server(folder / "oldstate", environment={"QUMULUS_SIMULATIONS": "1"}) as running:
        yield running


def test_a_result_is_served_as_it_was_stored(server):
    result = requests.get(f"{server.url}/task/{TASK}/result", timeout=10).json()
    assert result["counts"] == {"00": 473, "01": 24, "10": 25, "11": 478}


def test_sessions_pools_and_settings_are_there(server):
    batch = requests.get(f"{server.url}/api/v1/sessions/{BATCH}", headers=IBM, timeout=10).json()
    assert (batch["mode"], batch["backend_name"]) == ("batch", "ibm_brisbane")
    (pool,) = requests.get(
        f"{server.url}/platform/datapools", headers={"X-Auth-Token": "qumulus-local"}, timeout=10
    ).json()
    assert (pool["name"], pool["tags"]) == ("a pool", ["old"])
    device = requests.get(f"{server.url}/emulator/devices/brisbane", headers=ADMIN, timeout=10).json()
    assert device["settings"]["message"] == "from before"


def test_a_service_that_was_deployed_runs(server):
    token = {"Authorization": "Bearer qumulus-local"}
    url = f"{server.url}/services/adder/"
    assert requests.get(f"{url}{EXECUTION}/result", headers=token, timeout=10).json()["sum"] == 6
    sent = requests.post(url, json={"data": {"values": [4, 5]}, "params": {}}, headers=token, timeout=10).json()
    wait_for(lambda: requests.get(f"{url}{sent['id']}", headers=token, timeout=10).json()["status"] == "SUCCEEDED", 60)
    assert requests.get(f"{url}{sent['id']}/result", headers=token, timeout=10).json()["sum"] == 9


def test_a_job_that_waited_runs(server):
    status = f"{server.url}/api/v1/jobs/{WAITING}"
    settings = {"online": True, "least_queue_seconds": 0}
    requests.put(f"{server.url}/emulator/devices/brisbane/settings", json=settings, headers=ADMIN, timeout=10)
    wait_for(lambda: requests.get(status, headers=IBM, timeout=10).json()["status"] == "Completed", 60)


def test_what_killed_runs_had_mounted_under_the_earlier_name_is_removed(server):
    wait_for(lambda: not (server.home / "services" / "lent").exists())
