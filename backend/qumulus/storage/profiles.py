"""What people say of themselves, on the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from qumulus.core.accounts import Picture, Profile
from qumulus.core.errors import UnknownAccount

from .database.database import Database
from .database.tables import accounts, profiles

SAID = tuple(profiles.c[name] for name in Profile.__dataclass_fields__)


class Profiles:
    """The part of `core.ports.Accounts` about what people say of themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def profile(self, account_id: str) -> Profile:
        """Return what somebody says. See `core.ports.Accounts`."""
        with self._database.read() as connection:
            row = connection.execute(select(*SAID).where(profiles.c.account == account_id)).first()
        return Profile() if row is None else Profile(**row._mapping)

    def describe(self, account_id: str, profile: Profile) -> None:
        """Store what somebody says. See `core.ports.Accounts`."""
        self._put(account_id, asdict(profile))

    def picture(self, account_id: str) -> Picture | None:
        """Return the image of somebody. See `core.ports.Accounts`."""
        wanted = select(profiles.c.picture, profiles.c.picture_type).where(profiles.c.account == account_id)
        with self._database.read() as connection:
            row = connection.execute(wanted).first()
        if row is None or row.picture is None:
            return None
        return Picture(content=row.picture, media_type=row.picture_type)

    def depict(self, account_id: str, picture: Picture | None) -> None:
        """Store the image of somebody. See `core.ports.Accounts`."""
        content, media_type = (None, None) if picture is None else (picture.content, picture.media_type)
        self._put(account_id, {"picture": content, "picture_type": media_type})

    def _put(self, account_id: str, values: Mapping[str, Any]) -> None:
        def work(connection: Connection) -> None:
            known = select(accounts.c.id).where(accounts.c.id == account_id).with_for_update()
            if connection.execute(known).first() is None:
                raise UnknownAccount(account_id)
            changed = update(profiles).where(profiles.c.account == account_id).values(values)
            if connection.execute(changed).rowcount == 0:
                connection.execute(insert(profiles).values(account=account_id, **values))

        self._database.writer.run(work)
