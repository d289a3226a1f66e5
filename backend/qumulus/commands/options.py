"""Options that several commands take, and how every command fails: with one sentence."""

from __future__ import annotations

import os
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from qumulus.serving.server import read_settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def default_url() -> str:
    """Return the URL at which the cloud answers if nobody said otherwise."""
    return os.environ.get("QUMULUS_URL") or f"http://127.0.0.1:{read_settings([]).port}"


def address(given: str | None) -> str | None:
    """Return an address as it was given, without the slash at its end; wrong ones end the command."""
    if given is None:
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter(f"{given!r} is no address of a server: say it as http://127.0.0.1:8080.")
    return given.rstrip("/")


Url = Annotated[
    str,
    typer.Option(
        "--url",
        envvar="QUMULUS_URL",
        default_factory=default_url,
        callback=address,
        help="Where the cloud answers.",
        show_default="http://127.0.0.1:8080",
    ),
]


def fail(sentence: str, status: int = 1) -> NoReturn:
    """End with a sentence for a person on the standard error."""
    typer.echo(sentence, err=True)
    raise typer.Exit(status)
