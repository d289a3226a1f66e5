"""The account services that a client calls first."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from apis.ibm.cloud import TEST_CRN

GRANT = "urn:ibm:params:oauth:grant-type:apikey"


@pytest.fixture(scope="module")
def client(server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, headers={"Authorization": "Bearer qumulus-local"}) as client:
        yield client


def token(client: httpx2.Client, key: str = "qumulus-local") -> httpx2.Response:
    return client.post("/identity/token", data={"grant_type": GRANT, "apikey": key, "response_type": "cloud_iam"})


def claims(bearer: str) -> dict[str, Any]:
    part = bearer.split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_token_says_when_it_was_made_and_when_it_ends_and_is_let_in(client):
    made = token(client).json()
    told = claims(made["access_token"])
    assert told["exp"] - told["iat"] == made["expires_in"] == 3600
    assert told["exp"] == made["expiration"]
    answer = client.get("/v2/resource_instances", headers={"Authorization": f"Bearer {made['access_token']}"})
    assert answer.json()["rows_count"] == 2


def test_a_key_that_is_not_known_gets_no_token(client):
    refused = token(client, "nonsense")
    assert refused.status_code in (400, 401)
    assert refused.json()["errorCode"].startswith("BXNIM")
    assert "nonsense" not in refused.text


def test_the_search_pages_through_the_instances_of_the_account(client):
    query = {
        "query": "service_name:quantum-computing",
        "fields": ["crn", "service_plan_unique_id", "name", "doc", "tags"],
    }
    first = client.post("/v3/resources/search", params={"limit": 1}, json=query).json()
    second = client.post(
        "/v3/resources/search", params={"limit": 1}, json=query | {"search_cursor": first["search_cursor"]}
    )
    items = [*first["items"], *second.json()["items"]]
    assert [item["name"] for item in items] == ["local", "test"]
    assert all(item["doc"]["extensions"] for item in items)
    assert "search_cursor" not in second.json()
    plan = client.get(f"/catalog/api/v1/{items[0]['service_plan_unique_id']}").json()
    assert plan["overview_ui"]["en"]["display_name"] == "Internal"
    assert plan["metadata"]["pricing"]["type"] == "free"


@pytest.mark.parametrize("name", ["test", quote(TEST_CRN, safe=""), quote(TEST_CRN)])
def test_an_instance_is_found_by_its_name_and_by_its_crn_with_its_slash(client, name):
    assert client.get(f"/v2/resource_instances/{name}").json()["crn"] == TEST_CRN
    assert client.get("/v2/resource_instances/other").status_code == 404
