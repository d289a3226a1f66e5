"""What an answer says that is not the JSON which was asked for. Standard library only."""

from __future__ import annotations

import json

MOST_CHARACTERS = 200  # of a text that is shown


def refusal(url: str, status: int, media_type: str, body: bytes) -> str:
    """Return what an answer says that is no success, or that it does not come from a cloud of ours, as a sentence.

    A server of ours says in plain text what it says before it reads a request; proxies and other servers say pages of HTML, or nothing.
    """
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        text = " ".join(body.decode(errors="replace").split())[:MOST_CHARACTERS]
    if text and media_type.startswith("text/plain"):
        return f"The server at {url} answers {status}: {text}"
    return f"What answers at {url} is no Qumulus (it says {status}): name the address of the cloud."


def no_json(url: str) -> str:
    """Return the sentence for a success that is not JSON."""
    return f"What answers at {url} is no Qumulus: name the address of the cloud."
