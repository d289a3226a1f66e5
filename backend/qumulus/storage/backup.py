"""A state kept in one file while it is used, and put back from it.

A backup is a tar: `backup.json` says what it is, then come the large values, what stands beside the database, and the database as of one
moment; `sums.json`, its last entry, has the SHA-256 of every other one, so that half a file is no backup. A value is stored before the
row that names it, and removed after that row: so values are looked for with the database that names them, and where one has
gone meanwhile, the database is copied once more. Nobody who uses the state waits for any of this.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from qumulus import __version__
from qumulus.core.clock import SystemClock
from qumulus.core.ports import BlobStore

from .blobs.disk import KEY, DiskBlobs
from .database.schema import HEAD
from .database.sqlite import FILE, refuse_network
from .database.tables import NAMING_BLOBS
from .errors import StateUnusable
from .signing import FILE as SIGNING_KEY

FORM = 1
HEADER, SUMS = "backup.json", "sums.json"
BESIDE = (SIGNING_KEY, "ca", "services")  # what a state has beside its database and its values
MADE_ANEW = (
    "environments",
    "images",
    "unpacked",
    "mounted",
    "runs",
)  # folders of services that a server makes when it needs them
TRIES = 10  # copies of a database whose values go as fast as they are read
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup has, or a restored state."""

    version: str  # of Qumulus
    made_at: datetime
    jobs: int
    values: int  # large ones
    size: int  # bytes of the file
    lost: tuple[str, ...] = ()  # jobs with a value that was not there: they were damaged before


