"""From how a process ended to the outcome of its job."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from qumulus.core.results import Failure, Outcome

from .outputs import Published, members, problem
from .resources import Resources

NAMES = ("title", "code")  # of what went wrong, in the documents of the second and of the first generation
HIDDEN = "A process of the run kept from being seen what it holds, which is counted against the limits."
STOPPED = "The server was stopped while it ran. A program runs once only: start a new execution."


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is known of the end."""

    status: int | None  # as waitpid tells it; None when nobody could see it
    by: str | None  # "request", "server", "time", "memory", "disk" or "hidden"; None when it ended by itself
    seconds: float
    usage: Mapping[str, float] = field(default_factory=dict)  # as `launcher` tells it; nothing where it was killed


def outcome(ended: Ended, published: Published, resources: Resources) -> Outcome:
    """Return what is stored: the files, and for a run that failed the problem document in `output.json`."""
    why = _failure(ended, published, resources)
    metadata = {
        "seconds": round(ended.seconds, 6),
        "usage": dict(ended.usage),
        "limits": {"cores": max(1, resources.cores), "memory_bytes": resources.memory_bytes},
    }
    if why is None:
        return Outcome(
            result=published.files.get("output.json", b""),
            files=published.files,
            metadata=metadata,
            run_seconds=ended.seconds,
        )
    failure, title, detail, extension = why
    own = members(published.files)
    said = next((own[name] for name in NAMES if {name, "detail"} <= own.keys()), None) if title is None else None
    if said is not None:
        title, detail, document = str(said), str(own["detail"]), published.files["output.json"]
        failure = Failure.MEMORY if title.endswith("MemoryError") else failure
    else:
        title = title or "Failed"
        document = problem(title, detail, **extension)
    return Outcome(
        failure=failure,
        reason=f"{title}: {detail}",
        result=document,
        files={**published.files, "output.json": document},
        metadata=metadata,
        run_seconds=ended.seconds,
    )


def failed(failure: Failure, title: str, detail: str, **members: object) -> Outcome:
    """Return the outcome of an execution that did not run to its end."""
    document = problem(title, detail, **members)
    files: Mapping[str, bytes] = {"output.json": document}
    return Outcome(failure=failure, reason=f"{title}: {detail}", result=document, files=files)


def _failure(
    ended: Ended, published: Published, resources: Resources
) -> tuple[Failure, str | None, str, Mapping[str, object]] | None:
    """Kind, title (None: the program may have said it better), detail and further members; None for a success."""
    size = resources.memory_bytes >> 20
    disk = f"The run wrote more than {resources.disk_bytes >> 20} MiB or {resources.disk_entries:,} files."
    known = {
        "time": (Failure.TIME, "Time limit", f"The run took longer than {resources.seconds:g} s.", {}),
        "memory": (Failure.MEMORY, "Memory limit", f"The run used more than {size} MiB of memory.", {}),
        "disk": (Failure.REFUSED, "Disk limit", disk, {}),
        "hidden": (Failure.REFUSED, "Hidden", HIDDEN, {}),
        "server": (Failure.LOST, "Stopped", STOPPED, {}),
        "request": (Failure.PROGRAM, "Cancelled", "The run was ended because somebody asked for it.", {}),
    }
    if ended.by is not None:
        return known[ended.by]
    if published.too_large:
        return Failure.REFUSED, "Output limit", published.too_large, {}
    if ended.status is None:
        return Failure.CRASHED, "Lost", "The process of the run is gone and nobody knows how it ended.", {}
    code = os.waitstatus_to_exitcode(ended.status)
    if code == -signal.SIGXCPU:
        return Failure.TIME, "Time limit", "The run used up its processor time.", {}
    if code < 0:
        name = _name(-code)
        return Failure.PROGRAM, f"Killed by {name}", f"The run was ended by the signal {name}.", {"exit_code": code}
    if code:
        return Failure.PROGRAM, None, f"The program ended with exit status {code}.", {"exit_code": code}
    return None


def _name(number: int) -> str:
    """Return the name of a signal; most of the real-time ones are named by their distance from the first."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN{number - signal.SIGRTMIN:+d}" if sys.platform == "linux" else f"signal {number}"
