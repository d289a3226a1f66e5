"""What people say of themselves, and their images."""

from __future__ import annotations

from qumulus.apis.dependencies import Accounts
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.openapi.contract import Operations, Reply

from .people import person
from .schemas import user as wire
from .translate import people as translate
from .translate import profiles

NONE = 204
CACHED = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}

operation = Operations()


@operation("updateCurrentUser")
def update_current_user(body: wire.ProfileUpdate, caller: PersonalCaller, accounts: Accounts) -> wire.User:
    changed = profiles.changed(accounts.profile(caller.account), body)
    accounts.describe(caller.account, changed)
    return translate.user(accounts.account(caller.account), changed)


@operation("deleteCurrentUser")
def delete_current_user(caller: PersonalCaller, accounts: Accounts) -> None:
    accounts.remove_account(caller.account)


@operation("updateCurrentUserProfileImage")
def update_current_user_profile_image(body: wire.Upload, caller: PersonalCaller, accounts: Accounts) -> None:
    accounts.depict(caller.account, profiles.picture(body.file))


@operation("deleteCurrentUserProfileImage")
def delete_current_user_profile_image(caller: PersonalCaller, accounts: Accounts) -> None:
    accounts.depict(caller.account, None)


@operation("getUserProfileImage")
def get_user_profile_image(id: wire.Id, _caller: PersonalCaller, accounts: Accounts) -> Reply[bytes] | Reply[None]:
    picture = accounts.picture(person(id, accounts).id)
    if picture is None:
        return Reply(None, NONE)
    return Reply(picture.content, media_type=picture.media_type, headers=CACHED)
