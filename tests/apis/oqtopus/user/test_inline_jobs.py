"""Jobs of the generation of clients before today's, whose input and results travel in the requests and answers themselves."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, packed, submitted, unpacked, upload
from qumulus.core.devices import DeviceSettings
from qumulus.storage import open_storage
from servers import Server

BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
STATE = "OPENQASM 3; qubit[2] q; h q[0]; cnot q[0], q[1];"
OPTIONS: dict[str, Any] = {"transpiler_info": {}, "simulator_info": {}, "mitigation_info": {}}
SAMPLING = {
    "name": "Bell",
    "device_id": "qulacs",
    "job_type": "sampling",
    "job_info": {"program": [BELL]},
    "shots": 100,
}
ENGINE = {"x-api-key": "qumulus-provider"}
NOT_PRESENT = {"input", "sse_log"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    home = tmp_path_factory.mktemp("inline") / "state"
    with Server(home) as server, httpx2.Client(base_url=server.url, timeout=30, headers=USER) as client:
        yield client


def sent(client: httpx2.Client, **members: Any) -> str:
    """The job's id; nothing but that is answered."""
    answer = client.post("/jobs", json=SAMPLING | OPTIONS | members)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"job_id"}
    return answer.json()["job_id"]


def listed(client: httpx2.Client) -> list[str]:
    return [job["job_id"] for job in client.get("/jobs", params={"size": 1000}).json()]


def test_a_job_that_comes_whole_is_run_and_shown_whole(client: httpx2.Client):
    job = ended(client, sent(client, description="two qubits"))
    assert job["status"] == "succeeded", job
    assert (job["name"], job["description"], job["device_id"], job["shots"]) == ("Bell", "two qubits", "qulacs", 100)
    information = job["job_info"]
    assert set(information) == {"program", "result", "transpile_result"}
    assert information["program"] == [BELL]
    counts = information["result"]["sampling"]["counts"]
    assert set(counts) <= {"00", "11"}
    assert sum(counts.values()) == 100
    assert set(information["transpile_result"]) == {"transpiled_program", "stats", "virtual_physical_mapping"}
    assert job["transpiler_info"]["transpiler_lib"] == "qiskit"
    assert job["submitted_at"] <= job["ready_at"] <= job["running_at"] <= job["ended_at"]


def test_an_estimation_shows_its_operator_and_its_value(client: httpx2.Client):
    operator = [{"pauli": "Z 0 Z 1", "coeff": 2.0}]
    job = ended(client, sent(client, job_type="estimation", job_info={"program": [STATE], "operator": operator}))
    assert job["status"] == "succeeded", job
    assert job["job_info"]["operator"] == operator
    assert job["job_info"]["result"]["estimation"]["exp_value"] == pytest.approx(2.0)


def test_several_programs_show_the_combined_one(client: httpx2.Client):
    job = ended(client, sent(client, job_type="multi_manual", job_info={"program": [BELL, BELL]}))
    assert job["status"] == "succeeded", job
    assert job["job_info"]["combined_program"].startswith("OPENQASM 3")
    assert set(job["job_info"]["result"]["sampling"]["divided_counts"]) == {"0", "1"}


def test_members_that_older_clients_send_as_null_count_as_none(client: httpx2.Client):
    nothing = dict.fromkeys((*OPTIONS, "name", "description"))
    job = ended(client, sent(client, **nothing, job_info={"program": [BELL], "operator": None}))
    assert (job["status"], job["name"], job["simulator_info"]) == ("succeeded", "", {})
    assert "operator" not in job["job_info"]


def test_a_program_with_a_mistake_fails_with_a_sentence_in_the_answer(client: httpx2.Client):
    program = "OPENQASM 3; qubit[2] q; hh q[0];"
    job = ended(client, sent(client, job_info={"program": [program]}))
    assert job["status"] == "failed"
    assert job["job_info"] == {"program": [program], "message": "Line 1, column 25: gate 'hh' is not defined."}


def test_a_list_shows_each_job_in_the_form_in_which_it_came(client: httpx2.Client):
    whole = sent(client)
    uploaded = submitted(
        client, {"program": [BELL]}, **{name: SAMPLING[name] for name in ("device_id", "job_type", "shots")}
    )
    for job_id in (whole, uploaded):
        ended(client, job_id)
    shown = {
        job["job_id"]: job["job_info"] for job in client.get("/jobs", params={"size": 1000}).json() if "job_info" in job
    }
    assert set(shown[whole]) & NOT_PRESENT == set()
    assert shown[uploaded]["input"].startswith("http")
    assert shown[uploaded]["result"].startswith("http")


