"""Accounts as OQTOPUS' administrators see them: users."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qumulus.apis.given import given, said
from qumulus.apis.oqtopus.admin.schemas.user import (
    AllDevices,
    AvailableDevices,
    GetOneUserResponse,
    UpdateUserRequest,
    UserStatus,
)
from qumulus.apis.oqtopus.names import name_of
from qumulus.core.accounts import Account, AccountStatus
from qumulus.core.errors import UnknownDevice
from qumulus.core.ports import Catalogue

ALL: AllDevices = "*"
NAMES = {"email": "email", "display_name": "name", "organization": "organization", "group_id": "group_id"}
"""The members that are texts, and what they are called in the core."""


def user(account: Account, devices: Catalogue) -> GetOneUserResponse:
    """An account."""
    return GetOneUserResponse(
        id=account.id,
        status=UserStatus(account.status.value),
        available_devices=available(account.devices, devices),
        **{wire: said(getattr(account, core)) for wire, core in NAMES.items()},
    )


def changed(account: Account, body: UpdateUserRequest) -> Account:
    """``account`` with what the request names."""
    told: dict[str, Any] = {core: value for wire, core in NAMES.items() if (value := given(getattr(body, wire)))}
    if (status := given(body.status)) is not None:
        told["status"] = AccountStatus(status.value)
    if (named := given(body.available_devices)) is not None:
        told["devices"] = usable(named)
    return replace(account, **told)


def available(names: tuple[str, ...] | None, devices: Catalogue) -> AvailableDevices:
    """The devices that may be used, as OQTOPUS calls them; those that are gone as they were called."""
    return ALL if names is None else [_shown(name, devices) for name in names]


def usable(named: AvailableDevices) -> tuple[str, ...] | None:
    """The same in the core's names; None for all."""
    return None if named == ALL else tuple(dict.fromkeys(name.lower() for name in named))


def _shown(name: str, devices: Catalogue) -> str:
    try:
        return name_of(devices.device(name))
    except UnknownDevice:
        return name
