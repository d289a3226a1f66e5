"""Landlock: which files a process may reach, where no root of its own can be made. See `man 7 landlock`."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable

from . import kernel

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION = 1
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | (1 << 14) | (1 << 15)  # with truncate and ioctl on devices
READ = EXECUTE | READ_FILE | READ_DIR
RIGHTS_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
NEWEST_RIGHTS = (1 << 16) - 1


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Return the version of Landlock that the kernel has, 0 where it has none."""
    if not kernel.LINUX:
        return 0
    try:
        return kernel.call("syscall", ctypes.c_long(CREATE_RULESET), None, ctypes.c_size_t(0), VERSION)
    except OSError:
        return 0


def restrict(read: Iterable[str], write: Iterable[str]) -> None:
    """From now on this process and its children reach nothing but what stands beneath these paths.

    Raises:
        OSError: the kernel refused.
    """
    rights = RIGHTS_OF_VERSION.get(version(), NEWEST_RIGHTS)
    handled = ctypes.c_uint64(rights)
    rules = kernel.call("syscall", ctypes.c_long(CREATE_RULESET), ctypes.byref(handled), ctypes.c_size_t(8), 0)
    try:
        for path in read:
            _allow(rules, path, READ & rights)
        for path in write:
            _allow(rules, path, rights)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.call("syscall", ctypes.c_long(RESTRICT_SELF), rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    if sys.platform != "linux" or not os.path.exists(path):
        return
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        beneath = _Beneath(rights if os.path.isdir(path) else rights & FILE_RIGHTS, opened)
        kernel.call("syscall", ctypes.c_long(ADD_RULE), rules, PATH_BENEATH, ctypes.byref(beneath), 0)
    finally:
        os.close(opened)
