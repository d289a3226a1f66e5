"""What a run leaves behind, taken over when it has ended."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .resources import Resources

MOST_OF_PROBLEM = 1 << 20  # bytes of a document that says why a run failed
NOT_LISTED = {"self", "status"}  # names that the links of a result have for themselves


@dataclass(slots=True)
class Published:
    """The files by name, and a sentence for each that was not taken over."""

    files: dict[str, bytes] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    too_large: str | None = None  # over a limit as a whole: nothing is published


def publish(folder: Path, resources: Resources) -> Published:
    """Read the regular files at the top level of ``folder``; links, folders and devices are left out."""
    published = Published()
    left = resources.output_bytes
    try:
        names = sorted(os.listdir(folder))
    except PermissionError:
        return Published(complaints=["The output was left out: the run has locked its folder."])
    for name in names:
        if complaint := _unfit(folder, name):
            published.complaints.append(complaint)
            continue
        if len(published.files) == resources.output_files:
            return Published(too_large=f"The run wrote more than {resources.output_files:,} files.")
        try:
            content = _read(folder, name, left)
        except PermissionError:
            published.complaints.append(f"The output {name} was left out: the run has locked it.")
            continue
        left -= len(content)
        if left < 0:
            return Published(too_large=f"The run wrote more than {resources.output_bytes >> 20} MiB of output.")
        published.files[name] = content
        if name in NOT_LISTED:
            published.complaints.append(
                f"The file {name} is not listed in the result, whose link {name} leads elsewhere: download it by name."
            )
    return published


def _unfit(folder: Path, name: str) -> str | None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return f"The output {os.fsencode(name)!r} was left out: its name is not UTF-8."
    try:
        mode = (folder / name).lstat().st_mode
    except PermissionError:
        return f"The output {name} was left out: the run has locked its folder."
    if stat.S_ISREG(mode):
        return None
    kind = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "no regular file"
    return f"The output {name} was left out: it is {kind}."


def _read(folder: Path, name: str, most: int) -> bytes:
    """At most one byte more than ``most``; a link that took the file's place meanwhile is not followed."""
    opened = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as file:
        return file.read(most + 1)


def members(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the members of the result: those of `output.json`, where it is a JSON object of no more than a problem document has."""
    content = files.get("output.json", b"")
    try:
        value = json.loads(content) if len(content) <= MOST_OF_PROBLEM else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def problem(title: str, detail: str, **members: object) -> bytes:
    """Return the problem document (RFC 7807) of a run that could not write its own."""
    return json.dumps(
        {"type": "about:blank", "status": 500, "title": title, "detail": detail, **members}, indent=2
    ).encode()
