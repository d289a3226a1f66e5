"""Who holds claims, by names that say where to look whether they still live."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

SHORT_PERCENT = 10.0  # of the last minute in which something waited for it


def owner_name() -> str:
    """Return a name for a dispatcher, which no other one has, on this machine or elsewhere."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def lives(owner: str) -> bool | None:
    """Say whether the process of a name lives; None where it can't be known from here: it is another machine's."""
    host, _, rest = owner.removeprefix("services:").partition(":")
    number = rest.partition(":")[0]
    if host != socket.gethostname() or not number.isdigit():
        return None
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's: it is there
        return True
    return True


def silence(owner: str, pressure: Path = Path("/proc/pressure")) -> str:
    """Say why a claim whose lease is over was not renewed, as far as it can be known: a sentence."""
    alive = lives(owner)
    if alive is False:
        return "The server that ran it ended."
    short = " and ".join(
        what for what, name in (("memory", "memory"), ("processor time", "cpu")) if _short(pressure / name)
    )
    if alive is None:
        return f"The server that ran it ({owner.removeprefix('services:').rpartition(':')[0]}) ended, or could not be reached for a while."
    lacked = f"it was short of {short}" if short else "it, or its disk, was too busy"
    return f"The server did not come to say that the run goes on: {lacked}. It has not ended."


def _short(file: Path) -> bool:
    """Say whether something on this machine waited for it, in a noticeable part of the last minute."""
    try:
        some = file.read_text().splitlines()[0]
        return float(some.split("avg60=")[1].split()[0]) >= SHORT_PERCENT
    except (OSError, IndexError, ValueError):
        return False
