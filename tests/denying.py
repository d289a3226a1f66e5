"""`python denying.py COMMAND…`: run a command on a kernel that seems to have no namespaces and no Landlock."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

UNSHARE = {"x86_64": 272, "aarch64": 97}
LANDLOCK_CREATE_RULESET = 444
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # of the Berkeley packet filter
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # with EPERM


class Filter(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def deny() -> None:
    """Refuse both system calls from now on, in this process and all that it starts."""
    program = (
        (LOAD, 0, 0, 0),  # the number of the system call
        (EQUAL, 2, 0, UNSHARE[platform.machine()]),
        (EQUAL, 1, 0, LANDLOCK_CREATE_RULESET),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    )
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(
        SECCOMP, FILTER, ctypes.byref(Filter(len(program), code)), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "The filter was refused")


if __name__ == "__main__":
    deny()
    os.execv(sys.argv[1], sys.argv[1:])
