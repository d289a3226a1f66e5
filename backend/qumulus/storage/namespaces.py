"""Namespaces in a state folder: a folder each, found by a link that changes at once; and snapshots beside them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from qumulus.core.errors import InvalidRequest, NotFound, WrongState
from qumulus.core.ports.namespaces import NAME, OWN, Snapshot

from .database.sqlite import FILE
from .errors import StateUnusable

FOLDER, KEPT = "namespaces", "snapshots"
MOST = 32  # each has processes of its own
ENDING = ".tar"


class NamespaceFolders:
    """`core.ports.namespaces.Namespaces` in the folder of a server.

    ``namespaces/NAME`` is a link to the folder of a state: who finds another one behind it than before opens that.
    """

    def __init__(self, home: Path, refused: str | None = None, on_gone: Callable[[str], None] = lambda _: None) -> None:
        """``refused`` says why there can be none, if that is so; ``on_gone`` closes what this process has open of one."""
        self._home = home
        self._refused = refused
        self.on_gone = on_gone

    def folder(self, name: str) -> Path | None:
        """Return where the state of a namespace is; None where there is none of that name, whoever it comes from."""
        if not NAME.fullmatch(name):
            return None
        link = self._home / FOLDER / name
        try:
            return link.parent / link.readlink()
        except OSError:
            return None

    def names(self) -> Sequence[str]:
        """Return all but the server's own. See `Namespaces.names`."""
        return sorted(each.name for each in (self._home / FOLDER).glob("*") if each.is_symlink())

    def make(self, name: str, *, fork: str | None = None, snapshot: str | None = None, replace: bool = False) -> None:
        """Make one. See `Namespaces.make`."""
        self._allow()
        if name == OWN:
            raise InvalidRequest(f"{OWN} is the state that the server begins with: choose another name.")
        if fork is not None and snapshot is not None:
            raise InvalidRequest("A namespace begins with a fork or with a snapshot: name one of the two.")
        before = self.folder(name)
        if before is not None and not replace:
            raise WrongState(f"There is a namespace {name} already: remove it, or let it be replaced.")
        if before is None and len(self.names()) >= MOST:
            raise WrongState(f"There may be {MOST} namespaces: remove one first.")
        above = self._home / FOLDER
        above.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=above))
        try:
            self._fill(folder, fork, snapshot)
            link = above / f".link{folder.name}"
            link.symlink_to(folder.name)
            link.rename(above / name)
        except BaseException:  # an interrupted one leaves no folder behind either
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._end(name, before)

    def _fill(self, folder: Path, fork: str | None, snapshot: str | None) -> None:
        if snapshot is not None:
            _restored(self._kept(snapshot), folder)
        elif fork is not None:
            with tempfile.TemporaryDirectory(prefix=".fork-", dir=folder.parent) as aside:
                file = Path(aside) / "state"
                _backed_up(self._filled(fork), file)
                _restored(file, folder)

    def remove(self, name: str) -> None:
        """Remove one. See `Namespaces.remove`."""
        before = self.folder(name)
        if before is None:
            raise unknown(name)
        (self._home / FOLDER / name).unlink(missing_ok=True)
        self._end(name, before)

    def _end(self, name: str, before: Path | None) -> None:
        if before is not None:
            self.on_gone(name)
            shutil.rmtree(before, ignore_errors=True)

    def snapshots(self) -> Sequence[Snapshot]:
        """Return what was kept. See `Namespaces.snapshots`."""
        return [_snapshot(file) for file in sorted((self._home / KEPT).glob(f"[!.]*{ENDING}"))]

    def save(self, snapshot: str, namespace: str) -> Snapshot:
        """Keep a state. See `Namespaces.save`."""
        self._allow()
        above = self._home / KEPT
        above.mkdir(mode=0o700, exist_ok=True)
        file = above / f"{snapshot}{ENDING}"
        with tempfile.TemporaryDirectory(prefix=".new-", dir=above) as aside:
            new = Path(aside) / "state"
            _backed_up(self._filled(namespace), new)
            new.rename(file)
        return _snapshot(file)

    def drop(self, snapshot: str) -> None:
        """Remove what was kept. See `Namespaces.drop`."""
        self._kept(snapshot).unlink(missing_ok=True)

    def _kept(self, snapshot: str) -> Path:
        file = self._home / KEPT / f"{snapshot}{ENDING}"
        if not file.is_file():
            raise NotFound(f"There is no snapshot {snapshot}: keep one first.")
        return file

    def _of(self, name: str) -> Path:
        folder = self._home if name == OWN else self.folder(name)
        if folder is None:
            raise unknown(name)
        return folder

    def _filled(self, name: str) -> Path:
        folder = self._of(name)
        if not (folder / FILE).is_file():
            raise WrongState(f"Nobody has asked the namespace {name} for anything yet: it has no state to keep.")
        return folder

    def _allow(self) -> None:
        if self._refused is not None:
            raise WrongState(self._refused)


def unknown(name: str) -> NotFound:
    """Return what is said of a namespace that is not there."""
    return NotFound(f"There is no namespace {name}: make it first.")


def _snapshot(file: Path) -> Snapshot:
    known = file.stat()
    name = file.name.removesuffix(ENDING)
    return Snapshot(name=name, made_at=datetime.fromtimestamp(known.st_mtime, UTC), size=known.st_size)


def _backed_up(home: Path, file: Path) -> None:
    from .backup import back_up  # with tarfile, that few servers ever need

    _tried(lambda: back_up(home, file))


def _restored(file: Path, home: Path) -> None:
    from .backup import restore

    _tried(lambda: restore(file, home))


def _tried(work: Callable[[], object]) -> None:
    """Copy a state.

    Raises:
        WrongState: it can't be copied, or is none.
    """
    try:
        work()
    except StateUnusable as error:
        raise WrongState(str(error)) from error
