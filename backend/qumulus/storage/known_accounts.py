"""Whether there is an account, for what is written about it in the same transaction."""

from __future__ import annotations

from sqlalchemy import Connection, select

from qumulus.core.errors import NotFound

from .database.tables import accounts


def exists(connection: Connection, account: str) -> bool:
    """Whether there is such an account, which nobody else changes before this transaction ends."""
    return (
        connection.execute(select(accounts.c.id).where(accounts.c.id == account).with_for_update()).first() is not None
    )


def need(connection: Connection, account: str) -> None:
    """Raise unless there is such an account."""
    if not exists(connection, account):
        raise NotFound(f"There is no account with the id {account[:80]!r}: list the accounts to see the ids.")
