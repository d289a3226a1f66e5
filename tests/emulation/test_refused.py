"""A server that takes no connections because of a fault: clients are refused as by one that is down, and its administrator is not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

import databases
from dispatchers import wait_for
from emulation.conftest import ADMIN
from qumulus.commands.cloud import control_of
from qumulus.control.administration import Administration, CloudRefused
from qumulus.control.emulator import Emulator
from qumulus.core.ports.listening import told_in
from servers import Server


def listens(url: str) -> bool:
    """Whether anybody does there."""
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=30).close()
    except ConnectionRefusedError:
        return False
    return True


def reached(url: str) -> bool:
    """Whether anybody listens there; who does has to answer."""
    return listens(url) and requests.get(f"{url}/hello", timeout=30).status_code == 200


def test_connections_are_refused_until_the_fault_is_taken_back(control):
    cloud = Emulator(Administration(control.url))
    with requests.Session() as session:
        assert session.get(f"{control.url}/hello", timeout=30).status_code == 200
        with cloud.fault("refused") as fault:
            with pytest.raises(requests.ConnectionError, match="Connection refused"):
                session.get(f"{control.url}/hello", timeout=30)
            assert not reached(control.url)
            assert fault.hits == 1
        assert reached(control.url)
    assert f"No connection is taken: this is injected by the fault {fault.id} (refused)." in control.server.output()


def test_connections_are_taken_again_when_its_time_is_over(control):
    control.administer("PUT", "/clock", {"rate": 0})
    made = control.administer("POST", "/faults", {"kind": "refused", "for_seconds": 60}).json()
    assert not reached(control.url)
    requests.post(f"{made['control_url']}/emulator/clock/advance", json={"seconds": 61}, headers=ADMIN, timeout=30)
    wait_for(lambda: listens(control.url), 30)
    assert reached(control.url)
    assert made["control_url"].startswith("http://127.0.0.1:")


def test_it_may_begin_later(control):
    made = control.administer("POST", "/faults", {"kind": "refused", "after_seconds": 3600}).json()
    assert reached(control.url)
    assert control.administer("PUT", "/clock", {"rate": 0}).status_code == 200
    requests.post(f"{control.url}/emulator/clock/advance", json={"seconds": 3601}, headers=ADMIN, timeout=30)
    wait_for(lambda: not listens(control.url), 30)
    again = requests.post(f"{made['control_url']}/emulator/reset", headers=ADMIN, timeout=30)
    assert again.status_code == 200
    assert reached(control.url)


def test_the_administrators_address_has_the_emulators_api_alone(control):
    made = control.administer("POST", "/faults", {"kind": "refused"}).json()
    there = requests.get(f"{made['control_url']}/hello", timeout=30)
    assert (there.status_code, "administrator" in there.json()["detail"]) == (404, True)
    assert requests.get(f"{made['control_url']}/emulator/faults", timeout=30).status_code == 401
    assert requests.delete(f"{made['control_url']}/emulator/faults", headers=ADMIN, timeout=30).status_code == 204
    assert reached(control.url)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{made['control_url']}/emulator/faults", timeout=30)


def test_the_commands_find_that_address(control):
    control.administer("POST", "/faults", {"kind": "refused"})
    url = control.url.replace("127.0.0.1", "localhost")
    environment = {**os.environ, "QUMULUS_HOME": str(control.server.home), "QUMULUS_URL": url}
    command = Path(sys.executable).with_name("qumulus")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([command, *arguments], env=environment, capture_output=True, text=True, timeout=60)

    assert run("status").stderr.startswith(f"No cloud answers at {url}")
    elsewhere = run("emulator", "faults", "clear", "--url", f"{url}/namespaces/tests-1")
    assert elsewhere.returncode == 1, "a namespace is not the cloud that its administrator reaches"
    done = run("emulator", "faults", "clear")
    assert done.returncode == 0, done.stderr
    assert reached(control.url)


def test_each_server_of_a_folder_has_an_address_for_its_administrator(control, tmp_path, monkeypatch):
    home = control.server.home
    same = {"QUMULUS_HOME": str(home), **databases.environment(home)}
    monkeypatch.setenv("QUMULUS_HOME", str(home))
    with Server(tmp_path / "second", environment=same, arguments=("--api-only",)) as second:
        made = control.administer("POST", "/faults", {"kind": "refused"}).json()
        wait_for(lambda: control_of(second.url) is not None and not listens(second.url), 30)
        heard = control_of(control.url)
        assert heard == made["control_url"] != control_of(second.url)
    assert control_of(control.url) == heard, "the other server has ended"
    assert requests.delete(f"{heard}/emulator/faults", headers=ADMIN, timeout=30).status_code == 204
    assert reached(control.url)


def test_what_nobody_can_count_narrows_nothing(control):
    cloud = Emulator(Administration(control.url))
    with pytest.raises(CloudRefused, match="is for the whole server"):
        cloud.fault("refused", api="ibm", times=2)
    assert reached(control.url)


def test_a_scenario_has_them_refused_when_its_beginning_is_answered(control):
    scenario = {"name": "down", "faults": [{"kind": "refused"}]}
    assert control.administer("PUT", "/scenario", scenario).status_code == 200
    assert not reached(control.url)
    known = json.loads((control.server.home / told_in(control.url)).read_text())
    assert requests.delete(f"{known['control']}/emulator/faults", headers=ADMIN, timeout=30).status_code == 204
    assert reached(control.url)


def test_a_server_whose_jobs_others_run_begins_with_a_scenario_of_it(tmp_path):
    (tmp_path / "down.yaml").write_text(
        "name: down\nclock: {rate: 0}\nfaults: [{kind: refused, after_seconds: 3600}]\n"
    )
    with Server(tmp_path / "state", arguments=("--api-only", "--scenario", str(tmp_path / "down.yaml"))) as server:
        assert reached(server.url)
        later = requests.post(f"{server.url}/emulator/clock/advance", json={"seconds": 3601}, headers=ADMIN, timeout=30)
        assert later.status_code == 200
        wait_for(lambda: not listens(server.url), 30)
        known = json.loads((server.home / told_in(server.url)).read_text())
        assert requests.post(f"{known['control']}/emulator/reset", headers=ADMIN, timeout=30).status_code == 200
        assert reached(server.url)


def test_several_processes_refuse_together(tmp_path):
    settings = {"QUMULUS_WORKERS": "2", "QUMULUS_SIMULATIONS": "1"}
    with Server(tmp_path / "state", environment=settings) as several:
        cloud = Emulator(Administration(several.url))
        for _ in range(3):
            with cloud.fault("refused"):
                assert not any(reached(several.url) for _ in range(5))
            assert all(reached(several.url) for _ in range(5))
