"""Tokens of providers of quantum computers, which people leave here; sealed, so that the tables alone tell nobody."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select

from qumulus.core.errors import UnknownAccount

from .database.database import Database
from .database.tables import provider_tokens
from .known_accounts import exists

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class ProviderTokens:
    """The part of `core.ports.Accounts` about the tokens of providers."""

    _database: Database
    _sealing: Callable[[], bytes]  # gives the secret of the state

    def provider_tokens(self, account_id: str) -> frozenset[str]:
        """Return whose tokens somebody has. See `core.ports.Accounts`."""
        wanted = select(provider_tokens.c.provider).where(provider_tokens.c.account == account_id)
        with self._database.read() as connection:
            return frozenset(connection.execute(wanted).scalars())

    def provider_token(self, account_id: str, provider: str) -> Mapping[str, str] | None:
        """Return a token. See `core.ports.Accounts`."""
        from cryptography.fernet import InvalidToken

        wanted = select(provider_tokens.c.sealed).where(_its(account_id, provider))
        with self._database.read() as connection:
            sealed = connection.execute(wanted).scalar()
        try:
            return None if sealed is None else json.loads(self._seal().decrypt(sealed))
        except InvalidToken:  # sealed with the secret of another state
            return None

    def keep_provider_token(self, account_id: str, provider: str, token: Mapping[str, str]) -> None:
        """Keep a token. See `core.ports.Accounts`."""
        sealed = self._seal().encrypt(json.dumps(dict(token)).encode())

        def work(connection: Connection) -> None:
            if not exists(connection, account_id):
                raise UnknownAccount(account_id)
            connection.execute(delete(provider_tokens).where(_its(account_id, provider)))
            connection.execute(insert(provider_tokens).values(account=account_id, provider=provider, sealed=sealed))

        self._database.writer.run(work)

    def forget_provider_token(self, account_id: str, provider: str) -> bool:
        """Forget a token. See `core.ports.Accounts`."""
        gone = delete(provider_tokens).where(_its(account_id, provider))
        return self._database.writer.run(lambda connection: connection.execute(gone).rowcount) > 0

    def _seal(self) -> Fernet:
        from cryptography.fernet import Fernet

        key = hashlib.sha256(b"tokens of providers" + self._sealing()).digest()
        return Fernet(base64.urlsafe_b64encode(key))


def _its(account_id: str, provider: str):
    return (provider_tokens.c.account == account_id) & (provider_tokens.c.provider == provider)
