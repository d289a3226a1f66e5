"""The files of a service as they come: a zip archive, unpacked with a limit on everything."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path, PurePosixPath

from qumulus.core.errors import InvalidRequest, TooLarge

MOST_FILES = 10_000
MOST_BYTES = 512 << 20
MOST_DEPTH = 30
CHUNK = 1 << 20
LEFT_OUT = frozenset({".git", ".venv", "venv", "__pycache__", ".ruff_cache", ".pytest_cache", "node_modules", "out"})
MODE = 0o644


def unpack(archive: bytes, folder: Path) -> None:
    """Write the files of ``archive`` below ``folder``, readable by everybody.

    Raises:
        InvalidRequest: it is no zip archive, or a name in it leads out of the folder.
        TooLarge: it has too many files or bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            if len(entries) > MOST_FILES:
                raise TooLarge(f"The service has more than {MOST_FILES:,} files: leave out what does not run.")
            left = MOST_BYTES
            for entry in entries:
                target = folder.joinpath(*_parts(entry))
                target.parent.mkdir(parents=True, exist_ok=True)
                left = _write(opened, entry, target, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise InvalidRequest(f"The service has to be sent as a zip archive: {error}.") from None
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else MODE)


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    path = PurePosixPath(entry.filename)
    parts = path.parts
    unsafe = path.is_absolute() or ".." in parts or "\\" in entry.filename or not parts or len(parts) > MOST_DEPTH
    if unsafe or not entry.filename.isprintable():
        raise InvalidRequest(f"The archive has a file named {entry.filename[:200]!r}, which leads out of the service.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InvalidRequest(f"{entry.filename[:200]} is a link: put the file itself into the service.")
    return parts


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """What an entry says of its size may be a lie, so the bytes are counted as they come."""
    with opened.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise TooLarge(f"The service has more than {MOST_BYTES >> 20} MiB: leave out what does not run.")
            file.write(chunk)
    return left


def pack(folder: Path) -> bytes:
    """The archive of a folder, the same bytes for the same files; caches, environments and links are left out.

    Raises:
        InvalidRequest: there is no such folder.
    """
    if not folder.is_dir():
        raise InvalidRequest(f"There is no folder {folder}.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for path in sorted(files(folder)):
            opened.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return packed.getvalue()


def files(folder: Path) -> list[Path]:
    """The files of a service's folder that belong to it."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not LEFT_OUT & set(path.relative_to(folder).parts)
    ]
