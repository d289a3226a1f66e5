"""The user pool: one user, who proves a password and a second factor, and gets tokens.

Nothing is kept between the steps of a login: what the server has to know again, the client carries along, signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from qumulus.apis.oqtopus.bearers import ACCESS, IDENTITY, REFRESH, Bearers
from qumulus.core.accounts import DEFAULT_ACCOUNT, Account, AccountStatus
from qumulus.core.errors import AccountClosed
from qumulus.core.ports import Accounts, Clock

from . import srp
from .errors import BadParameter, CodeMismatch, Expired, WrongPassword
from .second_factor import accepted

NAME = "qumulus"  # what stands behind the region in the pool's id
STEP_SECONDS = 180  # for which a step of a login may wait for the next
PROVED = "mfa"  # what a session is for: the password is proved
VERIFYING = "srp"
SCOPE = "aws.cognito.signin.user.admin"  # without it a client does not ask who has a token, and forgets the login with the page


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login ends with."""

    access: str
    identity: str
    refresh: str | None


@dataclass(frozen=True, slots=True)
class Verifying:
    """What a client needs to prove the password."""

    user: str
    salt: str
    public: str
    block: str


class UserPool:
    """The one user of this server."""

    def __init__(self, secret: bytes, password: str, totp: str | None, accounts: Accounts, clock: Clock) -> None:
        """``password`` is the user's, ``totp`` the secret of the second factor in base32; None: any code is good."""
        self._secret = hmac.digest(secret, b"user pool", hashlib.sha256)
        self._password = password
        self._totp = totp
        self._accounts = accounts
        self._clock = clock
        self._bearers = Bearers(secret, clock)

    def challenge(self, user: str, client: str) -> Verifying:
        """Begin a proof of the password; ``client`` is the client's public number in hexadecimal.

        Raises:
            BadParameter: that is no such number.
        """
        number = _number(client)
        block = self._seal({"use": VERIFYING, "user": user, "a": f"{number:x}", "nonce": secrets.token_hex(16)})
        public = srp.public(self._private(block), self._verifier(user))
        return Verifying(user, f"{self._salt(user):x}", f"{public:x}", base64.b64encode(block.encode()).decode())

    def prove(self, block: str, timestamp: str, signature: str) -> str:
        """Check the proof of the password, and return the session that the second factor continues.

        Raises:
            WrongPassword: or no such user, which is not told apart.
            Expired: it took too long.
        """
        try:
            carried = base64.b64decode(block, validate=True).decode()
        except ValueError:
            raise BadParameter("PASSWORD_CLAIM_SECRET_BLOCK is not the SECRET_BLOCK of the challenge.") from None
        told = self._opened(carried, VERIFYING)
        user = told["user"]
        key = srp.key(int(told["a"], 16), self._private(carried), self._verifier(user))
        expected = srp.proof(key, NAME, user, carried.encode(), timestamp)
        if not hmac.compare_digest(expected.encode(), signature.encode()) or not self._is_here(user):
            raise WrongPassword
        return self._seal({"use": PROVED, "user": user})

    def check_password(self, user: str, password: str) -> str:
        """Check a password that was sent, and return the session that the second factor continues.

        Raises:
            WrongPassword
        """
        if not hmac.compare_digest(password.encode(), self._password.encode()) or not self._is_here(user):
            raise WrongPassword
        return self._seal({"use": PROVED, "user": user})

    def confirm(self, session: str, code: str) -> Tokens:
        """Check the second factor, which ends a login.

        Raises:
            CodeMismatch, Expired
        """
        self._opened(session, PROVED)
        if not accepted(code, self._totp, self._clock.wall()):
            raise CodeMismatch
        account = self._account()
        return self._tokens(account, self._bearers.issue(account.id, REFRESH))

    def renew(self, refresh: str) -> Tokens:
        """Return new tokens.

        Raises:
            NotAuthenticated: the token is not one for that, or has expired.
        """
        if self._bearers.account(refresh, REFRESH) is None:
            raise Expired
        return self._tokens(self._account(), None)

    def holder(self, access: str) -> Account:
        """Return whose access token that is.

        Raises:
            NotAuthenticated
        """
        if self._bearers.account(access, ACCESS) is None:
            raise Expired
        return self._account()

    def _account(self) -> Account:
        account = self._accounts.account(DEFAULT_ACCOUNT)
        if account.status is not AccountStatus.APPROVED:
            raise AccountClosed(account.status)
        return account

    def _is_here(self, user: str) -> bool:
        account = self._accounts.account(DEFAULT_ACCOUNT)
        return user in (account.id, account.email)

    def _tokens(self, account: Account, refresh: str | None) -> Tokens:
        name = {"cognito:username": account.id, "email": account.email or account.id, "aud": NAME}
        return Tokens(
            access=self._bearers.issue(account.id, ACCESS, username=account.id, client_id=NAME, scope=SCOPE),
            identity=self._bearers.issue(account.id, IDENTITY, **name),
            refresh=refresh,
        )

    def _salt(self, user: str) -> int:
        return int.from_bytes(self._mac(f"salt {user}")[:16], "big")

    def _private(self, block: str) -> int:
        """Return the server's private number of one login, which nobody else can make of what the client carries."""
        return int.from_bytes(self._mac(f"private {block}"), "big")

    def _verifier(self, user: str) -> int:
        return srp.verifier(NAME, user, self._password, self._salt(user))

    def _mac(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256)

    def _seal(self, told: dict[str, Any]) -> str:
        until = self._clock.wall().timestamp() + STEP_SECONDS
        content = base64.urlsafe_b64encode(json.dumps(told | {"until": until}).encode()).decode()
        return f"{content}.{self._mac(content).hex()}"

    def _opened(self, sealed: str, use: str) -> dict[str, Any]:
        """Return what was sealed for that use.

        Raises:
            Expired: it is not from here, or too old.
        """
        content, _, mac = sealed.partition(".")
        if not hmac.compare_digest(self._mac(content).hex().encode(), mac.encode()):
            raise Expired
        told = json.loads(base64.urlsafe_b64decode(content))
        if told["use"] != use or told["until"] <= self._clock.wall().timestamp():
            raise Expired
        return told


def _number(text: str) -> int:
    """Return the client's public number.

    Raises:
        BadParameter: it is none, or one with which a password would be proved without knowing it.
    """
    try:
        number = int(text, 16) % srp.N
    except ValueError:
        number = 0
    if number == 0:
        raise BadParameter("SRP_A must be a number in hexadecimal that is not a multiple of N.")
    return number
