"""The packages that a service asks for, as pip would read them in the service's folder.

What is read are lines that mean the same everywhere: files that a file includes are written out, and folders of the service are named
by their path and a digest of what is in them. So the lines alone say whether an environment is the one that is wanted.

    numpy==2.1            a package
    ./libs/mine # 1f0c…   a folder of the service, from its top, with the digest
    -c numpy<2.2          a constraint
    --index-url …         an option of pip
"""

from __future__ import annotations

import hashlib
import platform
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from qumulus.core.errors import InvalidRequest

FILE = "requirements.txt"
PROJECT = "pyproject.toml"
CONSTRAINT = "-c "
LOCAL = "./"
INCLUDES = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s+|=)?(?P<file>\S.*)")
EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(?P<path>\S.*)")
COMMENT = re.compile(r"(^|\s+)#.*$")
MOST_FILES = 50  # that include each other
LEFT_OUT = frozenset({"__pycache__", ".git", "build", "dist"})  # of a folder's digest: what builds leave behind


@dataclass(frozen=True, slots=True)
class Wanted:
    """What pip is to install, from lines as `read` gives them."""

    lines: tuple[str, ...]
    constraints: tuple[str, ...]

    @property
    def local(self) -> bool:
        """Say whether folders of the service are installed, so that the service has to be at hand."""
        return any(line.startswith((LOCAL, f"-e {LOCAL}")) for line in self.lines)


def wanted(lines: Sequence[str]) -> Wanted:
    """Return what pip is to install, of lines that `read` gave."""
    constraints = tuple(line.removeprefix(CONSTRAINT) for line in lines if line.startswith(CONSTRAINT))
    return Wanted(tuple(line for line in lines if not line.startswith(CONSTRAINT)), constraints)


def read(folder: Path) -> tuple[str, ...]:
    """Return the lines of `requirements.txt` in ``folder``, else the dependencies of `pyproject.toml`.

    Raises:
        InvalidRequest: a file that is named is not there, or Python itself is to be of another version than this server's.
    """
    project = _project(folder)
    _check_python(project)
    if (folder / FILE).is_file():
        return tuple(_lines(folder.resolve(), folder.resolve() / FILE, "", set()))
    dependencies = project.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(each, str) for each in dependencies):
        raise InvalidRequest(f"project.dependencies of {PROJECT} has to be a list of texts.")
    return tuple(dependencies)


def _project(folder: Path) -> Mapping[str, Any]:
    path = folder / PROJECT
    if not path.is_file():
        return {}
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{PROJECT} can't be read: {error}.") from None
    return project if isinstance(project, dict) else {}


def _check_python(project: Mapping[str, Any]) -> None:
    """The version of Python that `requires-python` asks for has to be the server's."""
    asked = project.get("requires-python")
    if asked is None:
        return
    here = platform.python_version()
    try:
        fits = isinstance(asked, str) and SpecifierSet(asked).contains(here, prereleases=True)
    except InvalidSpecifier:
        raise InvalidRequest(f"requires-python of {PROJECT} is {asked!r}: it has to be like '>=3.11'.") from None
    if not fits:
        raise InvalidRequest(
            f"The service asks for Python {asked} ({PROJECT}), and this server runs programs with Python {here}: "
            "start the server with a fitting Python, or change requires-python."
        )


def _lines(top: Path, file: Path, before: str, seen: set[tuple[Path, str]]) -> Iterator[str]:
    """Yield the lines of a file and of those that are included; ``before`` stands in front of each constraint."""
    if (file, before) in seen:
        return  # pip reads a file once
    seen.add((file, before))
    if len(seen) > MOST_FILES:
        raise InvalidRequest(f"{FILE} includes more than {MOST_FILES} files.")
    for line in _logical(_text(top, file)):
        if included := INCLUDES.fullmatch(line):
            kind = CONSTRAINT if line.startswith(("-c", "--c")) else before
            yield from _lines(top, _inside(top, file, included["file"].strip()), kind, seen)
        elif editable := EDITABLE.fullmatch(line):
            yield f"-e {_local(top, editable['path'])}" if _is_path(editable["path"]) else line
        elif _is_path(line):
            yield _local(top, line)
        else:
            yield before + line


def _logical(text: str) -> Iterator[str]:
    """Yield the lines without comments, those that go on after a backslash as one."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if told := COMMENT.sub("", line).strip():
            yield told


def _text(top: Path, file: Path) -> str:
    if not file.is_file():
        raise InvalidRequest(f"{FILE} names {file.relative_to(top)}, which the service does not have.")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{file.relative_to(top)} is not UTF-8.") from None


def _inside(top: Path, file: Path, named: str) -> Path:
    """Return a file that another one names, beside which it stands; it has to be the service's own."""
    if "://" in named:
        raise InvalidRequest(
            f"{FILE} includes {named}: put that file into the service's folder and name it by its path."
        )
    found = (file.parent / shlex.split(named)[0]).resolve()
    if not found.is_relative_to(top):
        raise InvalidRequest(f"{FILE} includes {named}, which is outside of the service's folder.")
    return found


def _is_path(line: str) -> bool:
    return line.startswith((".", "/")) or line.lower().startswith("file:")


def _local(top: Path, line: str) -> str:
    """Return the line for a folder or a file of the service: from its top, where pip runs, whoever includes it."""
    path, bracket, extras = line.removeprefix("file:").partition("[")
    found = (top / path.strip()).resolve()
    if not found.is_relative_to(top):
        raise InvalidRequest(f"{FILE} names {line}, which is outside of the service's folder.")
    if not found.exists():
        raise InvalidRequest(f"{FILE} names {line}, which the service does not have.")
    digest = hashlib.sha256()
    for each in sorted(found.rglob("*")) if found.is_dir() else [found]:
        if each.is_file() and LEFT_OUT.isdisjoint(each.relative_to(top).parts):
            digest.update(f"{each.relative_to(top)}\0{each.stat().st_size}\0".encode() + each.read_bytes())
    return f"{LOCAL}{found.relative_to(top)}{bracket}{extras} # {digest.hexdigest()[:20]}"
