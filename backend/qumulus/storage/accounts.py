"""Accounts and credentials. Of a credential only its SHA-256 is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from qumulus.core.accounts import DEFAULT_ACCOUNT, Account, AccountStatus, Caller, Instance, Token
from qumulus.core.errors import (
    AccountClosed,
    DeviceNotAllowed,
    InvalidRequest,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    UnknownAccount,
    WrongState,
)
from qumulus.core.ports import Clock
from qumulus.core.ports.namespaces import led
from qumulus.core.services import device_beside

from .database.database import Database
from .database.tables import AnyRow, accounts, instances, profiles, provider_tokens, tokens
from .instances import Instances
from .jobs import rows
from .kept import Kept
from .known_accounts import exists, need
from .profiles import Profiles
from .provider_tokens import ProviderTokens
from .token_uses import TokenUses
from .whitelist import Whitelist, entered, left


def digest(secret: str) -> bytes:
    """Return the digest that is stored of a credential."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class SqlAccounts(Whitelist, Profiles, ProviderTokens, Instances):
    """`core.ports.Accounts` on the database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        sealing: Callable[[], bytes],
        open_to_all: bool = False,
        built_in: Iterable[Instance] = (),
    ) -> None:
        """``open_to_all``: any credential is the default account's; ``built_in``: the instances that are always there;
        ``sealing`` gives the secret of the state, which the tokens of providers are sealed with."""
        super().__init__(database)
        self._sealing = sealing
        self._clock = clock
        self._open_to_all = open_to_all
        self._built_in = tuple(built_in)
        self._kept = Kept(database)
        self._uses = TokenUses(database)

    def close(self) -> None:
        """Store what is noted of credentials, and end."""
        self._uses.close()

    def seed(self, credentials: Iterable[tuple[str, str]] | None) -> None:
        """Make the built-in account, and let exactly these built-in (scheme, secret) pairs in; None: those that are let in
        now. Its instances are there from then on."""
        with self._database.read() as connection:
            built_in = select(tokens.c.scheme, tokens.c.digest).where(tokens.c.built_in)
            stored = {(row.scheme, row.digest) for row in connection.execute(built_in)}
            wanted = None if credentials is None else {(scheme, digest(secret)) for scheme, secret in credentials}
            seeded = connection.execute(select(accounts.c.id).where(accounts.c.id == DEFAULT_ACCOUNT)).first()
        if not seeded or wanted not in (None, stored):
            self._write(lambda connection: self._seed(connection, wanted))
        self.add_instances(self._built_in)

    def _seed(self, connection: Connection, wanted: set[tuple[str, bytes]] | None) -> None:
        if not connection.execute(select(accounts.c.id).where(accounts.c.id == DEFAULT_ACCOUNT)).first():
            connection.execute(insert(accounts).values(id=DEFAULT_ACCOUNT, name="Local user", email="user@localhost"))
        if wanted is None:  # another process may have let some in since we looked
            return
        connection.execute(delete(tokens).where(tokens.c.built_in))
        now = self._clock.now()
        for scheme, hashed in sorted(wanted):
            connection.execute(delete(tokens).where(tokens.c.scheme == scheme, tokens.c.digest == hashed))
            connection.execute(
                insert(tokens).values(
                    id=rows.new_id(now),
                    account=DEFAULT_ACCOUNT,
                    scheme=scheme,
                    digest=hashed,
                    created_at=now,
                    built_in=True,
                )
            )

    def authenticate(self, scheme: str, secret: str) -> Caller:
        """Return who sends a credential. See `core.ports.Accounts`."""
        hashed = digest(secret)

        def ask(connection: Connection) -> AnyRow | None:
            columns = (tokens.c.id, tokens.c.account, tokens.c.expires_at, accounts.c.status)
            query = select(*columns).join(accounts, accounts.c.id == tokens.c.account)
            return connection.execute(query.where(tokens.c.scheme == scheme, tokens.c.digest == hashed)).first()

        row = self._kept.read(("credential", scheme, hashed), ask)
        now = self._clock.now()
        if row is not None and (row.expires_at is None or now < row.expires_at):
            if row.status != AccountStatus.APPROVED:
                raise AccountClosed(row.status)
            self._uses.note(row.id, now)
            return Caller(account=row.account, token=row.id)
        if self._open_to_all and secret:
            return Caller(account=DEFAULT_ACCOUNT)
        raise NotAuthenticated("The credential is unknown or has expired: send one that this server knows.")

    def accounts(self) -> tuple[Account, ...]:
        """Return all accounts."""
        with self._database.read() as connection:
            return tuple(_account(row) for row in connection.execute(select(accounts).order_by(accounts.c.id)))

    def account(self, account_id: str) -> Account:
        """Return an account. See `core.ports.Accounts`."""

        def ask(connection: Connection) -> Account | None:
            row = connection.execute(select(accounts).where(accounts.c.id == account_id)).first()
            return None if row is None else _account(row)

        found = self._kept.read(("account", account_id), ask)
        if found is None:
            raise UnknownAccount(account_id)
        return found

    def permit(self, account_id: str, device: str) -> None:
        """See that an account may use a device; one that is not there may use all.

        Raises:
            DeviceNotAllowed
        """
        try:
            account = self.account(account_id)
        except UnknownAccount:
            return
        if not account.may_use(device_beside(device)):
            raise DeviceNotAllowed(device_beside(device))

    def add_account(self, account: Account) -> None:
        """Make an account. See `core.ports.Accounts`."""

        def work(connection: Connection) -> None:
            if exists(connection, account.id):
                raise WrongState(f"There is an account with the id {account.id} already: choose another one.")
            connection.execute(insert(accounts).values(_account_values(entered(connection, account))))

        self._write(work)

    def change_account(self, account: Account) -> Account:
        """Store what else an account is like. See `core.ports.Accounts`."""
        if account.id == DEFAULT_ACCOUNT and account.status is not AccountStatus.APPROVED:
            raise NotAllowed("The built-in account can't be locked out: make another account to try that.")

        def work(connection: Connection) -> Account:
            same = select(accounts.c.id).where(accounts.c.email == account.email, accounts.c.id != account.id)
            if account.email is not None and connection.execute(same).first():
                raise InvalidRequest(f"{account.email[:80]} is already registered.")
            changed = update(accounts).where(accounts.c.id == account.id).values(_account_values(account))
            row = connection.execute(changed.returning(accounts)).first()
            if row is None:
                raise UnknownAccount(account.id)
            return _account(row)

        return self._write(work)

    def remove_account(self, account_id: str) -> None:
        """Forget an account. See `core.ports.Accounts`."""
        if account_id == DEFAULT_ACCOUNT:
            raise NotAllowed("The built-in account can't be deleted.")

        def work(connection: Connection) -> None:
            row = connection.execute(select(accounts).where(accounts.c.id == account_id)).first()
            if row is None:
                raise UnknownAccount(account_id)
            for table in (tokens, instances, profiles, provider_tokens):
                connection.execute(delete(table).where(table.c.account == account_id))
            connection.execute(delete(accounts).where(accounts.c.id == account_id))
            left(connection, row.email)

        self._write(work)

    def tokens(self, account: str) -> tuple[Token, ...]:
        """Return the credentials of an account, as they are stored."""

        def ask(connection: Connection) -> tuple[Token, ...]:
            wanted = select(tokens).where(tokens.c.account == account).order_by(tokens.c.created_at, tokens.c.id)
            return tuple(_token(row) for row in connection.execute(wanted))

        return self._kept.read(("tokens", account), ask)

    def used_tokens(self, account: str) -> tuple[Token, ...]:
        """Return them with when each was used. See `core.ports.Accounts`."""
        used = self._uses.of(account)
        return tuple(replace(token, used_at=used.get(token.id)) for token in self.tokens(account))

    def add_token(
        self,
        account: str,
        scheme: str,
        secret: str,
        *,
        expires_at: datetime | None = None,
        name: str | None = None,
        anew: bool = False,
    ) -> Token:
        """Let another credential in. See `core.ports.Accounts`."""
        if led(secret) is not None:
            raise InvalidRequest("A credential that begins with a name and ~ leads to a namespace: choose another one.")
        now = self._clock.now()
        values = {
            "id": rows.new_id(now),
            "account": account,
            "scheme": scheme,
            "digest": digest(secret),
            "created_at": now,
            "expires_at": expires_at,
            "built_in": False,
            "name": name,
        }

        def work(connection: Connection) -> Token:
            need(connection, account)
            same = select(tokens).where(tokens.c.scheme == scheme, tokens.c.digest == values["digest"])
            if row := connection.execute(same).first():
                if row.account != account:
                    raise NotAllowed("This credential can't be used: choose another one.")
                return _token(row)
            if anew:
                named = (tokens.c.account == account) & (tokens.c.scheme == scheme) & (tokens.c.name == name)
                connection.execute(delete(tokens).where(named, ~tokens.c.built_in))
            return _token(connection.execute(insert(tokens).values(values).returning(tokens)).one())

        return self._write(work)

    def revoke_token(self, token_id: str) -> None:
        """Forget a credential. See `core.ports.Accounts`."""

        def work(connection: Connection) -> None:
            row = connection.execute(select(tokens.c.built_in).where(tokens.c.id == token_id)).first()
            if row is None:
                raise NotFound("There is no credential with that id: list the credentials to see the ids.")
            if row.built_in:
                raise NotAllowed("A built-in credential can't be deleted: start the server with another one instead.")
            connection.execute(delete(tokens).where(tokens.c.id == token_id))

        self._write(work)


def _account_values(account: Account) -> dict[str, Any]:
    names = ("id", "name", "email", "organization", "group_id", "status")
    devices = None if account.devices is None else list(account.devices)
    return {name: getattr(account, name) for name in names} | {"devices": devices}


def _account(row: AnyRow) -> Account:
    values: dict[str, Any] = dict(row._mapping)
    values |= {"status": AccountStatus(row.status), "devices": None if row.devices is None else tuple(row.devices)}
    return Account(**values)


def _token(row: AnyRow) -> Token:
    names = ("id", "account", "scheme", "digest", "created_at", "expires_at", "built_in", "name")
    return Token(**{name: getattr(row, name) for name in names})
