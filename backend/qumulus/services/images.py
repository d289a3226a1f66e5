"""Containers: folders with a Dockerfile, built by podman or docker, and unpacked as roots that executions run in.

<version>/root/         the files of the image, which executions share and none changes
<version>/image.json    its command, variables and folder; written last, so that an image is there whole or not at all
<service>.tagged        the engine keeps an image for the next build of the service

Podman and docker build, and nothing more: what runs is a process of ours, within the limits of every other program.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from .folders import OLD_INPUT, OPEN_FOLDER, RUNTIME, TEMPORARY, remove
from .installing import NotInstalled
from .making import done

log = logging.getLogger("qumulus.services")

ENGINES = ("podman", "docker")  # which have the same words for all that is asked of them
NO_ENGINE = (
    "The service is a container, and this machine has neither podman nor docker to build it: install one of them, "
    "or put a run() into src/program.py and set the runtime PYTHON_TEMPLATE."
)
NO_RUNTIME = (
    "running container"  # what podman says where it can't start the container of a RUN, as within another container
)
WITHOUT_RUNTIME = "--isolation=chroot"  # then a RUN needs none
NO_REGISTRY = "no unqualified-search registries are defined"  # so that `FROM python` names no image, as on Debian
REGISTRIES = 'unqualified-search-registries = ["docker.io"]\n'  # where docker and the platform look
REPLACED = ("dev", "proc", "sys")  # made anew for each execution
FILES_OF_ETC = ("hosts", "resolv.conf")  # the machine's are shown there, where a program has its network
FOLDERS = (RUNTIME, OLD_INPUT, TEMPORARY, "/etc", "/root")
ROOT = "root"
TAGGED = ".tagged"  # how the names of the files end that say which services have an image in the engine's store


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What is to run: a root, and what its configuration says."""

    root: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    workdir: str


def engine() -> str | None:
    """Return the command that builds images here; None where there is none."""
    return next((found for name in ENGINES if (found := shutil.which(name)) is not None), None)


class Images:
    """The images of services, by their versions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ready(self, version: str) -> bool:
        """Say whether the image is there already."""
        return (self._folder / version / "image.json").is_file()

    def image(self, version: str) -> Image:
        """Return an image, which has to be ready."""
        place = self._folder / version
        return Image(root=place / ROOT, **json.loads((place / "image.json").read_bytes()))

    def remove(self, version: str) -> None:
        """Remove the image of a version, if there is one."""
        remove(self._folder / version)

    def tagged(self) -> Sequence[str]:
        """Return the services whose images the engine was told to keep, for the next build."""
        return [mark.stem for mark in self._folder.glob(f"*{TAGGED}")]

    def forget(self, name: str) -> None:
        """Take what was kept for a service out of the engine's store, if there is anything."""
        mark, command = self._folder / f"{name}{TAGGED}", engine()
        if command is None or not mark.is_file():
            return
        if (image := _id(command, _tag(name))) is not None:
            _discard(command, _tag(name), image)
        mark.unlink(missing_ok=True)

    def make(self, version: str, name: str, context: Path) -> None:
        """Build the image of the folder ``context`` and unpack it, if it is not there.

        Raises:
            NotInstalled: with what the engine said last.
        """
        command = engine()
        if command is None:
            raise NotInstalled(NO_ENGINE)
        place = self._folder / version
        with self._alone(place):
            if self.ready(version):
                return
            remove(place)
            tag = _tag(name)
            (self._folder / f"{name}{TAGGED}").touch()
            before = _id(command, tag)
            _build(command, tag, context, self._folder / "registries.conf")
            config = json.loads(_run([command, "image", "inspect", "--format", "{{json .Config}}", tag]))
            (place / ROOT).mkdir(parents=True)
            _export(command, tag, place / ROOT)
            complete(place / ROOT)
            image = configured(place / ROOT, config)
            (place / "image.json").write_text(json.dumps({k: v for k, v in asdict(image).items() if k != "root"}))
            if before not in (None, _id(command, tag)):
                _discard(command, str(before), str(before))

    @contextmanager
    def _alone(self, place: Path):
        self._folder.mkdir(parents=True, exist_ok=True)
        with place.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _id(command: str, tag: str) -> str | None:
    """Return the id of the image that has the tag; None where none has."""
    try:
        return _run([command, "image", "inspect", "--format", "{{.Id}}", tag]).strip()
    except NotInstalled:
        return None


