"""Credentials are kept in memory until somebody writes, in this process or in another one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from qumulus.core.errors import InvalidRequest, NotAuthenticated
from qumulus.storage import open_storage
from qumulus.storage.accounts import SqlAccounts


def test_a_credential_that_is_gone_is_refused_at_once_here_and_soon_elsewhere(tmp_path):
    here, elsewhere = open_storage(tmp_path), open_storage(tmp_path)
    token = here.accounts.add_token("local", "ibm", "mine")
    for storage in (here, elsewhere, here, elsewhere):
        assert storage.accounts.authenticate("ibm", "mine").token == token.id
    here.accounts.revoke_token(token.id)
    with pytest.raises(NotAuthenticated):
        here.accounts.authenticate("ibm", "mine")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            elsewhere.accounts.authenticate("ibm", "mine")
        except NotAuthenticated:
            break
        time.sleep(0.01)
    with pytest.raises(NotAuthenticated):
        elsewhere.accounts.authenticate("ibm", "mine")
    here.close()
    elsewhere.close()


def test_credentials_of_one_name_that_processes_make_anew_at_once_leave_one(tmp_path):
    stores = [open_storage(tmp_path) for _ in range(2)]
    for storage in stores:
        storage.accounts.add_token("local", "planqk", f"other {id(storage)}", name="other")

    def make(number: int) -> str:
        accounts = stores[number % 2].accounts
        return accounts.add_token("local", "planqk", f"default {number}", name="default", anew=True).id

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(make, range(24)))
    for storage in stores:
        storage.close()
    with closing(open_storage(tmp_path)) as storage:
        left = [token for token in storage.accounts.tokens("local") if token.scheme == "planqk"]
    assert sorted(token.name or "" for token in left) == ["default", "other", "other"]
    assert {token.id for token in left if token.name == "default"} < made


def test_a_credential_is_gone_after_a_reset(tmp_path):
    storage = open_storage(tmp_path)
    storage.accounts.add_token("local", "ibm", "mine")
    assert storage.accounts.authenticate("ibm", "mine").account == "local"
    storage.state.reset()
    with pytest.raises(NotAuthenticated):
        storage.accounts.authenticate("ibm", "mine")
    storage.close()


def test_a_dispatcher_that_opens_an_empty_state_beside_a_server_takes_no_credential_away(tmp_path, monkeypatch):
    write = SqlAccounts._write

    def late(accounts, work):
        monkeypatch.undo()
        open_storage(tmp_path, credentials=[("ibm", "secret")]).close()  # after the dispatcher has found nothing
        return write(accounts, work)

    monkeypatch.setattr(SqlAccounts, "_write", late)
    dispatcher = open_storage(tmp_path)
    assert dispatcher.accounts.authenticate("ibm", "secret").account == "local"
    dispatcher.close()


def test_a_credential_that_leads_to_a_namespace_is_not_taken(tmp_path):
    storage = open_storage(tmp_path / "state")
    with pytest.raises(InvalidRequest, match="leads to a namespace"):
        storage.accounts.add_token("local", "ibm", "my-team~secret")
    assert storage.accounts.add_token("local", "ibm", "My Team~secret").account == "local"
    storage.close()
