"""A filter of system calls: what no program needs, and what has opened a way out of sandboxes. See `man 2 seccomp`.

It is a list of what is refused, in the manner of the default profile of container engines, rather than of what is allowed: a
program may bring any library along. A refused call fails with EPERM; one for which the C library has another way, with ENOSYS.
"""

from __future__ import annotations

import ctypes
import errno
import platform
from collections.abc import Mapping

from . import kernel

PR_SET_SECCOMP, MODE_FILTER = 22, 2
# how the kernel's audit names it, and the column of its numbers
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
X32 = 0x40000000  # from here on: calls of the other ABI of x86_64, which would pass by under numbers of their own

NEW_NAMESPACES = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | 0x02000000  # of cgroups
    | 0x04000000  # of host names
)
# sockets that can be made: Unix, IPv4, IPv6, and netlink, which the resolver of names needs
FAMILIES = (1, 2, 10, 16)

Numbers = Mapping[str, tuple[int | None, int | None]]  # by name: on x86_64, on aarch64; None: it has no such call
REFUSED: Numbers = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # the kernel's own machines and observers
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    # keys, which no namespace separates
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # mounts and namespaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "setns": (308, 268),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # the machine
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
}
MISSING: Numbers = {
    "clone3": (435, 435),  # its flags stand in memory, where no filter can read them
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
UNCOUNTED: Numbers = {"memfd_create": (319, 279), "memfd_secret": (447, 447), "msgget": (68, 186)}
OUTLIVING: Numbers = {"shmget": (29, 194), "msgget": (68, 186)}
CLONE, UNSHARE, SOCKET, PRCTL = (56, 220), (272, 97), (41, 198), (157, 167)

# a classic BPF program: load a word of the call, compare, answer
LOAD, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets into struct seccomp_data; the lower half of the argument
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000

REFUSED_WITH = (  # calls that are refused where their first argument is so
    (CLONE, ANY_BIT, NEW_NAMESPACES),
    (UNSHARE, ANY_BIT, NEW_NAMESPACES),
    (PRCTL, EQUAL, kernel.PR_SET_DUMPABLE),  # it keeps others of its user from seeing what a process holds
)

Instruction = tuple[int, int, int, int]  # code, instructions to skip if it is so, if it is not so, operand


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def restrict(*, counts_unmapped: bool, own_ipc: bool) -> None:
    """From now on this process and its children can't make the calls; needs PR_SET_NO_NEW_PRIVS.

    Args:
        counts_unmapped: whether something counts memory that no process has mapped; else what makes it is missing too.
        own_ipc: whether System V's objects end with the run; else they can't be made.

    Raises:
        OSError: the kernel has no such filters, or not for this machine.
    """
    program = instructions(platform.machine(), counts_unmapped=counts_unmapped, own_ipc=own_ipc)
    packed = b"".join(
        code.to_bytes(2, "little") + bytes((so, not_so)) + operand.to_bytes(4, "little")
        for code, so, not_so, operand in program
    )
    held = ctypes.create_string_buffer(packed, len(packed))
    pointer = ctypes.cast(held, ctypes.c_void_p)
    order = _Program(len(program), pointer)
    kernel.call("prctl", PR_SET_SECCOMP, ctypes.c_ulong(MODE_FILTER), ctypes.byref(order), 0, 0)


def instructions(machine: str, *, counts_unmapped: bool, own_ipc: bool) -> list[Instruction]:
    """Return the filter as the kernel runs it.

    Raises:
        OSError: this kind of machine has no table here.
    """
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"There is no list of system calls for {machine}")
    audited, column = ARCHITECTURES[machine]
    made: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, audited),
        (ANSWER, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if machine == "x86_64":
        made += [(AT_LEAST, 0, 1, X32), (ANSWER, 0, 0, FAIL | errno.ENOSYS)]
    missing = {**MISSING, **({} if counts_unmapped else UNCOUNTED), **({} if own_ipc else OUTLIVING)}
    for table, error in ((REFUSED, errno.EPERM), (missing, errno.ENOSYS)):
        known = (numbers[column] for numbers in table.values())
        for number in (number for number in known if number is not None):
            made += [(EQUAL, 0, 1, number), (ANSWER, 0, 0, FAIL | error)]
    for call, test, argument in REFUSED_WITH:
        made += [
            (EQUAL, 0, 4, call[column]),
            (LOAD, 0, 0, FIRST_ARGUMENT),
            (test, 0, 1, argument),
            (ANSWER, 0, 0, FAIL | errno.EPERM),
            (ANSWER, 0, 0, ALLOW),
        ]
    made += [(EQUAL, 0, len(FAMILIES) + 2, SOCKET[column]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    made += [(EQUAL, len(FAMILIES) - place, 0, family) for place, family in enumerate(FAMILIES)]
    return [*made, (ANSWER, 0, 0, FAIL | errno.EAFNOSUPPORT), (ANSWER, 0, 0, ALLOW)]
