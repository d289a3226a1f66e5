"""The archive of an image, written as a root."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any, BinaryIO

from .folders import OPEN_FOLDER
from .installing import NotInstalled

# names and links are looked at here, as Pythons of before 3.11.4 can't
CHECKED: Mapping[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
OPEN_FILE = 0o666


def unpack(stream: BinaryIO, root: Path) -> None:
    """Write the files of an archive below ``root``; devices are left out.

    Raises:
        NotInstalled: it leads out of the folder, or is no archive.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if not member.isdev():
                    archive.extract(_kept(member, root), root, **CHECKED)
        while stream.read(1 << 20):  # what pads the archive
            pass
    except tarfile.TarError as error:
        raise NotInstalled(f"The image was built, but can't be unpacked: {error}.") from None


def _kept(member: tarfile.TarInfo, root: Path) -> tarfile.TarInfo:
    """Return a member as it is to be written, by a way on which no link leads out of the root."""
    target = root / member.name.lstrip("/")
    ways = [target.parent, *([root / member.linkname.lstrip("/")] if member.islnk() else [])]
    if target.name == ".." or not all(Path(os.path.realpath(way)).is_relative_to(root.resolve()) for way in ways):
        raise tarfile.ExtractError(f"{member.name} leads out of it")
    if target.is_symlink():
        target.unlink()
    kept = copy(member)
    kept.name = member.name.lstrip("/")
    kept.mode = (member.mode | (OPEN_FOLDER if member.isdir() else OPEN_FILE)) & 0o777
    kept.uid, kept.gid, kept.uname, kept.gname = os.getuid(), os.getgid(), "", ""
    return kept
