"""The files of a service on their way: by path, with a limit on everything."""

from __future__ import annotations

import errno
import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from qumulus.core.errors import InvalidRequest, TooLarge
from qumulus.payloads.zip_files import DAMAGED

MOST_FILES = 10_000
MOST_DEPTH = 30
MOST_BYTES = 512 << 20  # in a zip file that somebody has sent, unpacked
LISTED = b"PK\x01\x02"  # how what a zip file says of a file begins
MOST_LISTED = (
    10 * MOST_FILES
)  # those that are left out, and those of zip files in it, among them: to list a million takes a gigabyte
LEFT_OUT = frozenset({".git", ".venv", "venv", "__pycache__", ".ruff_cache", ".pytest_cache", "node_modules", "out"})


def unpack(files: Mapping[str, bytes], folder: Path) -> None:
    """Write ``files``, by path, below ``folder``, readable by everybody.

    Raises:
        InvalidRequest: a path leads out of the folder, or is that of another file's folder.
        TooLarge: there are too many.
    """
    if len(files) > MOST_FILES:
        raise TooLarge(f"The service has more than {MOST_FILES:,} files: leave out what does not run.")
    for name, content in files.items():
        target = folder.joinpath(*_parts(name))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise InvalidRequest(f"{name[:200]!r} is a file and a folder of the service.") from None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise InvalidRequest(f"The service has a file whose name is too long: {name[:200]!r}.") from None
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _parts(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    parts = path.parts
    unsafe = path.is_absolute() or ".." in parts or "\\" in name or not parts or len(parts) > MOST_DEPTH
    if unsafe or not name.isprintable():
        raise InvalidRequest(f"The service has a file named {name[:200]!r}, which leads out of its folder.")
    return parts


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return the files as one value, to be kept."""
    value = io.BytesIO()
    with zipfile.ZipFile(value, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in sorted(files.items()):
            package.writestr(name, content)
    return value.getvalue()


def unzipped(value: bytes) -> dict[str, bytes]:
    """Return the files of what `zipped` has made."""
    with zipfile.ZipFile(io.BytesIO(value)) as package:
        return {name: package.read(name) for name in package.namelist()}


def opened(value: bytes) -> dict[str, bytes]:
    """Return the files of a zip file that somebody has sent; caches, environments and links are left out.

    Raises:
        InvalidRequest: it is none.
        TooLarge: it has too many files, or too much in them.
    """
    if value.count(LISTED) > MOST_LISTED:
        raise TooLarge(f"The zip file lists more than {MOST_LISTED:,} files: leave out what does not run.")
    try:
        with zipfile.ZipFile(io.BytesIO(value)) as package:
            wanted = [entry for entry in package.infolist() if not entry.is_dir() and _belongs(entry)]
            if len(wanted) > MOST_FILES or sum(entry.file_size for entry in wanted) > MOST_BYTES:
                raise TooLarge(f"The zip file has more than {MOST_FILES:,} files or {MOST_BYTES >> 20} MiB in them.")
            files = {
                entry.filename: package.read(entry) for entry in wanted
            }  # `read` goes no further than the size that is said
    except DAMAGED:
        raise InvalidRequest(
            "The program is not a zip file that can be opened: pack the folder of the service."
        ) from None
    return files


def _belongs(entry: zipfile.ZipInfo) -> bool:
    link = stat.S_ISLNK(entry.external_attr >> 16)
    return not link and not LEFT_OUT & set(PurePosixPath(entry.filename).parts)


def pack(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by path; caches, environments and links are left out.

    Raises:
        InvalidRequest: there is no such folder, it has no files, or it can't be read.
        TooLarge: it has too many files.
    """
    if not folder.is_dir():
        raise InvalidRequest(f"There is no folder {folder}.")
    try:
        files = files_of(folder)
        if not files:
            raise InvalidRequest(f"{folder} has no files: name the folder of the service, with src/program.py in it.")
        if len(files) > MOST_FILES:
            raise TooLarge(f"{folder} has more than {MOST_FILES:,} files: name the folder of the service alone.")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    except OSError as error:
        raise InvalidRequest(f"{error.filename} can't be read: {error.strerror}.") from None


def files_of(folder: Path) -> list[Path]:
    """Return the files in a folder that belong to the service, in order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not LEFT_OUT & set(path.relative_to(folder).parts)
    )
