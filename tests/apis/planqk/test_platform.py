"""Data pools on a live server, and programs that use them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest

from apis.planqk.cloud import Service, deploy
from servers import Server, server

USER = {"X-Auth-Token": "qumulus-local"}
SUM_OF_FILES = """
import os, pathlib
def run(files, factor=1):
    assert files == pathlib.Path(os.environ["DATAPOOL_DIRECTORY"], "files")
    return {"sum": factor * sum(float(path.read_text()) for path in files.iterdir())}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("platform") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def platform(cloud: Server) -> httpx2.Client:
    return httpx2.Client(base_url=f"{cloud.url}/platform", headers=USER, timeout=30)


@pytest.fixture
def pool(platform: httpx2.Client) -> str:
    """A data pool with two files; its id."""
    pool_id = platform.post("/datapools", json={"name": "Numbers"}).json()["id"]
    for name, content in {"a.csv": b"1.5", "b.csv": b"2"}.items():
        assert platform.post(f"/datapools/{pool_id}/files", files={"file": (name, content)}).status_code == 201
    return pool_id


def grant(platform: httpx2.Client, pool: str, permission: str) -> str:
    answer = platform.post(f"/datapools/{pool}/grants", json={"applicationId": "app", "permission": permission})
    assert answer.status_code == 201
    return answer.json()["token"]


def test_a_data_pool_lives_from_its_making_to_its_removal(platform: httpx2.Client):
    made = platform.post("/datapools", json={"name": "Cities", "tags": ["TSP", "tsp"], "shortDescription": None})
    assert made.status_code == 201
    pool = made.json()
    assert pool["tags"] == ["tsp"]
    assert pool["currentUserPermission"] == "OWNER"
    assert pool in platform.get("/datapools").json()
    changed = platform.put(f"/datapools/{pool['id']}", json={"name": "Towns", "description": "Small ones."})
    assert changed.json() == {**pool, "name": "Towns", "description": "Small ones.", "tags": []}
    assert platform.get(f"/datapools/{pool['id']}").json() == changed.json()
    assert platform.delete(f"/datapools/{pool['id']}").status_code == 204
    for path in ("", "/files", "/files/x"):
        gone = platform.get(f"/datapools/{pool['id']}{path}")
        assert gone.status_code == 404
        assert "data pool" in gone.json()["detail"]


def test_files_come_and_go(platform: httpx2.Client, pool: str):
    listed = platform.get(f"/datapools/{pool}/files").json()
    assert [(file["name"], file["contentLength"], file["contentType"]) for file in listed] == [
        ("a.csv", 3, "text/csv; charset=utf-8"),
        ("b.csv", 1, "text/csv; charset=utf-8"),
    ]
    address = f"/datapools/{pool}/files/{listed[0]['id']}"
    assert platform.get(address).content == b"1.5"
    again = platform.post(
        f"/datapools/{pool}/files", params={"filename": "a.csv"}, files={"file": ("other.bin", b"3")}
    ).json()
    assert again["id"] == listed[0]["id"]
    assert platform.get(address).content == b"3"
    assert platform.delete(address).status_code == 204
    assert platform.get(address).status_code == 404
    assert [file["name"] for file in platform.get(f"/datapools/{pool}/files").json()] == ["b.csv"]


@pytest.mark.parametrize("name", ["../secret", ".hidden", "a/b", "ä" * 128])
def test_a_name_that_is_none_for_a_file_is_refused(platform: httpx2.Client, pool: str, name: str):
    answer = platform.post(f"/datapools/{pool}/files", params={"filename": name}, files={"file": b"1"})
    assert answer.status_code == 400
    sent = platform.post(f"/datapools/{pool}/files", files={"file": ("../../c.csv", b"1")})
    assert sent.json()["name"] == "c.csv"  # what a browser of old would send is cut to the name


