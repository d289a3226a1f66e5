"""People and their personal access tokens, on a live server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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
    told = next(each for each in http.get("/me/access-tokens").json()["accessTokens"] if each["id"] == made["id"])
    assert made["createdAt"] <= told.pop("usedAt")
    assert {key: value for key, value in made.items() if key != "value"} == told
    sent = httpx2.post(f"{cloud.url}/user-service/authorize", headers={"X-Auth-Token": made["value"]}).json()
    assert (sent["id"], sent["accessToken"]["name"]) == ("local", "Notebook")
    assert http.delete(f"/me/access-tokens/{made['id']}").status_code == 204
    assert status(cloud, made["value"]) == 401
    assert http.delete(f"/me/access-tokens/{made['id']}").status_code == 404


def test_a_token_that_nobody_has_sent_was_never_used(http: httpx2.Client):
    made = http.post("/me/access-tokens", json={"name": "Spare"}).json()
    told = next(each for each in http.get("/me/access-tokens").json()["accessTokens"] if each["id"] == made["id"])
    assert "usedAt" not in made | told


def test_a_day_that_is_over_is_refused(http: httpx2.Client):
    refused = http.post("/me/access-tokens", json={"name": "Late", "expiresAt": "2020-01-31"})
    assert refused.status_code == 400
    assert "is over" in refused.json()["detail"]


def test_the_default_token_made_anew_ends_the_one_before(cloud: Server, http: httpx2.Client):
    before, after = (http.put("/me/access-tokens/default").json()["defaultToken"] for _ in range(2))
    assert (status(cloud, before), status(cloud, after), status(cloud, "qumulus-local")) == (401, 200, 200)


def test_default_tokens_made_anew_at_once_leave_one(cloud: Server, http: httpx2.Client):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: http.put("/me/access-tokens/default"), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    left = [each for each in http.get("/me/access-tokens").json()["accessTokens"] if each["name"] == "default"]
    assert len(left) == 1
    assert sorted(status(cloud, answer.json()["defaultToken"]) for answer in answers) == [200] + [401] * 15


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


@pytest.fixture
def ada(cloud: Server) -> Iterator[httpx2.Client]:
    """Somebody else, who has an account."""
    httpx2.post(f"{cloud.url}/emulator/accounts", json={"id": "ada", "name": "Ada Lovelace"}, headers=ADMIN)
    told = httpx2.post(f"{cloud.url}/emulator/tokens", json={"account": "ada", "api": "planqk"}, headers=ADMIN).json()
    headers = {"X-Auth-Token": told["secret"]}
    with httpx2.Client(base_url=f"{cloud.url}/user-service", headers=headers, timeout=30) as http:
        yield http


def test_what_people_say_of_themselves_stays_until_they_change_it(http: httpx2.Client):
    said = http.put("/me", json={"currentPosition": "Physicist", "about": "Builds"}).json()
    assert (said["currentPosition"], said["about"]) == ("Physicist", "Builds")
    assert "homepage" not in said
    http.put("/me", json={"homepage": "https://example.com", "about": None})
    told = http.get("/me").json()
    assert (told["currentPosition"], told["homepage"]) == ("Physicist", "https://example.com")
    assert "about" not in told


def test_an_image_is_seen_by_others_as_it_was_sent_until_it_is_removed(http: httpx2.Client, ada: httpx2.Client):
    image = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    assert ada.get("/users/local/profile-image").status_code == 204
    assert http.post("/me/profile-image", files={"file": ("me.png", image)}).status_code == 204
    seen = ada.get("/users/local/profile-image")
    assert (seen.content, seen.headers["content-type"]) == (image, "image/png")
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert [http.delete("/me/profile-image").status_code for _ in range(2)] == [204, 204]
    assert ada.get("/users/local/profile-image").status_code == 204
    assert ada.get("/users/nobody/profile-image").status_code == 404


def test_what_is_no_image_or_too_large_is_refused_with_the_reason(http: httpx2.Client):
    for content, reason in ((b"<svg/>", "no image"), (b"GIF89a" + bytes(1 << 20), "bytes")):
        refused = http.post("/me/profile-image", files={"file": ("me", content)})
        assert refused.status_code == 400
        assert reason in refused.json()["detail"]
    assert http.get("/users/local/profile-image").status_code == 204


def test_people_remove_themselves_with_all_that_they_said(cloud: Server, http: httpx2.Client, ada: httpx2.Client):
    ada.put("/me", json={"about": "Wrote the first program"})
    assert ada.delete("/me").status_code == 204
    assert ada.get("/me").status_code == 401
    assert http.get("/users/ada").status_code == 404
    again = httpx2.post(f"{cloud.url}/emulator/accounts", json={"id": "ada", "name": "Another"}, headers=ADMIN)
    token = httpx2.post(f"{cloud.url}/emulator/tokens", json={"account": "ada", "api": "planqk"}, headers=ADMIN).json()
    assert again.status_code == 201
    assert "about" not in ada.get("/me", headers={"X-Auth-Token": token["secret"]}).json()
    assert http.delete("/me").status_code == 403
