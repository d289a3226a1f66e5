"""The private folders of one execution, and where its program sees them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .sandbox import Sandbox

RUNTIME = "/var/runtime"  # the platform's own place
OLD_INPUT = "/var/input"  # the first generation's
CHANGED, WORK = "upper", "work"  # as `child.inside.root` calls them
TEMPORARY = "/tmp"  # noqa: S108  a folder of this execution alone, seen at that place
OPEN_FOLDER = 0o777  # a program changes a copy of its own, as it could as the user of its image


class _Pool(Protocol):
    @property
    def folder(self) -> Path: ...
    @property
    def writable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a program sees its folders, by bind mounts or under their real paths."""

    show: Mapping[str, str]
    write: Mapping[str, str]
    variables: Mapping[str, str]


class Folders:
    """`place/` holds what the program gets and writes: input, output, datapool and tmp."""

    def __init__(self, place: Path, user: int | None, *, layered: bool = False) -> None:
        """``layered``: the program is a container's, which may change its image for itself."""
        self.place = place
        self.stage = place / "root"
        self.input = place / "input"
        self.output = place / "output"
        self.pools = place / "datapool"
        self.changes = place / "changes" if layered else None  # what a container changes of its image
        self.temporary = place / "tmp"
        self._user = user

    @property
    def written(self) -> tuple[Path, ...]:
        """Return the folders that count against the limit of the disk."""
        changed = () if self.changes is None else (self.changes / CHANGED,)
        return self.input, self.output, self.temporary, *changed

    def make(self, copied: Mapping[str, _Pool]) -> None:
        """Make them anew; ``copied`` are the pools of a program that has no root of its own to see them in."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True, mode=0o711)
        self.stage.mkdir()
        if self.changes is not None:
            (self.changes / CHANGED).mkdir(parents=True)
            (self.changes / WORK).mkdir()
        for folder in (*self.written, self.pools):
            folder.mkdir(mode=0o700, exist_ok=True)
            if self._user is not None:
                os.chown(folder, self._user, self._user)
        for parameter, pool in copied.items():
            shutil.copytree(pool.folder, self.pools / parameter)
            for path in (self.pools / parameter, *(self.pools / parameter).rglob("*")):
                if self._user is not None:
                    os.chown(path, self._user, self._user, follow_symlinks=False)

    def seen(self, sandbox: Sandbox, pools: Mapping[str, _Pool]) -> Seen:
        """Return where the program finds its folders."""
        if not sandbox.private_root:
            own = {str(folder): str(folder) for folder in (*self.written, self.pools)}
            return Seen({}, own, self._variables(self.input, self.output, self.pools, self.temporary))
        runtime = Path(RUNTIME)
        write = {
            f"{RUNTIME}/input": str(self.input),
            f"{RUNTIME}/output": str(self.output),
            OLD_INPUT: str(self.input),
            TEMPORARY: str(self.temporary),
            f"{RUNTIME}/datapool": str(self.pools),
        }
        show = {}
        for parameter, pool in pools.items():
            (self.pools / parameter).mkdir(exist_ok=True)
            (write if pool.writable else show)[f"{RUNTIME}/datapool/{parameter}"] = str(pool.folder)
        variables = self._variables(runtime / "input", runtime / "output", runtime / "datapool", Path(TEMPORARY))
        return Seen(show, write, variables)

    @staticmethod
    def _variables(given: Path, output: Path, pools: Path, temporary: Path) -> Mapping[str, str]:
        return {
            "INPUT_DIRECTORY": str(given),
            "OUTPUT_DIRECTORY": str(output),
            "DATAPOOL_DIRECTORY": str(pools),
            "TMPDIR": str(temporary),
            "HOME": str(temporary),
        }

    def open_up(self, pools: Mapping[str, _Pool]) -> None:
        """Let this run's user change what those of other runs have written into pools."""
        for pool in pools.values() if self._user is not None else ():
            for path in pool.folder.iterdir() if pool.writable else ():
                with contextlib.suppress(OSError):  # a link, or gone meanwhile
                    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                    try:
                        os.fchmod(opened, 0o777 if path.is_dir() else 0o666)
                    finally:
                        os.close(opened)

    def give_back(self, copied: Mapping[str, _Pool]) -> None:
        """Take what a program has done to its copies of the pools that it may write over into these."""
        for parameter, pool in copied.items():
            if not pool.writable:
                continue
            left = {path.name: path for path in (self.pools / parameter).iterdir() if _is_file(path)}
            for path in pool.folder.iterdir():
                if path.name not in left and _is_file(path):
                    path.unlink()
            for name, path in left.items():
                shutil.copyfile(path, pool.folder / name, follow_symlinks=False)

    def clear(self) -> None:
        """Remove the folders, whatever the program has done to them."""
        remove(self.place)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def remove(folder: Path) -> None:
    """Remove a folder that somebody else has filled: of any depth, with any rights.

    Raises:
        OSError: something is left.
    """
    if not folder.exists():
        return
    for command in (
        ["rm", "-rf"],
        ["chmod", "-R", "u+rwX"],
        ["rm", "-rf"],
    ):  # rm knows no limit of depth; Python's does
        if subprocess.run([*command, folder], check=False, capture_output=True).returncode == 0 and not folder.exists():  # noqa: S603
            return
    if folder.exists():
        raise OSError(f"{folder} can't be removed.")
