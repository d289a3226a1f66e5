"""The port to what listens for connections: a fault may have it stop for a while."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from qumulus.core.errors import InvalidRequest


def told_in(url: str) -> str:
    """Return the name of the file in the folder of the state that says where the administrator of the server at ``url`` is heard
    while it refuses connections: servers at other ports may have the same folder."""
    return f"control-{urlsplit(url).port}.json"


class Listening(Protocol):
    """How a server listens."""

    def check(self) -> None:
        """See that it can stop listening, and listen again.

        Raises:
            InvalidRequest
        """
        ...

    def settle(self) -> None:
        """Wait until it listens, or doesn't, as the faults say now."""
        ...

    def control(self) -> str | None:
        """Return where the administrator's API answers while connections are refused; None while there is no such fault."""
        ...


class Fixed:
    """`Listening` of what always listens."""

    def __init__(self, reason: str) -> None:
        """``reason`` is why that is so, as a sentence."""
        self._reason = reason

    def check(self) -> None:
        """Refuse. See `Listening.check`."""
        raise InvalidRequest(self._reason)

    def settle(self) -> None:
        """Wait for nothing."""

    def control(self) -> str | None:
        """There is none."""
        return None