def back_up(home: Path, file: Path, blobs: BlobStore | None = None) -> Backup:
    """Write the state in ``home`` into a new file, which its owner alone may read, while others use that state.

    ``blobs`` is where large values are if not in the folder.

    Raises:
        StateUnusable: there is no state, it can't be read, or the file can't be written.
    """
    if not (home / FILE).is_file():
        raise StateUnusable(f"There is no state in {home}: name its folder with --home.")
    if file.exists():
        raise StateUnusable(f"There is a file {file} already: name one that is not there.")
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as folder,
            open(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out,
        ):
            made = _written(home, blobs or DiskBlobs(home / "blobs"), out, Path(folder) / FILE)
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(file)
    except OSError as error:
        raise StateUnusable(f"The backup {file} can't be written: {error.strerror or error}.") from error
    except sqlite3.Error as error:
        raise StateUnusable(f"The database {home / FILE} can't be copied: {error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return made


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as of one moment, while others read and write it.

    Raises:
        sqlite3.Error
    """
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as used, closing(sqlite3.connect(target)) as copy:
        used.execute("PRAGMA query_only = ON")
        used.backup(copy)  # in one step: in WAL mode that holds up nobody
        copy.execute("PRAGMA journal_mode = DELETE")


def named_values(database: Path) -> set[str]:
    """Return the keys of the large values that a copied database names."""
    with closing(sqlite3.connect(database)) as copy:
        return {
            key
            for column in NAMING_BLOBS
            for (key,) in copy.execute(f"SELECT {column.name} FROM {column.table.name} WHERE {column.name} IS NOT NULL")  # noqa: S608
        }


class _Out:
    """A tar that is being written, and the sums of what is in it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115  closed by who writes
        self.sums: dict[str, str] = {}

    def value(self, name: str, content: bytes) -> None:
        """Add an entry of these bytes."""
        self.sums[name] = hashlib.sha256(content).hexdigest()
        self._add(name, len(content), io.BytesIO(content))

    def file(self, name: str, path: Path) -> None:
        """Add an entry of a file, as long as it is now. One that is gone by now is none."""
        try:
            with path.open("rb") as content:
                known = os.fstat(content.fileno())
                hashing = _Hashing(content)
                self._add(name, known.st_size, hashing, mode=known.st_mode & 0o777, mtime=known.st_mtime)
        except FileNotFoundError:
            return
        self.sums[name] = hashing.sum

    def folder(self, name: str, path: Path) -> None:
        """Add a folder, which may have no files: a data pool has one."""
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, path.stat().st_mode & 0o777
        self.tar.addfile(entry)

    def _add(
        self, name: str, size: int, content: IO[bytes] | _Hashing, mode: int = 0o600, mtime: float | None = None
    ) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, mode, SystemClock().wall().timestamp() if mtime is None else mtime
        self.tar.addfile(entry, content)


class _Hashing:
    """A file whose sum is known when it has been read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._hash.update(content)
        return content

    @property
    def sum(self) -> str:
        return self._hash.hexdigest()


def _written(home: Path, blobs: BlobStore, out: IO[bytes], copy: Path) -> Backup:
    made_at = SystemClock().wall()
    to = _Out(out)
    header = {"form": FORM, "qumulus": __version__, "tables": HEAD, "made_at": made_at.isoformat()}
    to.value(HEADER, json.dumps(header).encode())
    missing = _values(home, blobs, to, copy)
    values = len(to.sums) - 1
    for name, path in _beside(home):
        (to.folder if path.is_dir() else to.file)(name, path)
    to.file(FILE, copy)
    to.value(SUMS, json.dumps(to.sums).encode())
    to.tar.close()
    return Backup(
        version=__version__,
        made_at=made_at,
        jobs=_count(copy),
        values=values,
        size=out.tell(),
        lost=tuple(_of(copy, missing)),
    )


def _values(home: Path, blobs: BlobStore, to: _Out, copy: Path) -> set[str]:
    """Copy the database, and write the values that it names; those that two copies name and that are not there."""
    missing: set[str] = set()
    for _ in range(TRIES):
        copy_database(home / FILE, copy)
        before, missing = missing, set()
        for key in sorted(named_values(copy)):
            name = _name(key)
            if name in to.sums:
                continue
            try:
                to.value(name, blobs.get(key))
            except FileNotFoundError:
                missing.add(key)
        if missing <= before:
            break
    return missing


def _name(key: str) -> str:
    return f"blobs/{key[:2]}/{key}"


def _beside(home: Path) -> Iterator[tuple[str, Path]]:
    """Yield the folders and files beside the database, with their names in the backup."""
    for name in BESIDE:
        top = home / name
        if top.exists():
            yield name, top
        for folder, folders, files in os.walk(top):
            here = Path(folder)
            folders[:] = sorted(each for each in folders if here != home / "services" or each not in MADE_ANEW)
            for each in (*folders, *sorted(files)):
                path = here / each
                if path.exists() and not path.is_symlink():
                    yield str(PurePosixPath(path.relative_to(home))), path


def _count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as copy:
        return copy.execute("SELECT count(*) FROM jobs").fetchone()[0]


def _of(database: Path, keys: Iterable[str]) -> Iterator[str]:
    """Yield the jobs that have these values."""
    with closing(sqlite3.connect(database)) as copy:
        for key in sorted(keys):
            yield from (
                job
                for (job,) in copy.execute(
                    "SELECT id FROM jobs WHERE payload_blob = ? UNION SELECT job FROM results WHERE blob = ?",
                    (key, key),
                )
            )


def restore(file: Path, home: Path, blobs: BlobStore | None = None) -> Backup:
    """Make the state of a backup in a folder that has none; it is there as a whole or not at all.

    ``blobs`` is where large values go if not into the folder.

    Raises:
        StateUnusable: it is no whole backup, or of a newer version, or the folder is used or can't be written.
    """
    if home.exists() and any(home.iterdir()):
        raise StateUnusable(
            f"The folder {home} is not empty: stop its server and move it away, or name another one with --home."
        )
    home.absolute().parent.mkdir(parents=True, exist_ok=True)
    refuse_network(home.absolute().parent)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.absolute().parent))
    try:
        with tarfile.open(file, "r:") as tar:
            header = _unpacked(tar, unfinished)
        values = _put(unfinished / "blobs", blobs) if blobs else sum(1 for _ in unfinished.glob("blobs/??/*"))
        _check(unfinished / FILE, file)
        os.sync()
        unfinished.rename(home)  # takes the place of an empty folder
    except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
        raise StateUnusable(f"{file} is no backup, or only a part of one: {error}.") from error
    except OSError as error:
        raise StateUnusable(f"{file} can't be put into {home}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Backup(
        version=str(header["qumulus"]),
        made_at=datetime.fromisoformat(str(header["made_at"])),
        jobs=_count(home / FILE),
        values=values,
        size=file.stat().st_size,
    )


def _unpacked(tar: tarfile.TarFile, folder: Path) -> Mapping[str, object]:
    """Unpack the entries of a backup, and compare them with their sums; its header."""
    sums: dict[str, str] = {}
    header: Mapping[str, object] = {}
    told: Mapping[str, str] | None = None
    for entry in tar:
        if entry.isdir() and _ours(entry.name):
            (folder / entry.name).mkdir(parents=True, exist_ok=True)
            (folder / entry.name).chmod(entry.mode & 0o777)
            continue
        content = tar.extractfile(entry) if entry.isreg() else None
        if content is None or not _ours(entry.name) or entry.name in sums:
            raise tarfile.ReadError(f"the entry {entry.name[:80]!r} is none of a backup")
        if entry.name == SUMS:
            told = json.load(content)
            continue
        if entry.name == HEADER:
            raw = content.read()
            header = _header(raw)
            sums[HEADER] = hashlib.sha256(raw).hexdigest()
            continue
        path = folder / entry.name
        sums[entry.name] = _extracted(content, path)
        path.chmod(entry.mode & 0o777)
        os.utime(path, (entry.mtime, entry.mtime))  # a file of a data pool is as old as it was
    if told is None or not header:
        raise tarfile.ReadError("its end is missing")
    if told != sums:
        raise tarfile.ReadError("what is in it is not what was put into it")
    return header


def _header(raw: bytes) -> Mapping[str, object]:
    header = json.loads(raw)
    if header["form"] > FORM or header["tables"] > HEAD:
        raise StateUnusable(f"The backup was made by a newer version, Qumulus {header['qumulus']}: install that one.")
    return header


def _ours(name: str) -> bool:
    """Say whether an entry may stand at its name: none leads out of the folder."""
    parts = PurePosixPath(name).parts
    if name in (HEADER, SUMS, FILE):
        return True
    if not parts or ".." in parts or name.startswith("/") or "\0" in name:
        return False
    if parts[0] == "blobs":
        return len(parts) == 3 and parts[1] == parts[2][:2] and KEY.fullmatch(parts[2]) is not None
    # what is made anew is run, outside of the sandbox too: a backup from elsewhere brings nothing of it
    return parts[0] in BESIDE and not (parts[0] == "services" and any(each in MADE_ANEW for each in parts[1:2]))


def _extracted(content: IO[bytes], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    hashing = _Hashing(content)
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        while chunk := hashing.read(CHUNK):
            file.write(chunk)
    return hashing.sum


def _put(folder: Path, blobs: BlobStore) -> int:
    """Move the unpacked values into their store; how many there were."""
    count = 0
    for path in folder.glob("??/*"):
        blobs.put(path.name, path.read_bytes())
        count += 1
    shutil.rmtree(folder, ignore_errors=True)
    return count


def _check(database: Path, file: Path) -> None:
    try:
        with closing(sqlite3.connect(database)) as copy:
            found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise StateUnusable(f"The database in {file} is damaged ({found[:120]}): take an earlier backup.")
