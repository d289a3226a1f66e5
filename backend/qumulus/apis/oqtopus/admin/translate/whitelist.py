"""The whitelist as administrators see it."""

from __future__ import annotations

from qumulus.apis.given import given, said
from qumulus.apis.oqtopus.admin.schemas.whitelist import ListWhitelistUserResponse, RegisterWhitelistUserRequest
from qumulus.core.accounts import WhitelistEntry
from qumulus.core.ports import Catalogue

from .users import available, usable


def entry(known: WhitelistEntry, devices: Catalogue) -> ListWhitelistUserResponse:
    """Somebody who is expected."""
    return ListWhitelistUserResponse(
        id=known.number,
        group_id=known.group_id,
        email=known.email,
        display_name=said(known.name),
        organization=said(known.organization),
        is_signup_completed=known.signed_up,
        available_devices=available(known.devices, devices),
    )


def new(body: RegisterWhitelistUserRequest) -> WhitelistEntry:
    """Somebody who is to be expected."""
    return WhitelistEntry(
        email=body.email,
        group_id=body.group_id,
        name=given(body.display_name),
        organization=given(body.organization),
        devices=usable(body.available_devices),
    )
