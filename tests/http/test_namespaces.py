"""Several clouds in one server: a request goes where its path or a header says, and nothing of one is seen from another."""

from __future__ import annotations

import base64
import io
import socket
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

import databases
from qumulus.apis.ibm.instances import LOCAL_CRN
from servers import Server

ADMIN = {"Authorization": "Bearer qumulus-admin"}
IBM = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN, "IBM-API-Version": "2025-05-01"}
OQTOPUS = {"q-api-token": "local.qumulus-local"}
BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
WAITS_SECONDS = 60.0

pytestmark = pytest.mark.skipif(databases.kind() == "postgres", reason="namespaces are folders, which that has none of")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("namespaces") / "state", environment={"QUMULUS_SIMULATIONS": "1"}) as running:
        yield running


def ask(url: str, method: str, path: str, body: object = None, status: int = 200, **headers: str) -> Any:
    answer = requests.request(method, url + path, json=body, headers={**ADMIN, **headers}, timeout=60)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
def made(server: Server) -> Iterator[Any]:
    """Makes a namespace, and gives its address; all are removed after the test."""

    def make(name: str, **begins: object) -> str:
        return ask(server.url, "PUT", f"/emulator/namespaces/{name}", begins)["url"]

    yield make
    for each in ask(server.url, "GET", "/emulator/namespaces")["namespaces"]:
        ask(server.url, "DELETE", f"/emulator/namespaces/{each['name']}", status=204)


def submit(url: str, **headers: str) -> str:
    body = {"code": BELL, "device": "qulacs", "n_shots": 10}
    answer = requests.post(f"{url}/task", json=body, headers={**OQTOPUS, **headers}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["task_id"]


def ended(url: str, job: str) -> str:
    until = time.monotonic() + WAITS_SECONDS
    while not (found := ask(url, "GET", f"/emulator/jobs/{job}"))["ended_at"]:
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found["state"]


def jobs(url: str) -> list[str]:
    return [each["id"] for each in ask(url, "GET", "/emulator/jobs")["jobs"]]


def everything(url: str) -> dict[str, Any]:
    """What is there, but for what time it is, also when a token was used."""
    paths = ("/jobs", "/sessions", "/faults", "/queues", "/calibrations/torino", "/devices", "/services", "/tokens")
    found = {path: ask(url, "GET", f"/emulator{path}") for path in paths}
    for token in found["/tokens"]["tokens"]:
        del token["used_at"]
    return {**found, "mode": ask(url, "GET", "/emulator/clock")["mode"]}


def test_nothing_of_one_is_seen_from_another(server, made):
    url, other = made("tests-1"), made("tests-2")
    before = everything(server.url), everything(other)
    assert url == f"{server.url}/namespaces/tests-1"
    job = submit(url)
    assert ended(url, job) == "succeeded"
    ask(url, "PUT", "/emulator/clock", {"rate": 0})
    ask(url, "POST", "/emulator/faults", {"kind": "error", "status": 418, "api": "oqtopus"}, 201)
    ask(url, "PUT", "/emulator/queues/torino", {"waiting": 3})
    ask(url, "POST", "/emulator/calibrations/torino", {"number": 1})
    ask(url, "POST", "/emulator/devices", {"documents": [{"name": "mine", "topology": "line 3"}]})
    ask(url, "POST", "/emulator/tokens", {"api": "ibm"}, 201)
    session = requests.post(
        f"{url}/api/v1/sessions", json={"backend": "ibm_fez", "mode": "batch"}, headers=IBM, timeout=60
    )
    assert session.status_code == 200, session.text
    assert requests.get(f"{url}/devices", headers=OQTOPUS, timeout=60).status_code == 418
    assert (everything(server.url), everything(other)) == before
    assert ask(other, "GET", f"/emulator/jobs/{job}", status=404)
    ask(url, "POST", "/emulator/reset")
    assert everything(url)["/faults"] == {"faults": []}
    assert jobs(url) == []


def test_a_header_says_it_as_well(server, made):
    url = made("tests-1")
    job = submit(server.url, **{"X-Qumulus-Namespace": "tests-1"})
    assert jobs(url) == [job]
    assert job not in jobs(server.url)


def test_a_header_that_names_the_servers_own_cloud_goes_before_a_credential(server, made):
    made("tests-1")
    led = {"Authorization": "Bearer tests-1~qumulus-admin"}
    assert requests.get(f"{server.url}/emulator/jobs", headers=led, timeout=60).status_code == 200
    stays = {**led, "X-Qumulus-Namespace": "default"}
    assert requests.get(f"{server.url}/emulator/jobs", headers=stays, timeout=60).status_code == 401
    assert jobs(server.url) == [
        each["id"] for each in ask(server.url, "GET", "/emulator/jobs", **{"X-Qumulus-Namespace": "default"})["jobs"]
    ]


@pytest.mark.parametrize("name", ["nobody", "..", "../namespaces/tests-1", "../../elsewhere", "", "tests-1\x00"])
def test_a_name_that_is_none_leads_nowhere(server, made, tmp_path, name):
    made("tests-1")
    elsewhere = server.home.parent / "elsewhere"
    if not elsewhere.is_symlink():
        elsewhere.symlink_to(tmp_path)
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=30) as connection:
        lines = ["GET /emulator/jobs HTTP/1.1", "Host: localhost", f"X-Qumulus-Namespace: {name}", "Connection: close"]
        connection.sendall("\r\n".join([*lines, "Authorization: Bearer qumulus-admin", "", ""]).encode())
        status = connection.makefile("rb").readline().split()[1]
    assert status in (b"404", b"400")


