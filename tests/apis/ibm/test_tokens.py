"""Bearer tokens: whose they are, and for how long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from qumulus.apis.ibm import tokens
from qumulus.core.accounts import Account
from qumulus.core.clock import SystemClock
from qumulus.core.errors import NotAuthenticated
from qumulus.storage import open_storage


class Later(SystemClock):
    """A clock that is ahead."""

    ahead = timedelta(0)

    def wall(self):
        return super().wall() + self.ahead


def test_a_bearer_token_ends_with_the_credential_that_it_was_issued_for(tmp_path: Path):
    machine = Later()
    storage = open_storage(tmp_path, machine=machine)
    clock = storage.clock
    expires_at = clock.now() + timedelta(minutes=10)
    storage.accounts.add_token("local", tokens.SCHEME, "a key", expires_at=expires_at)
    bearer = tokens.issue("a key", storage.accounts, clock)
    assert tokens.authenticate(f"Bearer {bearer.token}", storage.accounts, clock).account == "local"
    machine.ahead = timedelta(minutes=11)
    with pytest.raises(NotAuthenticated):
        tokens.authenticate(f"Bearer {bearer.token}", storage.accounts, clock)
    storage.close()


def test_where_any_credential_is_let_in_nobody_names_another_account_in_a_token_of_their_own(tmp_path: Path):
    storage = open_storage(tmp_path, open_to_all=True)
    clock = storage.clock
    storage.accounts.add_account(Account(id="alice", name="Alice"))
    bearer = tokens.issue("anything", storage.accounts, clock)
    claims = jwt.decode(bearer.token, options={"verify_signature": False})
    forged = jwt.encode({**claims, "sub": "alice"}, tokens._OPEN, "HS256")
    for token in (bearer.token, forged):
        assert tokens.authenticate(f"Bearer {token}", storage.accounts, clock).account == "local"
    storage.close()
