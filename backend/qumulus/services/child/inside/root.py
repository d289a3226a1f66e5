"""A root of its own for one execution: the system's programs to read, and nothing else of the machine."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from . import kernel

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store")
FILES_OF_ETC = ("/etc/resolv.conf", "/etc/hosts", "/etc/localtime", "/etc/nsswitch.conf")  # often links out of /etc
SHOWN_IN_IMAGES = ("/etc/resolv.conf", "/etc/hosts")  # files that every image has, made when it was unpacked
LAYERS = ("upper", "work")  # folders of what an execution changes of its image
DEVICES = ("null", "zero", "full", "random", "urandom")
SHARED = "/dev/shm"  # noqa: S108  memory that processes share, made for each execution
MOST_SHARED = 64 << 20  # bytes in it, if the memory of the execution is not less
FLAGS_KEPT = {
    os.ST_NOSUID: kernel.MS_NOSUID,
    getattr(os, "ST_NODEV", 4): kernel.MS_NODEV,
    getattr(os, "ST_NOEXEC", 8): kernel.MS_NOEXEC,
    getattr(os, "ST_NOATIME", 1024): 1024,
    getattr(os, "ST_NODIRATIME", 2048): 2048,
    getattr(os, "ST_RELATIME", 4096): 1 << 21,
}


@dataclass(frozen=True)
class Places:
    """What of the machine's files an execution sees."""

    stage: str  # an empty folder, where a root of its own can be put together
    read: tuple[str, ...]  # seen where they are
    show: Mapping[str, str]  # where it is seen -> folder that can be read
    write: Mapping[str, str]  # where it is seen -> folder that can be written
    hide: str | None = None  # a folder of which only the others are seen
    image: str | None = None  # a root that is seen in place of the system's programs
    changes: str | None = None  # a folder for what is changed of it


def enter(places: Places, memory: int) -> None:
    """Build the root at the empty folder ``places.stage`` and enter it. Needs a mount namespace of its own.

    What is mounted there is seen by this process and its children alone.

    Args:
        places: what of the machine is seen.
        memory: bytes that the execution may use; the memory in files is not more.

    Raises:
        OSError: the kernel refused a step.
    """
    stage = places.stage
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    writable = _image(places) if places.image is not None else _machine(places)
    for seen, source in places.show.items():
        _bind(source, stage + seen, writable=False)
    _devices(stage, min(MOST_SHARED, memory))
    _processes(stage)
    if not writable:
        kernel.mount(None, stage, None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _kept(stage))
    kernel.pivot_root(stage)


def _machine(places: Places) -> bool:
    """Show the system's programs in an empty root, of which nothing else can be written."""
    stage = places.stage
    kernel.mount("tmpfs", stage, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=16m,mode=755")
    for seen, source in places.write.items():  # first: what can be read may stand inside, such as a folder under /tmp
        _bind(source, stage + seen, writable=True)
    for path in (*SYSTEM, *_resolved(FILES_OF_ETC), *sorted(places.read, key=len)):  # a folder before what stands in it
        _mirror(path, stage)
    if places.hide is not None:
        _hide(places.hide, stage, places.read)
    return False


def _image(places: Places) -> bool:
    """Show the files of an image, below what this execution changes of them; say whether it may change any.

    Where the kernel lays no folder over another one, it may not.
    """
    stage, image = places.stage, places.image or ""
    try:
        upper, work = (f"{places.changes}/{name}" for name in LAYERS)
        layers = {"lowerdir": image, "upperdir": upper, "workdir": work}
        options = [f"{name}={_escaped(folder)}" for name, folder in layers.items()]
        own = kernel.MS_NOSUID | kernel.MS_NODEV
        kernel.mount("overlay", stage, "overlay", own, ",".join([*options, *(["userxattr"] if os.getuid() else [])]))
        writable = True
    except OSError:
        _bind(image, stage, writable=True)
        writable = False
    for seen, source in places.write.items():
        _bind(source, stage + seen, writable=True)
    for path in SHOWN_IN_IMAGES:
        if os.path.exists(path):
            _bind(os.path.realpath(path), stage + path, writable=False)
    kernel.mount("tmpfs", stage + "/dev", "tmpfs", kernel.MS_NOSUID, "size=64k,mode=755")
    return writable


def _escaped(path: str) -> str:
    """Return a path as the options of a mount take it."""
    return re.sub(r"([\\,:])", r"\\\1", path)


def _resolved(paths: Iterable[str]) -> list[str]:
    """Return where links lead to, for those that lead out of /etc."""
    return [real for path in paths if not (real := os.path.realpath(path)).startswith("/etc/") and os.path.exists(real)]


def _mirror(path: str, stage: str) -> None:
    """Show what stands at ``path``, at the same place; a link stays a link."""
    target = stage + path
    if os.path.lexists(target):
        return
    if os.path.islink(path):
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        os.symlink(os.readlink(path), target)
        _mirror(os.path.realpath(path), stage)
    elif os.path.exists(path) and not any(path.startswith(parent + "/") for parent in SYSTEM):
        _bind(path, target, writable=False)


def _hide(folder: str, stage: str, read: Collection[str]) -> None:
    """Leave of a folder what of ``read`` stands in it; it may have come along with another, such as /opt."""
    for path in dict.fromkeys((folder, os.path.realpath(folder))):
        target = stage + path
        if not os.path.isdir(target) or os.path.realpath(target) != os.path.realpath(stage) + path:
            continue  # it is not seen, or only through a link
        kernel.mount("tmpfs", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
        for shown in read:
            if os.path.exists(shown) and not os.path.lexists(stage + shown):
                _bind(shown, stage + shown, writable=False)
        kernel.mount(None, target, None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _locked(target))


def _bind(source: str, target: str, *, writable: bool) -> None:
    if os.path.isdir(source):
        os.makedirs(target, mode=0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)
    flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NOSUID | kernel.MS_NODEV | _locked(target)
    kernel.mount(None, target, None, flags if writable else flags | kernel.MS_RDONLY)


def _locked(path: str) -> int:
    """Flags of a mount, which a user namespace may not take away."""
    present = os.statvfs(path).f_flag
    return sum(flag for bit, flag in FLAGS_KEPT.items() if present & bit and flag not in (2, 4))


def _kept(path: str) -> int:
    """Flags with which a root is mounted anew."""
    return kernel.MS_NOSUID | _locked(path)


def _devices(stage: str, shared: int) -> None:
    os.makedirs(stage + SHARED, mode=0o755, exist_ok=True)
    for name in DEVICES:
        target = f"{stage}/dev/{name}"
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        kernel.mount(f"/dev/{name}", target, None, kernel.MS_BIND)
    sizes = f"size={shared},nr_inodes=4096,mode=1777"
    kernel.mount("tmpfs", stage + SHARED, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, sizes)
    for name, leads_to in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        os.symlink(f"/proc/self/fd{leads_to}", f"{stage}/dev/{name}")


def _processes(stage: str) -> None:
    """Return the processes of this execution, and no others; where that is refused, no list of processes at all.

    Nothing in it can be written: a program would make itself the last that the kernel ends when memory is short.
    """
    os.makedirs(f"{stage}/proc", mode=0o755, exist_ok=True)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC | kernel.MS_RDONLY
    with contextlib.suppress(PermissionError):
        kernel.mount("proc", f"{stage}/proc", "proc", flags)
