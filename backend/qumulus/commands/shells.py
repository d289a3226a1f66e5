"""Setting a variable in the words of each shell, quoted so that the shell reads back exactly the value."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Shell(StrEnum):
    """The forms that `qumulus env` writes."""

    BASH = "bash"  # and every other POSIX shell
    FISH = "fish"
    POWERSHELL = "powershell"
    DOTENV = "dotenv"  # a .env file
    GITHUB = "github"  # what is appended to $GITHUB_ENV


def setting(shell: Shell, name: str, value: str) -> str:
    """One line that sets ``name`` to ``value``.

    Raises:
        ValueError: the value holds a control character; no line can carry it in every shell.
    """
    if not value.isprintable():
        raise ValueError(f"{name} holds a control character and can't be written for a shell.")
    return LINES[shell](name, value)


def comment(shell: Shell, text: str) -> str | None:
    """Return a line that the shell passes over; None where the form has none."""
    return None if shell is Shell.GITHUB else f"# {text}"


def _fish(value: str) -> str:
    # Between fish's single quotes, only the backslash and the quote itself are special.
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _powershell(value: str) -> str:
    # PowerShell takes typographic quotes for quotes too; each is doubled.
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", value) + "'"


def _dotenv(value: str) -> str:
    # Plain where every reader agrees (docker's knows no quotes at all), else as python-dotenv and shells read it.
    if re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII):
        return value
    if "'" not in value and "\\" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'


LINES: Mapping[Shell, Callable[[str, str], str]] = MappingProxyType(
    {
        Shell.BASH: lambda name, value: f"export {name}={shlex.quote(value)}",
        Shell.FISH: lambda name, value: f"set -gx {name} {_fish(value)}",
        Shell.POWERSHELL: lambda name, value: f"$env:{name} = {_powershell(value)}",
        Shell.DOTENV: lambda name, value: f"{name}={_dotenv(value)}",
        Shell.GITHUB: lambda name, value: f"{name}={value}",
    }
)
