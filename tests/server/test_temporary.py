"""Temporary folders, and what is left of them when their owners are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from process_trees import gone
from qumulus.control.temporary import TemporaryFolder

OWNER = """
import subprocess, sys
from pathlib import Path
from qumulus.control.temporary import TemporaryFolder
folder = TemporaryFolder(Path(sys.argv[1]))
(folder.path / "state").mkdir()
(folder.path / "state" / "jobs.db").write_text("jobs")
if "heir" in sys.argv:
    heir = subprocess.Popen(["sleep", "60"], pass_fds=[folder.lock], stdout=subprocess.DEVNULL)
    print(heir.pid)
print(folder.path, flush=True)
sys.stdin.read()
"""


def killed(above: Path, *more: str) -> list[str]:
    """What a process printed that has made a folder and was killed."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(above), *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        said = [owner.stdout.readline().strip() for _ in range(1 + len(more))]
        TemporaryFolder(above).remove()
        assert (Path(said[-1]) / "state" / "jobs.db").is_file()  # it is owned
        owner.kill()
    return said


def test_a_folder_is_removed_with_all_that_is_in_it(tmp_path):
    folder = TemporaryFolder(tmp_path)
    (folder.path / "file").write_text("")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_an_owner_that_was_killed_has_left_is_removed_by_the_next_one(tmp_path):
    killed(tmp_path)
    folder = TemporaryFolder(tmp_path)
    assert list(tmp_path.iterdir()) == [folder.path]
    folder.remove()


def test_a_folder_stays_as_long_as_one_of_its_owners_lives(tmp_path):
    heir, path = killed(tmp_path, "heir")
    TemporaryFolder(tmp_path).remove()
    assert (Path(path) / "state" / "jobs.db").is_file()
    os.kill(int(heir), signal.SIGKILL)
    gone([int(heir)], 60)
    TemporaryFolder(tmp_path).remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", ["folder", "link", "node"])
def test_what_is_not_known_to_be_ours_is_left(tmp_path, other):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "owner").write_text("")
    above = tmp_path / "above"
    above.mkdir()
    if other == "link":
        (above / "qumulus-link").symlink_to(elsewhere)
    elif other == "folder":
        (above / "somebodys").mkdir()
        (above / "somebodys" / "owner").write_text("")
    else:
        (above / "qumulus-node-0").mkdir()
    TemporaryFolder(above).remove()
    assert len(list(above.iterdir())) == 1
    assert (elsewhere / "owner").is_file()
