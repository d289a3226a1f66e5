"""What people say of themselves, in the core's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qumulus.apis.given import given
from qumulus.apis.planqk.user.schemas import user as wire
from qumulus.core.accounts import Picture, Profile
from qumulus.core.errors import InvalidRequest, TooLarge

MOST_BYTES = 1 << 20
BEGINNINGS: Mapping[bytes, str] = {  # how the files begin that are taken; none of them can have a program in it
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def changed(profile: Profile, body: wire.ProfileUpdate) -> Profile:
    """A profile with what a request says; what it leaves out stays."""
    return replace(
        profile,
        position=given(body.current_position, profile.position),
        homepage=given(body.homepage, profile.homepage),
        about=given(body.about, profile.about),
    )


def picture(content: bytes) -> Picture:
    """An image that was uploaded.

    Raises:
        TooLarge
        InvalidRequest: it is of no kind that is taken.
    """
    if len(content) > MOST_BYTES:
        raise TooLarge(f"The image has {len(content):,} bytes: send one of {MOST_BYTES:,} at most.")
    for beginning, media_type in BEGINNINGS.items():
        if content.startswith(beginning):
            return Picture(content=bytes(content), media_type=media_type)
    raise InvalidRequest("The file is no image that is taken here: send a PNG, a JPEG or a GIF.")
