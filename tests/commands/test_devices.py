"""Devices that a person imports into a running cloud, as its clients see them and as jobs run on them."""

from __future__ import annotations

import json
import os
import time

import pytest
import requests

from commands.cli import qumulus
from qumulus.apis.ibm.instances import LOCAL_CRN
from qumulus.catalogue import SnapshotCatalogue
from servers import Server

IBM = {"Authorization": "Bearer test-token", "IBM-API-Version": "2026-04-15", "Service-CRN": LOCAL_CRN}
READ_WRONG = """name: careless
topology: line 2
readout_error: 1.0
one_qubit_error: 0
two_qubit_error: 0
calibrated: 2026-01-31
"""
FLIPPED = "OPENQASM 3; qubit[2] q; bit[2] c; c = measure q;"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("devices") / "state") as server:
        yield server


def run(server: Server, *arguments: str, status: int = 0) -> str:
    ended = qumulus("devices", *arguments, QUMULUS_URL=server.url)
    assert ended.returncode == status, ended.stderr
    return ended.stdout if status == 0 else ended.stderr


def ibm(server: Server, path: str, **query: str) -> dict:
    found = requests.get(f"{server.url}/api/v1/backends{path}", params=query, headers=IBM, timeout=30)
    assert found.status_code == 200, found.text
    return found.json()


def counts(server: Server, device: str) -> dict[str, int]:
    body = {"device": device, "n_shots": 100, "code": FLIPPED, "skip_transpilation": True}
    task = requests.post(f"{server.url}/task", json=body, timeout=30).json()["task_id"]
    deadline = time.monotonic() + 60
    while (shown := requests.get(f"{server.url}/task/{task}", timeout=30).json())["status"] not in (
        "COMPLETED",
        "FAILED",
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert shown["status"] == "COMPLETED", shown
    return requests.get(f"{server.url}/task/{task}/result", timeout=30).json()["counts"]


def test_a_made_up_device_is_served_by_its_name_and_its_noise_is_simulated(server, tmp_path):
    file = tmp_path / "careless.yaml"
    file.write_text(READ_WRONG)
    assert "careless" in run(server, "import", str(file))
    assert "ibm_careless" in [device["name"] for device in ibm(server, "")["devices"]]
    assert ibm(server, "/ibm_careless/configuration")["processor_type"]["family"] == "Made up"
    assert counts(server, "Careless") == {"11": 100}  # each reading is wrong
    file.write_text(READ_WRONG.replace("1.0", "0.0").replace("31", "30"))
    run(server, "import", str(file))
    assert counts(server, "Careless") == {"11": 100}  # the newest counts
    file.write_text(READ_WRONG.replace("1.0", "0.0"))
    run(server, "import", str(file))
    assert counts(server, "Careless") == {"00": 100}  # in its place
    run(server, "remove", "careless")
    assert "There is no device named" in run(server, "show", "careless", status=1)


def test_a_folder_of_calibrations_is_a_series_that_clients_choose_from(server, tmp_path):
    snapshots = SnapshotCatalogue()
    (tmp_path / "configuration.json").write_text(json.dumps(snapshots.configuration("lima")))
    for day in ("2026-01-10", "2026-01-20"):
        document = snapshots.calibration("lima").properties | {"last_update_date": None}
        (tmp_path / day).mkdir()
        (tmp_path / day / "properties.json").write_text(json.dumps(json.dumps(document)))  # as an encoder easily does
    assert run(server, "import", str(tmp_path)).count("lima") == 1
    newest = ibm(server, "/ibm_lima/properties")
    assert newest["last_update_date"].startswith("2026-01-20")
    older = ibm(server, "/ibm_lima/properties", updated_before="2026-01-15T00:00:00Z")
    assert older["last_update_date"].startswith("2026-01-10")
    assert ibm(server, "/ibm_lima/properties", calibration_id=older["calibration_id"]) == older
    run(server, "remove", "lima")
    assert ibm(server, "/ibm_lima/properties")["last_update_date"].startswith("2021")  # the package's is there again


def test_devices_stay_when_the_server_is_started_again_and_after_a_reset(tmp_path):
    (tmp_path / "ring.yaml").write_text("{name: ring9, topology: ring 9}")
    server = Server(tmp_path / "state")
    with server:
        run(server, "import", str(tmp_path / "ring.yaml"))
    with server:
        assert qumulus("reset", "--yes", QUMULUS_URL=server.url).returncode == 0
        assert json.loads(run(server, "show", "ring9", "--json"))["n_qubits"] == 9


def test_a_device_with_waiting_jobs_is_not_removed(server, tmp_path):
    (tmp_path / "slow.yaml").write_text("{name: slow, topology: line 2}")
    run(server, "import", str(tmp_path / "slow.yaml"))
    run(server, "set", "slow", "--least-queue", "3600")
    body = {"device": "Slow", "n_shots": 1, "code": FLIPPED}
    assert requests.post(f"{server.url}/task", json=body, timeout=30).ok
    assert "1 jobs of slow wait or run" in run(server, "remove", "slow", status=1)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.yaml", "a: [", "can't be read"),
        ("a.yaml", "a: &x [1]\nb: *x", "aliases are not read"),
        ("a.yaml", "!!python/object/apply:os.system [ls]", "can't be read"),
        ("a.json", "[1, 2]", "it describes no device"),
        ("a.json", "[" * 100_000, "can't be read"),
        ("a.json", '{"topology": "line 3"}', "No document says what the device is called"),
    ],
)
def test_a_file_that_describes_no_device_is_refused_with_a_sentence(server, tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    assert sentence in run(server, "import", str(tmp_path / name), status=1)


def test_a_file_that_is_too_large_is_not_read(server, tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        os.truncate(file.fileno(), 40 << 20)
    assert "no device takes as much" in run(server, "import", str(tmp_path / "a.json"), status=1)
