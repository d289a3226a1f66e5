"""Text of others in a line of ours."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text that can't break a line of a log or a table."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
