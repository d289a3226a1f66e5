"""Why runs end, as people read it."""

from __future__ import annotations

from datetime import datetime

from qumulus.core.ports import Claim
from qumulus.core.programs import Limits

STOPPED = "The server stopped while it ran."
FORK_SERVER = "The fork server of the workers ended while it ran."
OURS = "Running it failed because of an error of ours: the server's log has the details."


def stands(now: datetime, until: datetime) -> str:
    """Return what the log of a job says that goes on by a clock which stands."""
    return (
        f"It waits: the clock of the cloud stands at {now:%Y-%m-%d %H:%M:%S} UTC, and the device needs until {until:%Y-%m-%d %H:%M:%S}: "
        "advance it, for example with `qumulus emulator clock advance --job ID --until ended`."
    )


def waits(needed: int) -> str:
    """Return what the log says of a run that has to wait for memory."""
    return f"It needs {needed / (1 << 20):,.0f} MiB of memory, and waits until other runs have given back as much."


def too_long(limits: Limits) -> str:
    """Why a run was ended."""
    return f"It ran for longer than {limits.seconds:g} seconds, which is what it may: make it smaller, or allow it more time."


def died(told: str, claim: Claim) -> str:
    """Why a job failed whose worker died in each of its attempts."""
    if claim.attempts == 1:
        return f"The process that ran it {told}."
    return f"The process that ran it died in each of its {claim.attempts} attempts; the last one {told}."
