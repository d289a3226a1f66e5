"""What a function printed: for whom each line is says its first word."""

from __future__ import annotations

import re
from collections.abc import Iterable

PUBLIC = re.compile(r"\[PUBLIC\] ?", re.IGNORECASE)
MARKED = re.compile(r"\[(PUBLIC|PRIVATE)\] ?", re.IGNORECASE)


def for_user(lines: Iterable[str], provided: bool) -> str:
    """What is for whoever runs a function: all of their own function, of a provider's what is marked as public."""
    return _text(line for line in lines if not provided or PUBLIC.match(line))


def for_provider(lines: Iterable[str]) -> str:
    """What is for the provider of a function: all but what is marked as public."""
    return _text(line for line in lines if not PUBLIC.match(line))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{MARKED.sub('', line, count=1) if MARKED.match(line) else line}\n" for line in lines)
