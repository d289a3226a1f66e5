"""`qumulus doctor` and `qumulus upgrade`: what they find, and what they say is to be done."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from commands.cli import qumulus
from qumulus.core.jobs import NewJob
from qumulus.storage import open_storage
from qumulus.storage.database.sqlite import FILE

NOBODY = "http://127.0.0.1:9"
EARLIER = Path(__file__).parents[1] / "server" / "states" / "schema-0004.zip"


@pytest.fixture
def home(tmp_path) -> Path:
    with closing(open_storage(tmp_path / "home")) as storage:
        for payload in (b"small", bytes(100_000)):
            storage.jobs.submit(NewJob(account="local", device="brisbane", kind="echo", api="test", payload=payload))
    return tmp_path / "home"


def found(home: Path, **environment: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit status, and the findings by what they are about."""
    done = qumulus("doctor", "--home", str(home), "--url", NOBODY, "--json", **environment)
    assert done.stderr == ""
    return done.returncode, {each["what"]: each for each in json.loads(done.stdout)}


def test_a_sound_state_is_well(home):
    status, seen = found(home)
    assert status == 0
    assert seen["store"]["told"].startswith("2 jobs")
    assert {seen[what]["grade"] for what in ("version", "packages", "store", "tables", "clock", "credentials")} == {
        "well"
    }


def test_each_that_is_wrong_is_told_with_what_to_do(home):
    shutil.rmtree(home / "blobs")
    home.chmod(0o755)
    with closing(sqlite3.connect(home / FILE)) as database:
        database.execute("UPDATE jobs SET created_at = created_at + 86400000000")
        database.commit()
    (home / "ca").mkdir()
    (home / "ca" / "ca.pem").write_text("no certificate")
    status, seen = found(home, QUMULUS_HOST="0.0.0.0", QUMULUS_WORKER_MEMORY_MIB="99999999")
    assert status == 1
    grades = {
        what: seen[what]["grade"] for what in ("values", "folder", "clock", "certificate", "credentials", "workers")
    }
    assert grades == {
        "values": "wrong",
        "folder": "look",
        "clock": "wrong",
        "certificate": "wrong",
        "credentials": "wrong",
        "workers": "look",
    }
    assert all(each["do"] for each in seen.values() if each["grade"] != "well")


def test_a_damaged_database_is_told(home):
    with (home / FILE).open("r+b") as file:
        file.seek(4096)
        file.write(bytes(8192))
    status, seen = found(home)
    assert (status, seen["store"]["grade"]) == (1, "wrong")
    assert "qumulus restore" in seen["store"]["do"] + seen["store"]["told"] or "backup" in seen["store"]["told"]


def test_an_upgrade_is_tried_on_a_copy_and_then_made(tmp_path):
    with zipfile.ZipFile(EARLIER) as archive:
        archive.extractall(tmp_path)
    home = tmp_path / "oldstate"
    before = (home / FILE).read_bytes()
    tried = qumulus("upgrade", "--check", "--home", str(home))
    assert (tried.returncode, tried.stderr) == (0, "")
    assert "0005  The limit of an instance that an administrator has set" in tried.stdout
    assert "everything else are kept" in tried.stdout
    assert (home / FILE).read_bytes() == before
    _, seen = found(home)
    assert seen["tables"]["grade"] == "look"
    assert qumulus("upgrade", "--home", str(home)).stdout.endswith("Done.\n")
    assert "up to date" in qumulus("upgrade", "--check", "--home", str(home)).stdout
    _, seen = found(home)
    assert seen["tables"]["grade"] == "well"


def test_a_state_of_a_newer_version_is_refused_in_words(home):
    with closing(sqlite3.connect(home / FILE)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    for arguments in (["upgrade", "--check"], ["upgrade"]):
        done = qumulus(*arguments, "--home", str(home))
        assert done.returncode == 1
        assert "newer version of Qumulus" in done.stderr
    status, seen = found(home)
    assert (status, seen["tables"]["grade"]) == (1, "wrong")
