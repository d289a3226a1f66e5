"""The ladder of isolations, the strongest first, and how a process steps onto a rung."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from . import kernel, landlock, root, seccomp
from .root import Places


@dataclass(frozen=True)
class Isolation:
    """What stands between a program and the machine."""

    namespaces: str  # "own": made with privileges; "user": made by anybody; "none"
    landlock: bool = False

    @property
    def private_root(self) -> bool:
        """Say whether the program sees a root of its own, and no process but its own."""
        return self.namespaces != "none"


LADDER = (Isolation("own"), Isolation("user"), Isolation("none", landlock=True), Isolation("none"))


def leave_processes(isolation: Isolation, *, network: bool) -> None:
    """Make the namespaces that the next child is born into.

    Raises:
        OSError: this machine does not allow it.
    """
    if not isolation.private_root:
        return
    flags = kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC | (0 if network else kernel.CLONE_NEWNET)
    user, group = os.geteuid(), os.getegid()
    if isolation.namespaces == "user":
        flags |= kernel.CLONE_NEWUSER
    kernel.unshare(flags)
    if isolation.namespaces == "user":
        for name, line in {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}.items():
            with open(f"/proc/self/{name}", "w") as written:
                written.write(line)


def leave_files(isolation: Isolation, places: Places, memory: int) -> None:
    """Enter a root of its own, where the isolation has one; called by the first process of the namespaces.

    ``memory`` is what the execution may use, in bytes.

    Raises:
        OSError: this machine does not allow it.
    """
    if isolation.private_root:
        kernel.unshare(kernel.CLONE_NEWNS)
        root.enter(places, memory)


def restrict_files(isolation: Isolation, places: Places) -> None:
    """Restrict the files by Landlock, where there is no root of its own.

    Raises:
        OSError: this machine does not allow it.
    """
    if isolation.landlock:
        devices = [f"/dev/{name}" for name in root.DEVICES]
        read = [*root.SYSTEM, *places.read, *places.show.values(), "/proc", "/sys/devices/system/cpu"]
        landlock.restrict(read, [*places.write.values(), *devices, root.SHARED])


def restrict_calls(isolation: Isolation, *, grouped: bool) -> None:
    """Refuse the system calls that no program needs.

    ``grouped``: a control group counts the memory, also what no process maps.

    Raises:
        OSError: this machine has no such filter.
    """
    seccomp.restrict(counts_unmapped=grouped, own_ipc=isolation.private_root)


def strongest(user: int | None) -> str:
    """Return the first rung that holds here, and whether system calls can be filtered, tried in children of their own, as JSON."""
    filtered = kernel.LINUX and _succeeds(_filter)
    for isolation in LADDER:
        for chosen in dict.fromkeys((user, None)):
            if isolation.namespaces == "user" and chosen is not None:
                continue  # only one user is mapped into it
            if _holds(isolation, chosen):
                return json.dumps({**asdict(isolation), "user": chosen, "filtered": filtered})
    raise AssertionError("the last rung asks for nothing")


def _filter() -> None:
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    restrict_calls(Isolation("own"), grouped=False)


def _succeeds(step: Callable[[], None]) -> bool:
    """Say whether ``step`` is possible, in a child that ends with it."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    try:
        step()
        os._exit(0)
    except (OSError, KeyError):
        os._exit(1)


def _holds(isolation: Isolation, user: int | None) -> bool:
    return _succeeds(partial(_step_onto, isolation, user))


def _step_onto(isolation: Isolation, user: int | None) -> None:
    from .limits import become

    with tempfile.TemporaryDirectory() as stage:
        places = Places(stage, read=(), show={}, write={})
        leave_processes(isolation, network=True)
        first = os.fork()
        if first:
            status = os.waitpid(first, 0)[1]
            os.rmdir(stage)
            os.mkdir(stage)
            os._exit(status != 0)
        leave_files(isolation, places, 1 << 20)
        become(user)
        restrict_files(isolation, places)
        os._exit(0)
