"""What a run leaves, taken over by a server that has no more rights than the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qumulus.services.outputs import MOST_OF_PROBLEM, members

NOBODY = 65534
PUBLISH = """
import json, os, sys
from pathlib import Path
from qumulus.services.outputs import publish
from qumulus.services.resources import Resources
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
found = publish(Path(sys.argv[1]), Resources())
print(json.dumps([sorted(found.files), found.complaints]))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with two files that belongs to a user who is not root."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        folder = Path(above) / "output"
        folder.mkdir()
        for path in (folder / "locked", folder / "open", folder):
            if path != folder:
                path.write_text("1")
            if os.geteuid() == 0:
                os.chown(path, NOBODY, NOBODY)
        yield folder
        folder.chmod(0o700)


def published(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the files, and the complaints."""
    command = [sys.executable, "-c", PUBLISH, folder, str(NOBODY)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files, complaints = json.loads(done.stdout)
    return files, complaints


def test_a_file_that_a_run_has_locked_is_left_out_and_told(folder):
    (folder / "locked").chmod(0)
    assert published(folder) == (["open"], ["The output locked was left out: the run has locked it."])


@pytest.mark.parametrize("mode", [0, 0o600])
def test_a_folder_that_a_run_has_locked_is_told(folder, mode):
    folder.chmod(mode)
    files, complaints = published(folder)
    assert files == []
    assert complaints
    assert all("was left out: the run has locked its folder." in complaint for complaint in complaints)


def test_what_is_larger_than_a_reason_is_not_read_as_one():
    reason = b'{"title": "X", "detail": "Y"}'
    assert members({"output.json": reason}) == {"title": "X", "detail": "Y"}
    assert members({"output.json": reason + b" " * MOST_OF_PROBLEM}) == {}
