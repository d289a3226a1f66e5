"""The tokens of providers and the invitations of a person, on a live server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import httpx2
import pytest

from apis.planqk.cloud import TOKEN
from servers import Server, server

ADMIN = {"Authorization": "Bearer qumulus-admin"}
CLOUD = {"serviceCrn": "crn:v1:bluemix:public:quantum-computing:us-east:a/1::", "apiKey": "mine"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("my") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def http(cloud: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{cloud.url}/platform/my", headers=TOKEN, timeout=30) as http:
        yield http


def test_a_providers_token_is_told_to_its_owner_alone_until_it_is_removed(cloud: Server, http: httpx2.Client):
    assert http.get("/provider-tokens/DWAVE").status_code == 404
    for value in ("before", "of D-Wave"):
        assert http.put("/provider-tokens/DWAVE", json={"value": value}).status_code == 204
    assert http.put("/provider-tokens/IBM_CLOUD", json={"type": "IBM_CLOUD", **CLOUD}).status_code == 204
    assert http.get("/provider-tokens").json() == {"DWAVE": True, "IBM": False, "IBM_CLOUD": True}
    assert http.get("/provider-tokens/DWAVE").json() == {"type": "DWAVE", "value": "of D-Wave"}
    assert http.get("/provider-tokens/IBM_CLOUD").json() == {"type": "IBM_CLOUD", **CLOUD}
    httpx2.post(f"{cloud.url}/emulator/accounts", json={"id": "ada", "name": "Ada"}, headers=ADMIN)
    told = httpx2.post(f"{cloud.url}/emulator/tokens", json={"account": "ada", "api": "planqk"}, headers=ADMIN).json()
    other = {"X-Auth-Token": told["secret"]}
    assert http.get("/provider-tokens/DWAVE", headers=other).status_code == 404
    assert not any(http.get("/provider-tokens", headers=other).json().values())
    assert [http.delete("/provider-tokens/DWAVE").status_code for _ in range(2)] == [204, 404]


@pytest.mark.only("sqlite")
def test_a_providers_token_stands_nowhere_in_clear_text(cloud: Server, http: httpx2.Client):
    assert http.put("/provider-tokens/IBM", json={"value": "a very secret text"}).status_code == 204
    with sqlite3.connect(cloud.home / "qumulus.sqlite3") as database:
        (sealed,) = database.execute("SELECT sealed FROM provider_tokens WHERE provider = 'IBM'").fetchone()
    assert b"secret" not in sealed
    assert "a very secret text" not in cloud.output()


@pytest.mark.parametrize(
    ("provider", "sent"),
    [
        ("IBM", {}),
        ("IBM", CLOUD),
        ("IBM_CLOUD", {"value": "one"}),
        ("DWAVE", {"type": "IBM", "value": "one"}),
        ("NOBODY", {"value": "one"}),
    ],
)
def test_what_is_no_token_of_that_provider_is_refused(http: httpx2.Client, provider: str, sent: dict[str, str]):
    assert http.put(f"/provider-tokens/{provider}", json=sent).status_code == 400


def test_nobody_is_invited_where_there_are_no_organizations(http: httpx2.Client):
    assert http.get("/invitations").json() == []
    for answer in ("accept", "decline"):
        refused = http.post(f"/invitations/3d9f0b7a-1c2e-4f58-9a6b-7e0d5c4b3a21/{answer}")
        assert refused.status_code == 404
        assert "there are none here" in refused.json()["detail"]
