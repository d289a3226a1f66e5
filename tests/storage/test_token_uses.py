"""When credentials were last used: known at once where they were, and to others and later once it is stored."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from qumulus.core.errors import NotAuthenticated
from qumulus.storage import Storage, open_storage, token_uses


def used(storage: Storage, token: str) -> datetime | None:
    return next(each.used_at for each in storage.accounts.used_tokens("local") if each.id == token)


def test_it_outlives_the_process_and_never_goes_back(tmp_path: Path):
    with closing(open_storage(tmp_path)) as storage:
        token = storage.accounts.add_token("local", "ibm", "mine").id
        assert used(storage, token) is None
        storage.accounts.authenticate("ibm", "mine")
        first = used(storage, token)
        assert first is not None
        storage.accounts.authenticate("ibm", "mine")
        last = used(storage, token)
        assert last is not None
        assert last >= first
    with closing(open_storage(tmp_path)) as storage:
        assert used(storage, token) == last
        storage.accounts._uses.note(token, last - timedelta(days=1))
        storage.accounts._uses.store()
        assert used(storage, token) == last


def test_what_lets_nobody_in_is_not_used(tmp_path: Path):
    with closing(open_storage(tmp_path)) as storage:
        token = storage.accounts.add_token("local", "ibm", "old", expires_at=storage.clock.now()).id
        with pytest.raises(NotAuthenticated):
            storage.accounts.authenticate("ibm", "old")
        assert used(storage, token) is None


@pytest.mark.only("sqlite")
def test_no_request_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(token_uses, "EVERY_SECONDS", 3600)
    with closing(open_storage(tmp_path)) as storage:
        storage.accounts.add_token("local", "ibm", "mine")
        storage.accounts.authenticate("ibm", "mine")
        said: list[str] = []
        for engine in (storage._database._reading, storage._database._writing):
            event.listen(engine, "before_cursor_execute", lambda _c, _u, text, *_: said.append(text))
        for _ in range(100):
            storage.accounts.authenticate("ibm", "mine")
        assert said == []
