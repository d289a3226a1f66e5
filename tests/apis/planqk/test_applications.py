"""Applications on a live server: an access key reaches the services that its application has subscribed to, and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from apis.planqk.cloud import ADMIN, Service, deploy
from qumulus.apis.planqk.access_keys import AccessKeys
from qumulus.core.errors import NotAuthenticated
from servers import Server, server

INSIDE = """
    import json, os, urllib.request
    def run():
        request = urllib.request.Request(os.environ["QHUB_QUANTUM_BASE_URL"] + "/backends")
        request.add_header("X-Auth-Token", os.environ["KQH_SERVICE_EXECUTION_TOKEN"])
        with urllib.request.urlopen(request, timeout=10) as answer:
            return {"status": answer.status}
    """


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("applications") / "state") as running:
        noon = {"now": "2026-03-15T12:00:00Z", "rate": 1}  # no month ends meanwhile
        httpx2.put(f"{running.url}/emulator/clock", json=noon, headers=ADMIN).raise_for_status()
        deploy(running, "one", "def run(): return {'n': 1}")
        deploy(running, "two", "def run(): return {'n': 2}")
        deploy(running, "inside", INSIDE)
        yield running


@pytest.fixture(scope="module")
def http(cloud: Server) -> Iterator[httpx2.Client]:
    headers = {"X-Auth-Token": "qumulus-local"}
    with httpx2.Client(base_url=f"{cloud.url}/platform", headers=headers, timeout=60) as http:
        yield http


def application(http: httpx2.Client, *services: str) -> tuple[str, list[dict[str, Any]]]:
    """A new application that has subscribed to these services; its id and its subscriptions."""
    made = http.post("/applications", json={"name": "Shop"}).json()["id"]
    ids = {service["name"]: service["id"] for service in http.get("/services").json()}
    answers = [
        http.post("/subscriptions", json={"applicationId": made, "serviceId": ids[service]}) for service in services
    ]
    assert all(answer.status_code == 201 for answer in answers)
    return made, [answer.json() for answer in answers]


def token(cloud: Server, http: httpx2.Client, application: str) -> str:
    (key,) = http.get(f"/applications/{application}/access-keys").json()
    basic = base64.b64encode(f"{key['accessKeyId']}:{key['secretAccessKey']}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    answer = httpx2.post(f"{cloud.url}/token", data=form, headers={"Authorization": f"Basic {basic}"})
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def calling(cloud: Server, service: str, token: str) -> Service:
    called = Service(cloud, service)
    called.http.headers["Authorization"] = f"Bearer {token}"
    return called


def test_an_access_key_reaches_what_its_application_has_subscribed_to(cloud: Server, http: httpx2.Client):
    made, (subscription,) = application(http, "one")
    mine = token(cloud, http, made)
    one = calling(cloud, "one", mine)
    execution = one.start()
    assert one.wait(execution)["applicationId"] == made
    assert one.get(f"/{execution}/result")["n"] == 1
    refused = calling(cloud, "two", mine).http.post("/", json={})
    assert refused.status_code == 403
    assert "has not subscribed to the service two" in refused.json()["detail"]
    for path in ("/platform/applications", "/quantum/backends"):
        assert httpx2.get(f"{cloud.url}{path}", headers={"X-Auth-Token": mine}).status_code == 401, path
    assert http.delete(f"/subscriptions/{subscription['id']}").status_code == 204
    assert one.http.get("/").status_code == 403
    assert Service(cloud, "two").run()["n"] == 2, "the token of an account reaches all services, as before"


def test_a_made_up_execution_gives_an_access_key_nothing_more(cloud: Server, http: httpx2.Client):
    made, _ = application(http, "one")
    mine = token(cloud, http, made)
    disguised = f"execution-ee49be82-593d-4d12-b732-ab84e0b11be1-{mine}"
    assert calling(cloud, "two", disguised).http.post("/", json={}).status_code == 401


def test_a_program_that_an_application_has_started_reaches_the_quantum_api(cloud: Server, http: httpx2.Client):
    made, _ = application(http, "inside")
    assert calling(cloud, "inside", token(cloud, http, made)).run()["status"] == 200


def test_an_application_that_is_removed_ends_with_its_key_and_subscriptions(cloud: Server, http: httpx2.Client):
    made, (subscription,) = application(http, "one")
    mine = token(cloud, http, made)
    assert [each["id"] for each in http.get(f"/applications/{made}/subscriptions").json()] == [subscription["id"]]
    again = http.post("/subscriptions", json={"applicationId": made, "serviceId": subscription["service"]["id"]})
    assert again.json()["id"] == subscription["id"]
    assert made in [each["id"] for each in http.get("/applications").json()]
    assert http.delete(f"/applications/{made}").status_code == 204
    assert http.get(f"/applications/{made}").status_code == 404
    assert http.get(f"/subscriptions/{subscription['id']}").status_code == 404
    assert calling(cloud, "one", mine).http.get("/").status_code == 401


def test_applications_of_others_are_unknown(cloud: Server, http: httpx2.Client):
    made, (subscription,) = application(http, "one")
    admin = {"Authorization": "Bearer qumulus-admin"}
    httpx2.post(f"{cloud.url}/emulator/accounts", json={"id": "other", "name": "Other"}, headers=admin)
    issued = httpx2.post(f"{cloud.url}/emulator/tokens", json={"account": "other", "api": "planqk"}, headers=admin)
    assert issued.status_code == 201, issued.text
    with httpx2.Client(base_url=http.base_url, headers={"X-Auth-Token": issued.json()["secret"]}) as other:
        assert other.get("/applications").json() == []
        assert other.get(f"/applications/{made}/access-keys").status_code == 404
        assert other.delete(f"/subscriptions/{subscription['id']}").status_code == 404


def test_tokens_expire_and_none_of_another_server_is_taken():
    now = datetime.now(UTC)
    keys, others = AccessKeys(lambda: b"a" * 32), AccessKeys(lambda: b"b" * 32)
    assert keys.application(keys.token("x", now), now) == "x"
    assert keys.application("qumulus-local", now) is None
    assert keys.application(keys.program("x", "y"), now, "y") == "x"
    for token, at, execution in (
        (keys.token("x", now), now + timedelta(hours=2), None),
        (others.token("x", now), now, None),
        (keys.program("x", "y"), now, None),
        (keys.program("x", "y"), now, "z"),
        (keys.token("x", now), now, "y"),
        ("application-no-token", now, None),
    ):
        with pytest.raises(NotAuthenticated):
            keys.application(token, at, execution)
    assert keys.fits("x", keys.of("x"))
    assert not keys.fits("y", keys.of("x"))


def test_what_an_application_started_is_listed_and_counted_under_its_subscription(cloud: Server, http: httpx2.Client):
    first, (to_one, _) = application(http, "one", "two")
    headers = {"Authorization": f"Bearer {token(cloud, http, first)}"}
    started = httpx2.post(f"{cloud.url}/services/one/", json={}, headers=headers).json()["id"]
    httpx2.post(f"{cloud.url}/services/two/", json={}, headers=headers)
    listed = http.get(f"/subscriptions/{to_one['id']}/service-executions").json()
    assert [(each["id"], each["applicationId"]) for each in listed] == [(started, first)]
    service = to_one["service"]["id"]
    assert to_one["id"] in [each["id"] for each in http.get(f"/services/{service}/subscriptions").json()]
    numbers = http.get(f"/services/{service}/statistics").json()["managedServiceExecutions"]
    assert numbers["totalCount"] == numbers["thisMonthCount"] == numbers["lastThreeMonthsCount"] > 0
    assert numbers["lastMonthCount"] == 0


def test_how_a_service_is_offered_is_seen_by_everybody_and_outlasts_deployments(cloud: Server, http: httpx2.Client):
    deploy(cloud, "offered", "def run(): return {'n': 1}")
    (service,) = (each["id"] for each in http.get("/services").json() if each["name"] == "offered")
    links = [{"type": "DOCUMENTATION", "name": "Manual", "url": "https://example.com/manual"}]
    contacts = [{"type": "EMAIL", "contact": "support@example.com"}]
    for path, body in (("links", links), ("contacts", contacts), ("publication", {"scope": "PUBLIC"})):
        assert http.put(f"/services/{service}/{path}", json=body).status_code == 204, path
    plan = http.put(
        f"/managed-services/{service}/pricing-plan", json={"type": "COMMERCIAL", "profitPercentage": 20}
    ).json()
    assert (plan["type"], plan["profitPercentage"]) == ("COMMERCIAL", 20)
    deploy(cloud, "offered", "def run(): return {'n': 2}")
    seen = http.get(f"/services/{service}").json()
    (version,) = seen["serviceDefinitions"]
    assert (seen["links"], seen["contacts"]) == (links, contacts)
    assert (version["lifecycle"], version["pricingPlans"]) == ("PUBLISHED", [plan])
    assert service in [each["id"] for each in http.get("/services", params={"lifecycle": "PUBLISHED"}).json()]
    _, (subscription,) = application(http, "offered")
    assert (subscription["pricingPlan"], subscription["service"]["lifecycle"]) == (plan, "PUBLISHED")
    assert http.put(f"/services/{service}/links", json=[]).status_code == 204
    assert http.delete(f"/managed-services/{service}/pricing-plan").status_code == 204
    seen = http.get(f"/services/{service}").json()
    assert (seen["links"], seen["serviceDefinitions"][0]["pricingPlans"]) == ([], [])


def test_a_service_is_taken_back_from_its_subscribers_by_force_alone(cloud: Server, http: httpx2.Client):
    deploy(cloud, "withdrawn", "def run(): return {}")
    _, (subscription,) = application(http, "withdrawn")
    service = subscription["service"]["id"]
    refused = http.delete(f"/services/{service}/publication")
    assert refused.status_code == 409
    assert "force=true" in refused.json()["detail"]
    assert http.get(f"/services/{service}").json()["serviceDefinitions"][0]["lifecycle"] == "ACCESSIBLE"
    assert http.delete(f"/services/{service}/publication", params={"force": True}).status_code == 204
    assert http.get(f"/services/{service}").json()["serviceDefinitions"][0]["lifecycle"] == "CREATED"
    assert http.get(f"/services/{service}/subscriptions").json() == []


def test_a_source_that_is_not_uploaded_is_refused_with_the_reason(http: httpx2.Client):
    (service, *_) = http.get("/services").json()
    path = f"/managed-services/{service['id']}/source"
    assert http.put(path, json={"type": "file"}).status_code == 204
    refused = http.put(path, json={"type": "repository"})
    assert refused.status_code == 400
    assert "is uploaded here" in refused.json()["detail"]


CHAIN = """
    import json, os, urllib.request
    def run(service):
        address = os.environ["QHUB_QUANTUM_BASE_URL"].removesuffix("/quantum") + f"/services/{service}/"
        request = urllib.request.Request(address, b"{}", {"Content-Type": "application/json"})
        request.add_header("Authorization", "Bearer " + os.environ["KQH_SERVICE_EXECUTION_TOKEN"])
        with urllib.request.urlopen(request, timeout=10) as answer:
            return {"started": json.load(answer)["id"]}
    """


def test_what_a_program_starts_is_told_beneath_it_with_what_each_used_and_cost(cloud: Server, http: httpx2.Client):
    deploy(cloud, "chain", CHAIN)
    chain, one = Service(cloud, "chain"), Service(cloud, "one")
    root = chain.start({"service": "one"})
    chain.wait(root)
    child = chain.get(f"/{root}/result")["started"]
    one.wait(child)
    told = http.get(f"/service-executions/{root}/lineage").json()
    assert [(each["id"], each.get("parentId")) for each in told["nodes"]] == [(root, None), (child, root)]
    assert told["truncated"] is False
    assert len(http.get(f"/service-executions/{child}/lineage").json()["nodes"]) == 1
    used = http.get(f"/service-executions/{root}/metrics").json()
    (cores,), (memory,) = used["cpuUsage"], used["memoryUsage"]
    assert 0 < cores["value"] <= 1.5 * used["cpuLimit"][0]["value"]
    assert 1 << 20 < memory["value"] < used["memoryLimit"][0]["value"]
    assert used["startTime"] < used["endTime"] == memory["timestamp"]
    (cost,) = http.get(f"/service-executions/{root}/costs").json()
    assert (cost["quantity"], cost["totalAmount"]["amount"], cost["productName"]) == (1, "0", "chain")
