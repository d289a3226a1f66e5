"""People and their personal access tokens, on a live server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from servers import Server, server

ADMIN = {"Authorization": "Bearer qumulus-admin"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("user") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def http(cloud: Server) -> Iterator[httpx2.Client]:
    headers = {"X-Auth-Token": "qumulus-local"}
    with httpx2.Client(base_url=f"{cloud.url}/user-service", headers=headers, timeout=30) as http:
        yield http


def status(cloud: Server, token: str) -> int:
    """What the platform says to a token."""
    return httpx2.get(f"{cloud.url}/platform/services", headers={"X-Auth-Token": token}).status_code


def test_a_token_lets_in_until_it_is_removed(cloud: Server, http: httpx2.Client):
    made = http.post("/me/access-tokens", json={"name": "Notebook", "expiresAt": "2100-12-31"}).json()
    assert (made["name"], made["expiresAt"]) == ("Notebook", "2100-12-31")
    assert status(cloud, made["value"]) == 200
    told = http.get("/me/access-tokens").json()["accessTokens"]
    assert {key: value for key, value in made.items() if key != "value"} in told
    sent = httpx2.post(f"{cloud.url}/user-service/authorize", headers={"X-Auth-Token": made["value"]}).json()
    assert (sent["id"], sent["accessToken"]["name"]) == ("local", "Notebook")
    assert http.delete(f"/me/access-tokens/{made['id']}").status_code == 204
    assert status(cloud, made["value"]) == 401
    assert http.delete(f"/me/access-tokens/{made['id']}").status_code == 404


def test_a_day_that_is_over_is_refused(http: httpx2.Client):
    refused = http.post("/me/access-tokens", json={"name": "Late", "expiresAt": "2020-01-31"})
    assert refused.status_code == 400
    assert "is over" in refused.json()["detail"]


def test_the_default_token_made_anew_ends_the_one_before(cloud: Server, http: httpx2.Client):
    before, after = (http.put("/me/access-tokens/default").json()["defaultToken"] for _ in range(2))
    assert (status(cloud, before), status(cloud, after), status(cloud, "qumulus-local")) == (401, 200, 200)


def test_the_token_of_the_start_can_not_be_removed(http: httpx2.Client):
    own = next(each for each in http.get("/me/access-tokens").json()["accessTokens"] if each["name"].startswith("The"))
    assert http.delete(f"/me/access-tokens/{own['id']}").status_code == 403


def test_a_token_of_somebody_else_is_not_found(cloud: Server, http: httpx2.Client):
    httpx2.post(f"{cloud.url}/emulator/accounts", json={"id": "ada", "name": "Ada Lovelace"}, headers=ADMIN)
    wanted = {"account": "ada", "api": "planqk"}
    other = httpx2.post(f"{cloud.url}/emulator/tokens", json=wanted, headers=ADMIN).json()
    assert http.delete(f"/me/access-tokens/{other['id']}").status_code == 404
    mine = {"X-Auth-Token": other["secret"]}
    assert httpx2.get(f"{cloud.url}/user-service/me", headers=mine).json()["lastname"] == "Lovelace"
    assert http.get("/users/ada").json() == {"id": "ada", "firstname": "Ada", "lastname": "Lovelace"}
    assert [each["id"] for each in http.get("/search", params={"q": "love"}).json()] == ["ada"]
    found = http.post("/users/batch", json={"ids": ["ada", "bob", "eve", "ada"]}).json()
    assert ([each["id"] for each in found["users"]], found["notFound"]) == (["ada"], "bob,eve")
    assert (http.head("/users/ada").status_code, http.head("/users/bob").status_code) == (204, 404)


def test_how_far_a_registration_is_goes_by_the_address(http: httpx2.Client):
    states = [
        http.get("/user-registration-status", params={"email": each}).json()["status"]
        for each in ("user@localhost", "nobody@localhost")
    ]
    assert states == ["APPROVED", "NOT_FOUND"]
