"""Executions of all services as dashboards see them, and service jobs, on a live server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from apis.planqk.cloud import TOKEN, Service, deploy
from servers import Server, server

ADDING = """
    import os
    def run(values, start=0):
        print("adding", len(values))
        with open(os.path.join(os.environ["OUTPUT_DIRECTORY"], "hello.txt"), "w") as file:
            file.write("Hello")
        return {"sum": start + sum(values)}
    """
SLEEPING = "import time\ndef run():\n    time.sleep(60)\n"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("executions") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def adding(cloud: Server) -> Service:
    return deploy(cloud, "adding", ADDING)


@pytest.fixture(scope="module")
def http(cloud: Server, adding: Service) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{cloud.url}/platform", headers=TOKEN, timeout=30) as http:
        yield http


def get(http: httpx2.Client, path: str, **query: Any) -> Any:
    answer = http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(http: httpx2.Client, path: str) -> Any:
    deadline = time.monotonic() + 90
    while (found := get(http, path))["status"] not in ("SUCCEEDED", "FAILED", "CANCELLED"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def service_id(http: httpx2.Client) -> str:
    return next(each["id"] for each in get(http, "/services") if each["name"] == "adding")


def job(http: httpx2.Client, service_id: str, given: Any, **members: Any) -> Any:
    answer = http.post("/service-jobs", json={"serviceId": service_id, "input": given, **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_execution_of_a_service_is_seen_over_the_platform(http: httpx2.Client, adding: Service, service_id: str):
    execution = adding.start({"values": [1, 2], "$tags": ["Nightly"]})
    found = ended(http, path := f"/service-executions/{execution}")
    assert (found["status"], found["type"], found["serviceId"]) == ("SUCCEEDED", "MANAGED", service_id)
    result = get(http, f"{path}/results")
    assert result["sum"] == 3
    assert result["_embedded"]["status"]["id"] == execution
    assert httpx2.get(result["_links"]["hello.txt"]["href"], headers=TOKEN).text == "Hello"
    log = get(http, f"{path}/logs", limit=1)
    assert (log["first"]["message"], log["last"], log["empty"]) == ("adding 2", log["first"], False)
    plain = http.get(f"{path}/logs", params={"raw": "true"})
    assert plain.headers["content-type"].startswith("text/plain")
    assert plain.headers["content-disposition"] == f'attachment; filename="{execution}.log"'
    assert plain.text.endswith(" INFO adding 2\n")
    assert http.head(path).status_code == 204
    assert http.put(f"{path}/cancel").status_code == 204
    assert http.get(f"{path}/results/none.txt").status_code == 404
    for method in ("GET", "HEAD"):
        assert http.request(method, "/service-executions/00000000-0000-4000-8000-000000000000").status_code == 404


def test_what_was_seen_of_an_execution_can_be_saved_as_files(http: httpx2.Client, adding: Service):
    ended(http, path := f"/service-executions/{adding.start({'values': [3]})}")
    listed = get(http, f"{path}/observability")["files"]
    assert [each["name"] for each in listed] == ["lineage.json", "logs.txt", "metrics.json"]
    files = {each["name"]: http.get(f"{path}/observability/{each['name']}") for each in listed}
    assert [len(answer.content) for answer in files.values()] == [each["size"] for each in listed]
    assert files["lineage.json"].json() == get(http, f"{path}/lineage")
    assert files["metrics.json"].json() == get(http, f"{path}/metrics")
    assert files["logs.txt"].text == http.get(f"{path}/logs", params={"raw": "true"}).text
    assert http.get(f"{path}/observability/traces.json").status_code == 404


def test_executions_are_found_by_tags_ids_times_and_service(http: httpx2.Client, adding: Service, service_id: str):
    first, second = (adding.start({"values": [], "$tags": [tag, "both"]}) for tag in ("one", "two"))
    sent = {"tags": "both", "sort": "createdAt,asc", "size": 1}
    page = get(http, "/service-executions", **sent)
    assert [each["id"] for each in page["content"]] == [first]
    assert (page["totalElements"], page["totalPages"], page["first"], page["last"]) == (2, 2, True, False)
    assert [each["id"] for each in get(http, "/service-executions", **sent, page=1)["content"]] == [second]
    for query in ({"ids": f"{first[:8]}*"}, {"tags": "one"}, {"ids": first, "serviceId": service_id}):
        assert [each["id"] for each in get(http, "/service-executions", **query)["content"]] == [first]
    for query in ({"serviceId": "none"}, {"createdAfter": "2999-01-01T00:00:00Z"}, {"createdBefore": "1"}):
        assert get(http, "/service-executions", **query)["empty"]
    assert "send a time as" in http.get("/service-executions", params={"createdAfter": "noon"}).json()["detail"]


def test_before_its_end_an_execution_has_no_result_and_is_cancelled(http: httpx2.Client, cloud: Server):
    execution = deploy(cloud, "sleeping", SLEEPING).start({})
    path = f"/service-executions/{execution}"
    assert http.get(f"{path}/results").status_code == http.get(f"{path}/logs").status_code == 204
    assert http.put(f"{path}/cancel").status_code == 204
    assert ended(http, path)["status"] == "CANCELLED"


def test_a_service_job_whose_input_is_stored_runs_again(http: httpx2.Client, service_id: str):
    made = job(http, service_id, {"values": [3], "start": 4}, tags=["kept"], storeInput=True)
    assert made["input"] == '{"values":[3],"start":4}'
    again = http.post(f"/service-jobs/{made['id']}/rerun").json()
    assert again["id"] != made["id"]
    assert (again["input"], again["tags"]) == (made["input"], ["kept"])
    assert ended(http, f"/service-jobs/{again['id']}")["status"] == "SUCCEEDED"
    assert get(http, f"/service-executions/{again['id']}/results")["sum"] == 7
    listed = get(http, "/service-jobs", tags="kept")["content"]
    assert [each["id"] for each in listed] == [again["id"], made["id"]]


def test_a_service_job_whose_input_or_secrets_are_not_kept_does_not_run_again(http: httpx2.Client, service_id: str):
    made = job(http, service_id, {"values": []})
    assert "input" not in made
    secretive = job(http, service_id, {"values": [], "$secrets": {"ibmToken": "s3cret"}}, storeInput=True)
    assert "s3cret" not in secretive["input"]
    for each, said in ((made, "was not to be stored"), (secretive, "was sent secrets")):
        answer = http.post(f"/service-jobs/{each['id']}/rerun")
        assert (answer.status_code, said in answer.json()["detail"]) == (409, True)


def test_an_execution_that_is_no_service_job_is_unknown_as_one(http: httpx2.Client, adding: Service):
    execution = adding.start({"values": []})
    assert http.get(f"/service-jobs/{execution}").status_code == 404
    assert http.post(f"/service-jobs/{execution}/rerun").status_code == 404
    assert execution not in [each["id"] for each in get(http, "/service-jobs")["content"]]


@pytest.mark.parametrize(
    ("given", "said"), [({"$secrets": [1]}, "$secrets has to be"), ({"$tags": "a"}, "$tags has to be a list")]
)
def test_a_service_job_with_an_input_that_is_none_is_refused(
    http: httpx2.Client, service_id: str, given: Any, said: str
):
    answer = http.post("/service-jobs", json={"serviceId": service_id, "input": given})
    assert (answer.status_code, said in answer.json()["detail"]) == (400, True)