@pytest.mark.parametrize("body", [b"", b"{}", b" { } "])
def test_a_request_without_a_job_is_told_where_to_upload_one_as_before(client: httpx2.Client, body: bytes):
    answer = client.post("/jobs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    job = answer.json()
    assert set(job) == {"job_id", "presigned_url"}
    assert client.get(f"/jobs/{job['job_id']}").json() == {"job_id": job["job_id"], "status": "registered"}
    assert upload(client, job["presigned_url"], packed("input.json", {"program": [BELL]})).status_code == 204


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"device_id": "Nowhere"}, "device not found"),
        ({"shots": 0}, "shots"),
        ({"shots": None}, "shots"),
        ({"job_type": "guess"}, "job_type"),
        ({"job_info": {}}, "program"),
        ({"job_info": {"program": BELL}}, "program"),
        ({"job_info": None}, "job_info"),
        ({"job_type": "sse", "job_info": {"program": ["print(1)"]}}, "in base64"),
        ({"job_type": "sse", "job_info": {"program": []}}, "in base64"),
        ({"job_type": "sse", "job_info": {"program": ["/w=="]}}, "in base64"),
    ],
)
def test_a_job_that_cannot_be_taken_is_refused_and_leaves_nothing(
    client: httpx2.Client, changed: dict[str, Any], said: str
):
    before = listed(client)
    answer = client.post("/jobs", json=SAMPLING | changed)
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert listed(client) == before


def test_a_part_of_a_job_is_refused_and_not_thrown_away(client: httpx2.Client):
    answer = client.post("/jobs", json={name: value for name, value in SAMPLING.items() if name != "job_info"})
    assert answer.status_code == 400
    assert "job_info" in answer.json()["message"]


def test_a_job_that_came_whole_is_not_submitted_again(client: httpx2.Client):
    job_id = sent(client)
    answer = client.post(f"/jobs/{job_id}/submit", json={"device_id": "qulacs", "job_type": "sampling", "shots": 1})
    assert answer.status_code == 400
    assert "valid status for submission" in answer.json()["message"]
    ended(client, job_id)
    assert client.delete(f"/jobs/{job_id}").json() == {"message": "job deleted"}
    assert client.get(f"/jobs/{job_id}").status_code == 404


def test_a_request_that_is_sent_again_under_its_key_gives_the_same_job(client: httpx2.Client):
    def job_id(program: str = BELL) -> str:
        body = SAMPLING | {"device_id": "Belem", "job_info": {"program": [program]}}
        return client.post("/jobs", json=body, headers={"idempotency-key": "bell"}).json()["job_id"]

    first = job_id()
    assert job_id("what is in the second does not matter") == first
    assert ended(client, first)["status"] == "succeeded"
    assert job_id() == first
    assert client.get(f"/jobs/{first}").json()["job_info"]["program"] == [BELL]


def test_only_a_program_beside_a_device_has_a_log(client: httpx2.Client):
    job_id = sent(client)
    answer = client.get(f"/jobs/{job_id}/sselog")
    assert answer.status_code == 404
    assert "only jobs of the type sse" in answer.json()["message"]
    assert client.get("/jobs/nothing/sselog").json() == {"message": "job not found with the given id"}


@pytest.mark.parametrize(
    ("name", "begins"), [("oqtopus-client/1.1.7", "{"), ("oqtopus-client/1.2.0", "http"), ("Swagger-Codegen/1", "http")]
)
def test_clients_that_can_not_download_what_a_device_tells_get_it_as_text(
    client: httpx2.Client, name: str, begins: str
):
    device = client.get("/devices/Lima", headers={"user-agent": name}).json()
    assert device["device_info"].startswith(begins)