def test_another_account_sees_nothing_and_a_wrong_token_is_refused(cloud: Server, pool: str):
    for headers in ({}, {"X-Auth-Token": "wrong"}):
        answer = httpx2.get(f"{cloud.url}/platform/datapools", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["title"] == "Unauthorized"


@pytest.fixture(scope="module")
def summing(cloud: Server) -> Service:
    return deploy(cloud, "sum-of-files", SUM_OF_FILES)


@pytest.mark.parametrize("ref", ["DATAPOOL", "datapool"])
def test_a_program_reads_the_data_pool_that_its_request_refers_to(summing: Service, pool: str, ref: str):
    assert summing.run({"files": {"id": pool, "ref": ref}, "factor": 2})["sum"] == 7


def test_what_a_program_writes_is_in_the_data_pool(cloud: Server, platform: httpx2.Client, pool: str):
    writing = deploy(
        cloud,
        "writing",
        """
        import os
        def run(files, text):
            with open(os.path.join(os.environ["DATAPOOL_DIRECTORY"], "files", "c.txt"), "a") as file:
                file.write(text)
        """,
    )
    for text in ("one", "two"):  # also into what another run, and thus another user, has written
        result = writing.run({"files": {"id": pool, "ref": "DATAPOOL"}, "text": text})
        assert result["_embedded"]["status"]["status"] == "SUCCEEDED", result
    granted = {"id": pool, "ref": "DATAPOOL", "grant": grant(platform, pool, "MODIFY")}
    assert writing.run({"files": granted, "text": "!"})["_embedded"]["status"]["status"] == "SUCCEEDED"
    (written,) = [file for file in platform.get(f"/datapools/{pool}/files").json() if file["name"] == "c.txt"]
    assert platform.get(f"/datapools/{pool}/files/{written['id']}").content == b"onetwo!"
    reading = {"id": pool, "ref": "DATAPOOL", "grant": grant(platform, pool, "VIEW")}
    refused = writing.run({"files": reading, "text": "x"})
    assert refused["_embedded"]["status"]["status"] == "FAILED"
    assert refused["title"] in ("OSError", "PermissionError")


def test_a_program_that_fills_a_data_pool_is_ended_at_its_limit_of_disk(cloud: Server, platform: httpx2.Client):
    pool = platform.post("/datapools", json={"name": "Full"}).json()["id"]
    filling = deploy(
        cloud,
        "filling",
        """
        import os
        def run(files):
            for number in range(10**6):
                open(os.path.join(os.environ["DATAPOOL_DIRECTORY"], "files", f"{number}"), "w").close()
        """,
    )
    assert filling.run({"files": {"id": pool, "ref": "DATAPOOL"}})["title"] == "Disk limit"


def test_links_that_a_program_leaves_in_a_data_pool_lead_nowhere(cloud: Server, platform: httpx2.Client, pool: str):
    linking = deploy(
        cloud,
        "linking",
        """
        import os
        def run(files):
            os.symlink("/etc/passwd", os.path.join(os.environ["DATAPOOL_DIRECTORY"], "files", "link"))
        """,
    )
    assert linking.run({"files": {"id": pool, "ref": "DATAPOOL"}})["_embedded"]["status"]["status"] == "SUCCEEDED"
    assert "link" not in [file["name"] for file in platform.get(f"/datapools/{pool}/files").json()]
    replaced = platform.post(f"/datapools/{pool}/files", files={"file": ("link", b"1")})
    assert replaced.status_code == 201


def test_a_file_of_a_data_pool_is_the_value_of_a_parameter(cloud: Server, platform: httpx2.Client, pool: str):
    oldest = deploy(cloud, "oldest", "def run(data, params):\n    return {'data': data, 'params': params}")
    value = platform.post(f"/datapools/{pool}/files", files={"file": ("v.json", b'{"values": [1, 2]}')}).json()
    reference = {"dataPoolId": pool, "dataSourceDescriptorId": "any", "fileId": value["id"]}
    result = oldest.run({"dataRef": reference, "params": {"a": 1}})
    assert (result["data"], result["params"]) == ({"values": [1, 2]}, {"a": 1})
    result = oldest.run({"paramsRef": reference, "data": 1})
    assert (result["data"], result["params"]) == (1, {"values": [1, 2]})
    text = platform.get(f"/datapools/{pool}/files").json()[0]
    failed = oldest.run({"dataRef": {**reference, "fileId": text["id"]}, "paramsRef": reference})
    assert failed["data"] == 1.5  # whatever JSON it is


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"files": {"id": "POOL", "ref": "DATAPOOL", "grant": "a.b.c"}}, 400, "ask for a new one"),
        ({"files": {"id": "unknown", "ref": "DATAPOOL"}}, 404, "no data pool"),
        ({"files": {"id": 7, "ref": "DATAPOOL"}}, 400, "are texts"),
        ({"dataRef": "x"}, 400, "dataPoolId and fileId"),
        ({"dataRef": {"dataPoolId": "POOL", "fileId": "x"}}, 404, "no file"),
        ({"dataRef": {"dataPoolId": "POOL", "fileId": "x"}, "data": 1}, 400, "exclude each other"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(summing: Service, pool: str, body: dict, status: int, words: str):
    answer = summing.http.post("/", content=json.dumps(body).replace('"POOL"', f'"{pool}"'))
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_a_grant_is_good_for_its_own_data_pool_alone(platform: httpx2.Client, summing: Service, pool: str):
    other = platform.post("/datapools", json={"name": "Other"}).json()["id"]
    token = grant(platform, other, "VIEW")
    answer = summing.http.post("/", json={"files": {"id": pool, "ref": "DATAPOOL", "grant": token}})
    assert answer.status_code == 400


def test_an_execution_whose_data_pool_is_gone_fails_and_says_so(tmp_path):
    with server(tmp_path / "state", service_slots="1") as cloud:
        platform = httpx2.Client(base_url=f"{cloud.url}/platform", headers=USER, timeout=30)
        pool = platform.post("/datapools", json={"name": "Numbers"}).json()["id"]
        service = deploy(cloud, "slow", "import time\ndef run(seconds=0, files=None):\n    time.sleep(seconds)")
        busy = service.start({"seconds": 30})
        service.wait(busy, until={"RUNNING"})
        waiting = service.start({"files": {"id": pool, "ref": "DATAPOOL"}})
        platform.delete(f"/datapools/{pool}")
        service.http.put(f"/{busy}/cancel")
        assert service.wait(waiting)["status"] == "FAILED"
        assert "no data pool" in service.get(f"/{waiting}/result")["detail"]