def by_bearer(key: str, url: str) -> Any:
    """What the token service answers for an API key, sent as a form."""
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": key}
    return requests.post(f"{url}/identity/token", data=form, timeout=60)


def test_an_ibm_credential_leads_to_its_namespace(server, made):
    made("tests-1")
    answer = by_bearer("tests-1~qumulus-local", server.url)
    bearer = answer.json()["access_token"]
    for credential in (f"Bearer {bearer}", "apikey tests-1~qumulus-local"):
        sent = {"backend": "ibm_fez", "mode": "batch"}
        asked = {**IBM, "Authorization": credential}
        begun = requests.post(f"{server.url}/api/v1/sessions", json=sent, headers=asked, timeout=60)
        assert begun.status_code == 200, begun.text
    assert len(ask(f"{server.url}/namespaces/tests-1", "GET", "/emulator/sessions")["sessions"]) == 2
    assert ask(server.url, "GET", "/emulator/sessions")["sessions"] == []
    assert by_bearer("tests-1~qumulus-local", f"{server.url}/namespaces/tests-1").status_code == 200
    assert by_bearer("tests-1~unknown", server.url).json()["errorCode"] == "BXNIM0415E"
    assert by_bearer("qumulus-local", server.url).status_code == 200


@pytest.mark.parametrize("encoded", ["tests-1~qumulus-local", "tests-1%7Equmulus-local", "tests-1%7equmulus-local"])
def test_a_form_may_be_encoded_in_either_way(server, made, encoded):
    made("tests-1")
    body = f"grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey={encoded}"
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    for each in (body, iter([body[:40].encode(), body[40:].encode()])):  # the other one comes in chunks
        answer = requests.post(f"{server.url}/identity/token", each, headers=sent, timeout=60)
        assert answer.status_code == 200, answer.text


def test_an_oqtopus_credential_leads_to_its_namespace(server, made):
    url = made("tests-1")
    job = submit(server.url, **{"q-api-token": "tests-1~local.qumulus-local"})
    assert jobs(url) == [job]
    assert job not in jobs(server.url)
    new = requests.post(f"{url}/api-token", headers=OQTOPUS, timeout=60).json()
    own = f"{new['api_token_id']}.{new['api_token_secret']}"
    assert submit(server.url, **{"q-api-token": own}) in jobs(url)