@pytest.fixture(scope="module")
def provided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A server whose device Lima has an engine of its own."""
    home = tmp_path_factory.mktemp("provided") / "state"
    storage = open_storage(home)
    try:
        storage.device_settings.set("lima", DeviceSettings(provider=True))
    finally:
        storage.close()
    with Server(home) as server, httpx2.Client(base_url=server.url, timeout=30, headers=USER) as client:
        yield client


def run_by_an_engine(client: httpx2.Client, result: bytes, **members: Any) -> dict[str, Any]:
    """The job, once its engine has fetched its input, and has uploaded ``result``."""
    job_id = sent(client, device_id="Lima", **members)
    jobs = client.get("/provider/jobs", params={"device_id": "Lima", "status": "submitted"}, headers=ENGINE).json()
    (job,) = (each for each in jobs if each["job_id"] == job_id)
    assert unpacked(client.get(job["input"]).content)["program"] == [BELL]
    path = f"/provider/jobs/{job_id}"
    client.patch(f"{path}/status", json={"status": "running"}, headers=ENGINE)
    (place,) = client.get(f"{path}/upload", params={"items": "result"}, headers=ENGINE).json()
    assert upload(client, place, result).status_code == 204
    done = {"status": "succeeded", "output_files": [f"{job_id}/result.zip"], "execution_time": 0.5}
    assert client.patch(f"{path}/status", json=done, headers=ENGINE).status_code == 200
    return client.get(f"/jobs/{job_id}").json()


def test_a_devices_own_engine_finds_the_input_as_a_file_and_its_result_is_shown_whole(provided: httpx2.Client):
    result = {"sampling": {"counts": {"00": 100}, "divided_counts": None}, "estimation": None, "more": 1}
    job = run_by_an_engine(provided, packed("result.json", result))
    assert (job["status"], job["job_info"]["result"]) == ("succeeded", result)


def bomb() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("result.json", "w") as entry:
        for _ in range(65):
            entry.write(b"0" * (1 << 20))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no zip", "is not a zip file that can be opened"),
        (bomb(), "is larger than"),
        (packed("result.json", [1]), "is not as OQTOPUS declares it"),
    ],
)
def test_what_an_engine_uploaded_wrongly_is_left_out_with_the_reason(
    provided: httpx2.Client, content: bytes, said: str
):
    job = run_by_an_engine(provided, content)
    assert set(job["job_info"]) == {"program", "message"}
    assert said in job["job_info"]["message"]


SSE_PROGRAM = """
import json, os, urllib.request
def call(method, path, body=None):
    request = urllib.request.Request(os.environ["OQTOPUS_BASE_URL"] + path, method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"q-api-token": os.environ["OQTOPUS_API_TOKEN"], "content-type": "application/json"})
    return json.loads(urllib.request.urlopen(request).read())
print("it begins")
job = {"device_id": "", "job_type": "sampling", "shots": 7, "job_info": {"program": ["PROGRAM"]}}
job_id = call("POST", "/jobs", job)["job_id"]
while call("GET", f"/jobs/{job_id}")["status"] not in ("succeeded", "failed", "cancelled"):
    pass
""".replace("PROGRAM", BELL)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A server that installs nothing for programs."""
    home = tmp_path_factory.mktemp("beside") / "state"
    with (
        Server(home, environment={"QUMULUS_SSE_REQUIREMENTS": ""}) as server,
        httpx2.Client(base_url=server.url, timeout=30, headers=USER) as client,
    ):
        yield client


def log_of(client: httpx2.Client, job_id: str) -> str:
    answer = client.get(f"/jobs/{job_id}/sselog").json()
    assert answer["file_name"] == "sse_log.zip"
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["file"]))) as archive:
        (name,) = archive.namelist()
        return archive.read(name).decode()


def test_a_program_in_base64_sends_a_whole_job_and_its_log_is_given(beside: httpx2.Client):
    program = base64.b64encode(SSE_PROGRAM.encode()).decode()
    job_id = sent(beside, job_type="sse", shots=1, job_info={"program": [program]})
    job = ended(beside, job_id)
    assert job["status"] == "succeeded", job
    assert job["job_info"]["program"] == [program]
    assert sum(job["job_info"]["result"]["sampling"]["counts"].values()) == 7
    assert log_of(beside, job_id) == "it begins\n"


def test_the_log_of_a_program_that_failed_is_given_too(beside: httpx2.Client):
    program = base64.b64encode(b"print('so far'); raise SystemExit(3)").decode()
    job_id = sent(beside, job_type="sse", shots=1, job_info={"program": [program]})
    job = ended(beside, job_id)
    assert job["status"] == "failed"
    assert "so far" in job["job_info"]["message"]
    assert log_of(beside, job_id) == "so far\n"
