"""What an execution keeps on the disk counts, wherever it stands and whether it has a name or not."""

from __future__ import annotations

import mmap
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from qumulus.core.results import Failure
from qumulus.services.child.inside.disk import Disk
from qumulus.services.sandbox import Sandbox
from services.programs import Programs

MiB = 1 << 20
LIMITS = {"disk_bytes": MiB, "disk_entries": 1000, "file_bytes": MiB}

# each keeps what `put` has written where it is not looked for
WAYS = {
    "beside_the_data_pools": "for number in range(40): put(f'{os.environ[\"DATAPOOL_DIRECTORY\"]}/{number}')",
    "open_without_a_name": """
    for number in range(40):
        held.append(put(f"{TMP}/{number}", unlinked=True))""",
    "mapped_without_a_name": """
    libc.mmap.restype = ctypes.c_void_p
    for number in range(40):
        file = put(f"{TMP}/{number}", unlinked=True)
        libc.mmap(None, ctypes.c_size_t(4096), 1, 2, file.fileno(), ctypes.c_long(0))
        file.close()""",
    "below_a_path_that_is_too_long": """
    os.chdir(TMP)
    for _ in range(22):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    for number in range(40): put(str(number))""",
    "in_a_locked_folder": """
    os.mkdir(f"{TMP}/d")
    os.chmod(f"{TMP}/d", 0o300)
    for number in range(40): put(f"{TMP}/d/{number}")""",
}
PUT = """
import ctypes, os, time
TMP, held, libc = os.environ["TMPDIR"], [], ctypes.CDLL(None, use_errno=True)
def put(path, unlinked=False):
    file = open(path, "w+b")
    if unlinked: os.unlink(path)
    file.write(bytes(1 << 20))
    file.flush()
    return file
"""


@pytest.mark.parametrize("own_root", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_kept_out_of_sight_counts_against_the_limit(tmp_path: Path, here: Sandbox, way: str, own_root: bool):
    without = replace(here, namespaces="none", landlock=True, drops_user=False)
    done = Programs(tmp_path, here if own_root else without).run(
        f"{PUT}\ndef run():\n    {WAYS[way].strip()}\n    time.sleep(60)", disk_bytes=20 * MiB
    )
    assert done.outcome.failure is Failure.REFUSED, done.texts
    assert done.outcome.reason == "Disk limit: The run wrote more than 20 MiB or 20,000 files."


def test_a_program_may_use_files_without_a_name_within_the_limit(programs: Programs):
    done = programs.run(
        """
        import mmap, tempfile, time
        def run():
            with tempfile.TemporaryFile() as file:
                file.write(bytes(8 << 20))
                with mmap.mmap(file.fileno(), 0) as mapped:
                    time.sleep(0.3)
                    return {"size": len(mapped)}
        """,
        disk_bytes=20 * MiB,
    )
    assert done.outcome.succeeded, done.outcome.reason
    assert done.result == {"size": 8 * MiB}


def test_room_that_the_disk_has_lost_counts_while_files_are_on_their_way(tmp_path: Path):
    disk = Disk([str(tmp_path)], [], LIMITS)
    disk._free = [free + 100 * MiB for free in disk._left()]  # as if it had been written meanwhile
    ours, theirs = socket.socketpair()
    with ours, theirs, (tmp_path / "kept").open("wb") as file:
        assert not disk.over([os.getpid()])  # others may have written it
        socket.send_fds(ours, [b"x"], [file.fileno()])
        assert disk.over([os.getpid()])


def test_a_file_counts_once_however_often_it_is_open_and_not_where_it_has_a_name(tmp_path: Path):
    disk = Disk([str(tmp_path)], [], LIMITS)
    with (tmp_path / "kept").open("w+b") as file:
        file.write(bytes(MiB * 3 // 4))
        file.flush()
        with os.fdopen(os.dup(file.fileno()), "rb"), mmap.mmap(file.fileno(), 0):
            assert not disk.over([os.getpid()])
            (tmp_path / "kept").unlink()
            assert not disk.over([os.getpid()])
            file.write(bytes(MiB // 2))
            file.flush()
            assert disk.over([os.getpid()])
