"""Who sends a request, and how long the answer to one that polls is held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts, Devices, DeviceSettingsStore, Jobs
from qumulus.apis.jobs import hold
from qumulus.apis.oqtopus import device_files
from qumulus.apis.oqtopus.bearers import IDENTITY, Bearers
from qumulus.apis.oqtopus.names import name_of
from qumulus.apis.oqtopus.presigning import Presigning, downloads, storage_address
from qumulus.apis.oqtopus.programs import SCHEME, sender
from qumulus.core import accounts as core
from qumulus.core.devices import Device
from qumulus.core.errors import AccountClosed, NotAuthenticated
from qumulus.core.ports import Accounts as AccountsPort

HEADER = "q-api-token"

READ_TEXT = ("oqtopus-client/1.0.", "oqtopus-client/1.1.")
"""How the clients name themselves that take what a device tells of its qubits for JSON text, and can't download it.

Who logged in is such a client too: the web frontend.
"""


def _caller(request: Request, accounts: Accounts) -> core.Caller:
    """The owner of the token, in the header of OQTOPUS' clients, or as the bearer token of a login.

    Raises:
        NotAuthenticated: there is none, or it is unknown or has expired.
        AccountClosed: the owner is not approved.
    """
    token = request.headers.get(HEADER, "")
    if not token and (bearer := _bearer(request)):
        return _logged_in(bearer, request.app.state.bearers, accounts) or accounts.authenticate(SCHEME, bearer)
    if not token:
        raise NotAuthenticated(f"Send your token in the header {HEADER}, as ID.SECRET.")
    return accounts.authenticate(SCHEME, token)


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _logged_in(token: str, bearers: Bearers, accounts: AccountsPort) -> core.Caller | None:
    """Who logged in; None where the token is not from a login."""
    account_id = bearers.account(token, IDENTITY)
    if account_id is None:
        return None
    account = accounts.account(account_id)
    if account.status is not core.AccountStatus.APPROVED:
        raise AccountClosed(account.status)
    return core.Caller(account=account.id)


def _caller_or_default(request: Request, accounts: Accounts) -> core.Caller:
    """The owner of the token, or the default account where a token is not needed and none came.

    Raises:
        NotAuthenticated: the token is unknown or has expired, or others can reach this server and there is none.
    """
    if HEADER in request.headers or _bearer(request) or request.app.state.token_needed:
        return _caller(request, accounts)
    return core.Caller(account=core.DEFAULT_ACCOUNT)


Caller = Annotated[core.Caller, Depends(_caller)]
CallerOrDefault = Annotated[core.Caller, Depends(_caller_or_default)]


def _sender(request: Request) -> str | None:
    """The job whose program sends this; None where a person does."""
    return sender(request.headers.get(HEADER, ""))


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """Where files are uploaded, and who signs that they may be."""

    url: str
    presigning: Presigning


def _uploads(request: Request) -> UploadPlace:
    return UploadPlace(storage_address(request), request.app.state.presigning)


def _downloads(request: Request, jobs: Jobs) -> Callable[[str], str]:
    return downloads(request, jobs)


def _reads_text(request: Request) -> bool:
    """Tell whether the client can't download what a device tells of its qubits."""
    if request.headers.get("user-agent", "").startswith(READ_TEXT):
        return True
    return HEADER not in request.headers and request.app.state.bearers.account(_bearer(request), IDENTITY) is not None


def _information(request: Request, devices: Devices, device_settings: DeviceSettingsStore) -> Callable[[Device], str]:
    """Gives what a device tells of its qubits: where a zip file is, or JSON text if the server is set so or the client needs it."""
    presigning: Presigning = request.app.state.presigning
    base = storage_address(request)

    def address(device: Device) -> str:
        return presigning.download(base, f"devices/{name_of(device)}/{device_files.NAME}")

    if not (request.app.state.inline or _reads_text(request)):
        return address
    return lambda device: device_files.inline(device, devices, device_settings) or address(device)


Sender = Annotated[str | None, Depends(_sender)]
Information = Annotated[Callable[[Device], str], Depends(_information)]
Held = Annotated[bool, Depends(hold("jobId", _caller))]
TaskHeld = Annotated[bool, Depends(hold("taskId", _caller_or_default))]
Uploads = Annotated[UploadPlace, Depends(_uploads)]
Downloads = Annotated[Callable[[str], str], Depends(_downloads)]