def test_a_planqk_credential_leads_to_its_namespace(server, made):
    url = made("tests-1")
    form = {"grant_type": "client_credentials"}
    for asked in (
        {"data": form, "auth": ("qumulus", "tests-1~qumulus-local")},
        {"data": {**form, "client_id": "qumulus", "client_secret": "tests-1~qumulus-local"}},
    ):
        answer = requests.post(f"{server.url}/token", timeout=60, **asked)
        assert answer.json()["access_token"] == "tests-1~qumulus-local"
    name = {"name": "of tests-1"}
    personal = {"X-Auth-Token": "tests-1~qumulus-local"}
    made_there = requests.post(f"{server.url}/platform/applications", json=name, headers=personal, timeout=60).json()
    there = requests.get(f"{url}/platform/applications", headers={"X-Auth-Token": "qumulus-local"}, timeout=60)
    assert [each["id"] for each in there.json()] == [made_there["id"]]
    (key,) = requests.get(
        f"{server.url}/platform/applications/{made_there['id']}/access-keys", headers=personal, timeout=60
    ).json()
    pair = key["accessKeyId"], key["secretAccessKey"]
    answer = requests.post(f"{server.url}/token", data=form, auth=pair, timeout=60)
    assert answer.json()["access_token"].startswith("tests-1~application-")
    people = f"{server.url}/user-service/me/access-tokens"
    own = requests.post(people, json={"name": "Notebook"}, headers=personal, timeout=60).json()["value"]
    anew = requests.put(f"{people}/default", headers=personal, timeout=60).json()["defaultToken"]
    for token in (own, anew):
        there = requests.get(f"{server.url}/platform/applications", headers={"X-Auth-Token": token}, timeout=60)
        assert [each["id"] for each in there.json()] == [made_there["id"]]


def test_the_administrators_credential_leads_there_as_well_and_tokens_say_where_they_are_of(server, made):
    url = made("tests-1")
    within = {"Authorization": "Bearer tests-1~qumulus-admin"}
    secret = ask(server.url, "POST", "/emulator/tokens", {"api": "oqtopus"}, 201, **within)["secret"]
    assert secret.startswith("tests-1~")
    job = submit(server.url, **{"q-api-token": secret})
    assert jobs(url) == [job]
    assert submit(url, **{"q-api-token": secret}) in jobs(url)
    bare = requests.get(f"{server.url}/jobs", headers={"q-api-token": secret.partition("~")[2]}, timeout=60)
    assert bare.status_code == 401


def test_a_credential_of_a_namespace_that_is_gone_is_let_in_nowhere(server, made):
    made("tests-1")
    bearer = by_bearer("tests-1~qumulus-local", server.url).json()["access_token"]
    ask(server.url, "DELETE", "/emulator/namespaces/tests-1", status=204)
    gone = "of a namespace that is not there"
    for path, headers, said in (
        ("/devices", {"q-api-token": "tests-1~local.qumulus-local"}, lambda body: body["message"]),
        ("/api/v1/backends", {**IBM, "Authorization": f"Bearer {bearer}"}, lambda body: body["errors"][0]["message"]),
        ("/emulator/jobs", {"Authorization": "Bearer tests-1~qumulus-admin"}, lambda body: body["detail"]),
    ):
        answer = requests.get(server.url + path, headers=headers, timeout=60)
        assert answer.status_code == 401, answer.text
        assert gone in said(answer.json())  # in the form of each API
    basic = "Basic " + base64.b64encode(b"qumulus:tests-1~qumulus-local").decode()
    answer = requests.post(
        f"{server.url}/token", {"grant_type": "client_credentials"}, headers={"Authorization": basic}, timeout=60
    )
    assert answer.status_code in {400, 401}
    assert gone in answer.text
    assert by_bearer("tests-1~qumulus-local", server.url).status_code in {400, 401}
    asks_for_none = requests.get(f"{server.url}/health", headers={"q-api-token": "tests-1~x"}, timeout=60)
    assert asks_for_none.status_code == 200


def test_an_address_goes_before_a_credential(server, made):
    url = made("tests-1")
    made("tests-2")
    answer = requests.get(f"{url}/jobs", headers={"q-api-token": "tests-2~local.qumulus-local"}, timeout=60)
    assert answer.status_code == 401


def test_what_is_no_credential_is_read_as_it_came(server):
    for value in ("Basic !!", "Bearer eyJ", "Bearer eyJhIjo.x.y", "Bearer ~x", "Basic ZXlK", ""):
        answer = requests.get(f"{server.url}/emulator/jobs", headers={"Authorization": value}, timeout=60)
        assert answer.status_code == 401, value
    long = requests.post(f"{server.url}/identity/token", data={"apikey": "x" * 20_000}, timeout=60)
    assert long.status_code in (400, 413)


