"""Tokens, the user, announcements and settings over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from apis.oqtopus.cloud import USER
from qumulus.core.accounts import DEFAULT_ACCOUNT
from qumulus.storage import open_storage
from servers import Server

EXPIRED, EXPIRING = "old.secret", "young.secret"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A cloud that knows a token whose time is over, and one whose time is not."""
    home = tmp_path_factory.mktemp("account") / "state"
    storage = open_storage(home)
    try:
        now = datetime.now(UTC)
        storage.accounts.add_token(DEFAULT_ACCOUNT, "oqtopus", EXPIRED, expires_at=now - timedelta(seconds=1))
        storage.accounts.add_token(DEFAULT_ACCOUNT, "oqtopus", EXPIRING, expires_at=now + timedelta(days=1))
    finally:
        storage.close()
    with Server(home) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
        yield client


def status(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.get("/api-token/status", headers={"q-api-token": token})


def test_a_token_lives_from_its_creation_to_its_deletion(client: httpx2.Client):
    created = client.post("/api-token", headers=USER).json()
    token = f"{created['api_token_id']}.{created['api_token_secret']}"
    told = status(client, token).json()
    assert told == {"api_token_expiration": created["api_token_expiration"]}
    left = datetime.fromisoformat(created["api_token_expiration"]) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)
    assert client.get("/devices", headers={"q-api-token": token}).status_code == 200
    deleted = client.delete("/api-token", headers={"q-api-token": token})
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert status(client, token).status_code == 401


def test_a_token_is_good_until_its_time_is_over(client: httpx2.Client):
    assert status(client, EXPIRING).status_code == 200
    answer = status(client, EXPIRED)
    assert answer.status_code == 401
    assert "expired" in answer.json()["message"]


@pytest.mark.parametrize("token", [None, "", "local", "local.", "local.wrong", "qumulus-local", ".qumulus-local"])
def test_no_other_token_is_let_in(client: httpx2.Client, token: str | None):
    headers = {} if token is None else {"q-api-token": token}
    for path in ("/devices", "/jobs", "/users/me", "/system/settings", "/announcements", "/api-token/status"):
        assert client.get(path, headers=headers).status_code == 401


def test_the_built_in_token_has_no_end_and_stays(client: httpx2.Client):
    assert client.get("/api-token/status", headers=USER).json() == {}
    assert client.delete("/api-token", headers=USER).status_code == 403
    assert client.get("/devices", headers=USER).status_code == 200


def test_the_user_is_shown_and_not_changed(client: httpx2.Client):
    user = client.get("/users/me", headers=USER).json()
    assert {"id", "name"} <= set(user)
    assert client.patch("/users/me", json={}, headers=USER).json() == user
    assert client.patch("/users/me", json={"name": "Another"}, headers=USER).status_code == 403
    assert client.delete("/users/me", headers=USER).status_code == 403
    settings = client.get("/system/settings", headers=USER).json()
    assert settings["editable_fields"] == []
    assert settings["allow_deletion"] is False
    assert set(settings["visible_fields"]) >= set(user)


def test_announcements_are_listed_by_their_time_and_fetched(client: httpx2.Client):
    def listed(**query: str) -> list[int]:
        answer = client.get("/announcements", params=query, headers=USER)
        assert answer.status_code == 200
        return [each["id"] for each in answer.json()["announcements"]]

    assert listed() == [1]
    assert listed(limit="0") == []
    assert listed(offset="1", limit="10") == []
    assert listed(current_time="2026-11-26T00:00:00Z", order="ASC") == [1]
    assert listed(current_time="2020-01-01T00:00:00Z") == []
    one = client.get("/announcements/1", headers=USER).json()
    assert {"id", "title", "content", "start_time", "end_time", "publishable"} == set(one)
    assert client.get("/announcements/2", headers=USER).status_code == 404
    assert client.get("/announcements/one", headers=USER).status_code == 400
