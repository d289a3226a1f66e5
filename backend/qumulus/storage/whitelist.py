"""Who is expected: the whitelist, on the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from qumulus.core.accounts import Account, WhitelistEntry
from qumulus.core.errors import InvalidRequest

from .database.administration import whitelist
from .database.database import Database
from .database.tables import AnyRow, accounts


class Whitelist:
    """The part of `core.ports.Accounts` about people who have no account yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def whitelist(self) -> Sequence[WhitelistEntry]:
        """Return who is expected. See `core.ports.Accounts`."""
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(select(whitelist).order_by(whitelist.c.number))]

    def expect(self, entries: Sequence[WhitelistEntry]) -> None:
        """Enter people in the whitelist. See `core.ports.Accounts`."""

        def work(connection: Connection) -> None:
            for entry in entries:
                if connection.execute(select(whitelist.c.number).where(whitelist.c.email == entry.email)).first():
                    raise InvalidRequest(f"{entry.email[:80]} is already registered.")
                there = connection.execute(select(accounts.c.id).where(accounts.c.email == entry.email)).first()
                connection.execute(insert(whitelist).values(_values(entry) | {"signed_up": there is not None}))

        self._database.writer.run(work)

    def expect_no_more(self, emails: Collection[str]) -> None:
        """Take people off the whitelist. See `core.ports.Accounts`."""
        wanted = delete(whitelist).where(whitelist.c.email.in_(emails))
        self._database.writer.run(lambda connection: connection.execute(wanted))


def entered(connection: Connection, account: Account) -> Account:
    """Return a new account as the whitelist has it, where its address is there; the entry says from then on that it came."""
    row = connection.execute(select(whitelist).where(whitelist.c.email == account.email)).first()
    if row is None:
        return account
    connection.execute(update(whitelist).where(whitelist.c.number == row.number).values(signed_up=True))
    entry = _entry(row)
    return replace(account, organization=entry.organization, group_id=entry.group_id, devices=entry.devices)


def left(connection: Connection, email: str | None) -> None:
    """Say in the whitelist that there is no account with that address any more."""
    connection.execute(update(whitelist).where(whitelist.c.email == email).values(signed_up=False))


def _values(entry: WhitelistEntry) -> dict[str, Any]:
    names = ("email", "group_id", "name", "organization")
    devices = None if entry.devices is None else list(entry.devices)
    return {name: getattr(entry, name) for name in names} | {"devices": devices}


def _entry(row: AnyRow) -> WhitelistEntry:
    values: dict[str, Any] = dict(row._mapping)
    values["devices"] = None if row.devices is None else tuple(row.devices)
    return WhitelistEntry(**values)
