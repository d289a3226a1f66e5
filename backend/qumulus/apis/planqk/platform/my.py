"""What a person has on the platform: the tokens of providers, and invitations."""

from __future__ import annotations

from qumulus.apis.dependencies import Accounts
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.core.errors import NotFound
from qumulus.openapi.contract import Operations

from .schemas import my as wire
from .translate import my as translate

NO_INVITATION = "There is no invitation with that id: organizations invite people, and there are none here."
NO_TOKEN = "There is no token of {}: set one first."  # noqa: S105

operation = Operations()


@operation("getMyInvitations")
def get_my_invitations(_caller: PersonalCaller) -> list[wire.Invitation]:
    return []


@operation("acceptInvitation")
def accept_invitation(invitation_id: wire.InvitationId, _caller: PersonalCaller) -> None:
    raise NotFound(NO_INVITATION)


@operation("declineInvitation")
def decline_invitation(invitation_id: wire.InvitationId, _caller: PersonalCaller) -> None:
    raise NotFound(NO_INVITATION)


@operation("getUserProviderTokenAvailability")
def get_user_provider_token_availability(caller: PersonalCaller, accounts: Accounts) -> wire.Availability:
    known = accounts.provider_tokens(caller.account)
    return translate.availability(known)


@operation("getUserProviderToken")
def get_user_provider_token(type: wire.Provider, caller: PersonalCaller, accounts: Accounts) -> wire.ProviderToken:
    found = accounts.provider_token(caller.account, type.value)
    if found is None:
        raise NotFound(NO_TOKEN.format(type.value))
    return translate.told(type, found)


@operation("updateUserProviderToken")
def update_user_provider_token(
    type: wire.Provider, body: wire.ProviderTokenRequest, caller: PersonalCaller, accounts: Accounts
) -> None:
    accounts.keep_provider_token(caller.account, type.value, translate.sent(type, body))


@operation("deleteUserProviderToken")
def delete_user_provider_token(type: wire.Provider, caller: PersonalCaller, accounts: Accounts) -> None:
    if not accounts.forget_provider_token(caller.account, type.value):
        raise NotFound(NO_TOKEN.format(type.value))
