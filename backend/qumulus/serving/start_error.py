"""Why a server can't start. A module of its own, so that who speaks of it needs nothing that a server needs."""

from __future__ import annotations


class StartError(Exception):
    """The server can't start; the text says why and what to do."""