def test_addresses_in_answers_lead_back_to_the_namespace(server, made):
    url = made("tests-1")
    by_header = {**OQTOPUS, "X-Qumulus-Namespace": "tests-1"}
    address = requests.get(f"{server.url}/devices/Kawasaki", headers=by_header, timeout=60).json()["device_info"]
    assert address.startswith(f"{url}/storage/")
    assert zipfile.ZipFile(io.BytesIO(requests.get(address, timeout=60).content)).namelist() == ["device_info.json"]


def test_a_namespace_begins_with_what_another_one_has(server, made):
    first = submit(server.url)
    ended(server.url, first)
    url = made("tests-1", fork="default")
    second = submit(url)
    assert jobs(url) == [second, first]
    assert second not in jobs(server.url)
    assert jobs(made("tests-2", fork="tests-1")) == [second, first]


def test_a_snapshot_is_put_back_while_the_server_runs(server, made):
    url = made("tests-1")
    first = submit(url)
    ended(url, first)
    kept = ask(server.url, "PUT", "/emulator/snapshots/monday", {"namespace": "tests-1"})
    assert kept["bytes"] > 0
    assert ask(server.url, "GET", "/emulator/snapshots")["snapshots"] == [kept]
    second = submit(url)
    assert jobs(url) == [second, first]
    ask(server.url, "PUT", "/emulator/namespaces/tests-1", {"snapshot": "monday"}, 409)
    assert made("tests-1", snapshot="monday", replace=True) == url
    assert jobs(url) == [first]
    ask(server.url, "DELETE", "/emulator/snapshots/monday", status=204)
    assert ask(server.url, "GET", "/emulator/snapshots") == {"snapshots": []}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/namespaces/default", {}, 400),
        ("/namespaces/tests-1", {"fork": "default", "snapshot": "monday"}, 400),
        ("/namespaces/tests-1", {"fork": "nobody"}, 404),
        ("/namespaces/tests-1", {"snapshot": "nothing"}, 404),
        ("/namespaces/..", {}, 404),
        ("/namespaces/Tests", {}, 400),
        ("/snapshots/monday", {"namespace": "nobody"}, 404),
    ],
)
def test_what_can_not_be_made_is_refused(server, path, body, status):
    ask(server.url, "PUT", f"/emulator{path}", body, status)
    assert ask(server.url, "GET", "/emulator/namespaces") == {"namespaces": []}


def test_one_that_nobody_has_used_yet_has_no_state_to_keep(server, made):
    made("unused")
    said = ask(server.url, "PUT", "/emulator/snapshots/monday", {"namespace": "unused"}, 409)
    assert said["detail"] == "Nobody has asked the namespace unused for anything yet: it has no state to keep."


def test_the_whole_server_is_not_a_matter_of_one(server, made):
    said = ask(made("tests-1"), "POST", "/emulator/faults", {"kind": "refused"}, 400)
    assert said["detail"].startswith("Connections are refused by a server as a whole: ")


def test_one_that_is_gone_is_found_no_more(server, made):
    url = made("tests-1")
    assert jobs(url) == []
    ask(url, "PUT", "/emulator/namespaces/inner", {}, 409)
    ask(server.url, "DELETE", "/emulator/namespaces/tests-1", status=204)
    assert "no such namespace" in ask(url, "GET", "/emulator/jobs", status=404)["detail"]
    ask(server.url, "DELETE", "/emulator/namespaces/tests-1", status=404)
    assert not list((server.home / "namespaces").iterdir())


def test_several_processes_have_the_same_namespaces(tmp_path):
    with Server(tmp_path / "state", environment={"QUMULUS_SIMULATIONS": "1", "QUMULUS_WORKERS": "2"}) as several:
        url = ask(several.url, "PUT", "/emulator/namespaces/tests-1", {})["url"]
        job = submit(url)
        assert ended(url, job) == "succeeded"
        assert all(jobs(url) == [job] for _ in range(8))
        ask(several.url, "PUT", "/emulator/namespaces/tests-1", {"replace": True})
        assert all(jobs(url) == [] for _ in range(8))
