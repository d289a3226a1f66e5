"""Completions of a shell from the running cloud, which is asked quickly, and whose failures nobody hears of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import httpx2
import typer

from qumulus.serving.server import read_settings

from .options import default_url

SECONDS = 1.0

Named = tuple[str, str]  # what is completed, and what a shell that can do so shows beside it


def completing(path: str, choose: Callable[[Any], Iterable[Named]]) -> Callable[[typer.Context, str], list[Named]]:
    """Return a function that completes by what ``choose`` finds in the JSON that the cloud gives at ``path``."""

    def complete(context: typer.Context, incomplete: str) -> list[Named]:
        token = read_settings([]).admin_token.get_secret_value()
        try:
            answer = httpx2.get(
                (context.params.get("url") or default_url()) + path,
                headers={"Authorization": f"Bearer {token}"},
                timeout=SECONDS,
                trust_env=False,
            )
            found = list(choose(answer.raise_for_status().json()))
        except (httpx2.HTTPError, ValueError, KeyError, TypeError):
            return []  # no cloud, or another one: a shell that completes shows no errors
        return [(name, text) for name, text in found if name.startswith(incomplete)]

    return complete
