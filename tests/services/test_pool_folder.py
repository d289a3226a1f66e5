"""Data pools as folders in which programs write meanwhile."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from pathlib import Path

from qumulus.services.pool_folder import put_in


def test_a_program_that_swaps_a_file_for_a_link_while_it_is_kept_changes_nothing_outside(tmp_path: Path):
    pool, outside = tmp_path / "pool", tmp_path / "secret"
    pool.mkdir()
    outside.write_bytes(b"a secret")
    outside.chmod(0o600)
    swapped = threading.Event()

    def swap() -> None:
        while not swapped.is_set():
            for name in os.listdir(pool):
                (pool / name).unlink()
                (pool / name).symlink_to(outside)
                swapped.set()

    program = threading.Thread(target=swap)
    program.start()
    with contextlib.suppress(FileNotFoundError):  # between its two steps, there is nothing of that name
        put_in(pool, "data.bin", bytes(64 << 20))  # long enough for the other to see it
    swapped.set()
    program.join()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
    assert outside.read_bytes() == b"a secret"