def _discard(command: str, named: str, image: str) -> None:
    """Remove an image, by its tag or its id, from the engine's store; one that something else is made of stays."""
    try:
        _run([command, "image", "rm", named])
    except NotInstalled as error:
        log.info("The image %s, which no service needs, stays in the store of %s: %s", image[:19], command, error)


def _tag(name: str) -> str:
    return f"localhost/qumulus-service-{name}:latest"


def _build(command: str, tag: str, context: Path, registries: Path) -> None:
    """Build an image; what podman lacks on this machine for that, it is told once it says so."""
    build, environment = [command, "build", "--tag", tag], dict(os.environ)
    lacking = {NO_RUNTIME, NO_REGISTRY} if Path(command).name == ENGINES[0] else set()
    while True:
        try:
            _run([*build, str(context)], environment)
        except NotInstalled as error:
            found = next((each for each in lacking if each in str(error)), None)
            if found is None:
                raise
            lacking.remove(found)
        else:
            return
        if found == NO_RUNTIME:
            build.append(WITHOUT_RUNTIME)
        else:
            registries.write_text(REGISTRIES)
            environment["CONTAINERS_REGISTRIES_CONF"] = str(registries)


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    return done(command, late="The image was not built", failed="The image could not be built", env=environment)


def _export(command: str, tag: str, root: Path) -> None:
    """Unpack the files of an image, by way of a container that is never started."""
    from .unpacking import unpack  # with tarfile, that a server without containers never needs

    container = _run([command, "create", tag, "none"]).split()[-1]
    try:
        with subprocess.Popen([command, "export", container], stdout=subprocess.PIPE) as exporting:  # noqa: S603
            unpack(cast(BinaryIO, exporting.stdout), root)
        if exporting.returncode:
            raise NotInstalled("The image was built, but could not be exported.")
    finally:
        _run([command, "rm", container])


def complete(root: Path) -> None:
    """Put into a root what is shown in it at each execution.

    Raises:
        NotInstalled: the image has a link where a folder is needed: it could lead out of the root.
    """
    for name in REPLACED:
        place = root / name
        if place.is_symlink() or place.is_file():
            place.unlink()
        remove(place)
        place.mkdir()
    for folder in FOLDERS:
        _make_folder(root, folder)
    for name in FILES_OF_ETC:
        file = root / "etc" / name
        if file.is_symlink():
            file.unlink()
        file.touch()


def _make_folder(root: Path, folder: str) -> None:
    place = root
    for part in Path(folder).parts[1:]:
        place /= part
        if place.is_symlink() or place.is_file():
            raise NotInstalled(
                f"The image has a link or a file at /{place.relative_to(root)}, where a folder is needed."
            )
        if not place.is_dir():
            place.mkdir()
            place.chmod(OPEN_FOLDER)


def configured(root: Path, config: Mapping[str, Any]) -> Image:
    """Return what an image's configuration says.

    Raises:
        NotInstalled: it has no command.
    """
    command = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    if not command:
        raise NotInstalled("The image was built, but says nothing to run: add CMD or ENTRYPOINT to the Dockerfile.")
    user, home = _user(root, (config.get("User") or "root").partition(":")[0])
    told = dict(each.split("=", 1) for each in config.get("Env") or () if "=" in each)
    return Image(
        root=root,
        command=command,
        environment={"HOME": home, "USER": user, "LOGNAME": user, **told},
        workdir=config.get("WorkingDir") or "/",
    )


def _user(root: Path, wanted: str) -> tuple[str, str]:
    """Return the name and the home of a user of the image, who is named or numbered."""
    passwords = root / "etc" / "passwd"
    lines = passwords.read_text(errors="replace").splitlines() if passwords.is_file() else ()
    for line in lines:
        fields = line.split(":")
        if len(fields) >= 6 and wanted in (fields[0], fields[2]):
            return fields[0], fields[5] or "/"
    return ("root", "/root") if wanted in ("root", "0") else (wanted, "/")
