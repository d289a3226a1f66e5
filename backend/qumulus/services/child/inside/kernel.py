"""The few calls to the Linux kernel that Python 3.11 has no words for."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
PR_SET_CHILD_SUBREAPER = 36

SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
CAPABILITY_VERSION_3 = 0x20080522

LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it answered less than 0.
    """
    result = getattr(_libc, name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def text(value: str | None) -> bytes | None:
    """Return a path as the C library takes it."""
    return None if value is None else os.fsencode(value)


def unshare(flags: int) -> None:
    """Leave namespaces that are shared with the parent."""
    call("unshare", flags)


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    """mount(2)."""
    call("mount", text(source), text(target), text(kind), ctypes.c_ulong(flags), text(data))


def pivot_root(folder: str) -> None:
    """Make ``folder``, a mount point, the root; nothing of the old one stays reachable."""
    os.chdir(folder)
    call("syscall", ctypes.c_long(SYS_PIVOT_ROOT[platform.machine()]), b".", b".")
    call("umount2", b".", MNT_DETACH)
    os.chdir("/")


def prctl(option: int, value: int) -> None:
    """prctl(2) with one argument."""
    call("prctl", option, ctypes.c_ulong(value), 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability, in this process and for good."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    call("capset", ctypes.byref(header), ctypes.byref(nothing))


def die_with_parent(parent: int) -> None:
    """Get SIGKILL when the parent ends; end at once if it has ended already."""
    if LINUX:
        prctl(PR_SET_PDEATHSIG, 9)
    if os.getppid() not in (parent, 0):  # 0: the parent is outside of this pid namespace
        os._exit(1)
