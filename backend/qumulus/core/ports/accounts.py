"""The ports for accounts and for sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from qumulus.core.accounts import Account, Caller, Instance, Picture, Profile, Token, WhitelistEntry
from qumulus.core.sessions import NewSession, Session, SessionPage


class Accounts(Protocol):
    """Accounts, their instances and their credentials."""

    def authenticate(self, scheme: str, secret: str) -> Caller:
        """Return who sends a credential; under `--auth open` any non-empty one belongs to the default account.

        Raises:
            NotAuthenticated: it is unknown, revoked or expired. The text does not repeat it.
            AccountClosed: it is that of an account that is not approved.
        """
        ...

    def accounts(self) -> tuple[Account, ...]: ...

    def account(self, account_id: str) -> Account:
        """Return an account.

        Raises:
            UnknownAccount
        """
        ...

    def add_account(self, account: Account) -> None:
        """Make an account. Where its address is on the whitelist, the entry says what the account is like.

        Raises:
            WrongState: there is one with that id.
        """
        ...

    def change_account(self, account: Account) -> Account:
        """Store what else an account is like now; its id stays.

        Raises:
            UnknownAccount
            InvalidRequest: another account has the address.
            NotAllowed: the account is built in, and would be locked out.
        """
        ...

    def profile(self, account_id: str) -> Profile:
        """Return what somebody says of themselves, who may have said nothing."""
        ...

    def describe(self, account_id: str, profile: Profile) -> None:
        """Store what somebody says of themselves.

        Raises:
            UnknownAccount
        """
        ...

    def picture(self, account_id: str) -> Picture | None:
        """Return the image of somebody, who may have none."""
        ...

    def depict(self, account_id: str, picture: Picture | None) -> None:
        """Store the image of somebody, or none any more.

        Raises:
            UnknownAccount
        """
        ...

    def provider_tokens(self, account_id: str) -> Collection[str]:
        """Return the providers of quantum computers whose tokens somebody has left here."""
        ...

    def provider_token(self, account_id: str, provider: str) -> Mapping[str, str] | None:
        """Return the members of the token of a provider; None where there is none."""
        ...

    def keep_provider_token(self, account_id: str, provider: str, token: Mapping[str, str]) -> None:
        """Keep the token of a provider, in place of the one before; sealed, as nobody else is to read it.

        Raises:
            UnknownAccount
        """
        ...

    def forget_provider_token(self, account_id: str, provider: str) -> bool:
        """Forget the token of a provider; say whether there was one."""
        ...

    def remove_account(self, account_id: str) -> None:
        """Forget an account with its credentials, instances and profile; its jobs stay, and nobody owns them.

        Raises:
            UnknownAccount
            NotAllowed: it is built in.
        """
        ...

    def whitelist(self) -> Sequence[WhitelistEntry]:
        """Return who is expected, in the order in which they were entered."""
        ...

    def expect(self, entries: Sequence[WhitelistEntry]) -> None:
        """Enter people in the whitelist, all or none of them.

        Raises:
            InvalidRequest: an address is on the list already, or twice among these.
        """
        ...

    def expect_no_more(self, emails: Collection[str]) -> None:
        """Take people off the whitelist; those that are not on it are passed over, and accounts stay."""
        ...

    def instances(self, account: str) -> tuple[Instance, ...]: ...

    def add_instance(self, instance: Instance) -> None:
        """Make an instance.

        Raises:
            NotFound: there is no such account.
            WrongState: there is one with that name or CRN.
        """
        ...

    def remove_instance(self, name: str) -> None:
        """Remove an instance; the jobs in that instance stay.

        Raises:
            NotFound
            NotAllowed: it is built in.
        """
        ...

    def instance(self, name_or_crn: str) -> Instance | None: ...

    def set_limit(self, crn: str, seconds: float | None) -> None:
        """Set how many seconds of devices an account lets its instance use; None takes the account's limit away.

        Raises:
            NotAllowed: the administrator has granted less.
        """
        ...

    def grant(self, name: str, seconds: float | None) -> Instance:
        """Set how many seconds of devices an instance may use at most, as the administrator wants it; None: as many as its plan allows.

        Raises:
            NotFound
        """
        ...

    def tokens(self, account: str) -> tuple[Token, ...]: ...

    def used_tokens(self, account: str) -> tuple[Token, ...]:
        """Return the same with when each was last used, as far as this process knows: of others it hears after a minute."""
        ...

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
        """Let another credential in. The same one again stays the same.

        ``anew``: in place of those that the account has by that name, in one step, so that never two are left of it.

        Raises:
            NotFound: there is no such account.
            NotAllowed: it is another account's.
            InvalidRequest: it would lead to a namespace.
        """
        ...

    def revoke_token(self, token_id: str) -> None:
        """Forget a credential.

        Raises:
            NotAllowed: it is built in.
        """
        ...


class Sessions(Protocol):
    """Sessions and batches. A session takes jobs until it is closed, is idle for too long or has lived too long."""

    def open(self, new: NewSession) -> Session: ...

    def page(self, *, limit: int, offset: int) -> SessionPage:
        """Return sessions of all accounts, newest first, and how many there are."""
        ...

    def get(self, session_id: str, caller: Caller) -> Session:
        """Return a session of the caller.

        Raises:
            UnknownSession: also for a session of somebody else.
        """
        ...

    def tags(self, session_id: str) -> tuple[str, ...]:
        """Return all tags that the jobs of a session have, sorted."""
        ...

    def beginning(self, instance: str, account: str) -> Sequence[Session]:
        """Return the account's sessions in instances whose names begin so, the oldest first."""
        ...

    def close(self, session_id: str, caller: Caller) -> Session:
        """Take no more jobs; those that wait or run still end. Closing a closed one changes nothing.

        Raises:
            UnknownSession
        """
        ...

    def set_accepting(self, session_id: str, caller: Caller, *, accepting: bool) -> Session:
        """Close the session, or leave it as it is where it shall go on taking jobs.

        Raises:
            UnknownSession
            WrongState: it is closed, and shall take jobs.
        """
        ...

    def cancel(self, session_id: str, caller: Caller) -> Session:
        """Take no more jobs and cancel those that are not final.

        Raises:
            UnknownSession
        """
        ...
