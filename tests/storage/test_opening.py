"""Opening a state folder: what is made, what is brought up to date, what is swept, what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import databases
import qumulus.storage
from qumulus.core.accounts import Caller
from qumulus.core.clock import SystemClock
from qumulus.core.jobs import NewJob
from qumulus.serving.runners import opened
from qumulus.serving.start_error import StartError
from qumulus.settings import Settings
from qumulus.storage import StateUnusable, open_storage
from qumulus.storage.database import schema, texts
from qumulus.storage.database.database import Database
from qumulus.storage.database.sqlite import FILE, file_system, refuse_network, refuse_without_texts
from qumulus.storage.database.tables import metadata
from qumulus.storage.storage import open_database

ME = Caller(account="local")


def job(**members: object) -> NewJob:
    return NewJob(**({"account": "local", "device": "brisbane", "kind": "echo", "api": "test"} | members))


def migrated(folder) -> Database:
    folder.mkdir()
    database = open_database(folder, databases.url(folder, empty=True), SystemClock())
    schema.upgrade(database)
    return database


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path):
    database = migrated(tmp_path / "state")
    with database.engine.connect() as connection:
        ours = {
            "compare_type": True,
            "include_name": lambda name, *_: not str(name).startswith((texts.TABLE, texts.INDEX)),
        }
        context = MigrationContext.configure(connection, opts=ours)
        assert compare_metadata(context, metadata) == []
        assert schema.current(connection) == schema.HEAD
    database.close()


def test_a_python_whose_database_lacks_full_texts_is_told_which_else_to_use():
    refuse_without_texts()
    with pytest.raises(StateUnusable, match="made without FTS5, by which jobs are searched: use another Python"):
        refuse_without_texts("ENABLE_NOTHING")


def test_the_newest_migration_is_the_one_that_a_start_looks_for():
    folder = qumulus.storage.__path__[0] + "/database/migrations"
    assert ScriptDirectory(folder).get_current_head() == schema.HEAD


@pytest.mark.only("sqlite")
def test_limits_that_were_set_before_an_administrator_could_are_the_administrators(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    database = open_database(folder, None, SystemClock())
    schema.upgrade(database, "0004")
    with database.changing() as connection:
        connection.exec_driver_sql("INSERT INTO accounts VALUES ('local', 'Local', NULL)")
        for name in ("test", "research"):
            row = f"('crn:{name}', '{name}', 'local', 'open', 'us-east', '[]', 60)"
            connection.exec_driver_sql(f"INSERT INTO instances VALUES {row}")
    schema.upgrade(database)
    database.close()
    storage = open_storage(folder)
    known = {each.name: (each.limit_seconds, each.granted_seconds) for each in storage.accounts.instances("local")}
    storage.close()
    assert known == {"research": (60, 60), "test": (60, None)}
    database = open_database(folder, None, SystemClock())
    schema.downgrade(database, "0004")
    database.close()


def test_a_state_made_by_migrations_is_used_like_a_fresh_one(tmp_path):
    migrated(tmp_path / "state").close()
    storage = open_storage(tmp_path / "state")
    kept = storage.jobs.submit(job())
    assert storage.jobs.get(kept.id, ME) == kept
    storage.close()


@pytest.mark.only("sqlite")
def test_a_start_on_current_tables_does_not_import_the_migrations(tmp_path):
    code = f"import sys, pathlib, qumulus.storage as s; s.open_storage(pathlib.Path({str(tmp_path / 'state')!r})).close(); print('alembic' in sys.modules)"
    for _ in range(2):
        assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_tables_of_a_newer_version_are_refused(tmp_path, monkeypatch):
    open_storage(tmp_path).close()
    monkeypatch.setattr(schema, "HEAD", "0000")
    with pytest.raises(StateUnusable, match="newer version"):
        open_storage(tmp_path)


def test_tables_of_another_program_are_refused(tmp_path):
    open_storage(tmp_path).close()
    made = open_database(tmp_path, databases.url(tmp_path), SystemClock())
    with made.changing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '00a1b2c3d4e5'")
    made.close()
    with pytest.raises(StateUnusable, match="belongs to another program"):
        open_storage(tmp_path)


@pytest.fixture
def stranger(tmp_path) -> Iterator[str]:
    """The URL of the state's database for a user who may do nothing there but connect."""
    open_storage(tmp_path).close()
    made = open_database(tmp_path, databases.url(tmp_path), SystemClock())
    with made.changing() as connection:
        connection.exec_driver_sql("CREATE ROLE stranger LOGIN")
    yield str(databases.url(tmp_path)).replace("//postgres:@", "//stranger:@")
    with made.changing() as connection:
        connection.exec_driver_sql("DROP OWNED BY stranger; DROP ROLE stranger")
    made.close()


@pytest.mark.only("postgres")
def test_tables_that_may_not_be_read_are_told_in_one_line(tmp_path, stranger):
    with pytest.raises(StateUnusable, match="permission denied for table alembic_version") as refused:
        open_storage(tmp_path, url=stranger)
    assert "\n" not in str(refused.value)


@pytest.mark.only("postgres")
def test_tables_that_may_not_be_made_are_told_in_one_line(tmp_path, stranger):
    empty = databases.url(tmp_path / "other", empty=True)
    with pytest.raises(StateUnusable, match="permission denied for schema public") as refused:
        open_storage(tmp_path, url=str(empty).replace("//postgres:@", "//stranger:@"))
    assert "\n" not in str(refused.value)


@pytest.mark.only("postgres")
def test_a_start_that_may_not_write_ends_with_a_sentence(tmp_path, stranger):
    made = open_database(tmp_path, databases.url(tmp_path), SystemClock())
    with made.changing() as connection:
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO stranger")
    made.close()
    with pytest.raises(StartError, match="can't be used now"):
        opened(Settings(home=tmp_path, database=stranger))


@pytest.mark.only("sqlite")
def test_a_damaged_database_is_refused_with_one_line(tmp_path):
    storage = open_storage(tmp_path)
    for number in range(300):
        storage.jobs.submit(job(payload=bytes([number % 256]) * 3000))
    storage.close()
    path = tmp_path / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * 8192 + whole[len(whole) // 2 + 8192 :])
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path)
    assert "damaged" in str(refused.value)
    assert "put back a copy" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.only("sqlite")
def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / FILE).write_bytes(b"something else entirely" * 1000)
    with pytest.raises(StateUnusable, match="damaged"):
        open_storage(tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StateUnusable, match="can't be used"):
        open_storage(tmp_path / "state")


@pytest.mark.only("sqlite")
def test_a_file_where_large_values_belong_is_refused(tmp_path):
    (tmp_path / "blobs").write_text("")
    with pytest.raises(StateUnusable, match="blobs can't be used: File exists"):
        open_storage(tmp_path)


@pytest.mark.parametrize("name", ["", FILE, "presigning.key"])
def test_what_belongs_to_another_user_is_refused_and_not_called_damaged(tmp_path, monkeypatch, name):
    open_storage(tmp_path).close()
    others = tmp_path / name
    if name:
        others.touch()
    monkeypatch.setattr("os.access", lambda path, _mode: path != others)  # the tests may run as root, who may write all
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path)
    assert str(refused.value).startswith(f"{others} can't be read and written by the user who starts this: ")


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:50 / /home rw shared:2 - nfs4 server:/export rw
31 30 0:51 / /home/me/local rw shared:3 - xfs /dev/vdb rw
32 22 0:52 / /mnt/with\\040blank rw - fuse.sshfs somewhere rw
"""


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/x", "ext4"),
        ("/home/me", "nfs4"),
        ("/home/me/local/x", "xfs"),
        ("/mnt/with blank/x", "fuse.sshfs"),
        ("/homely", "ext4"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_its_nearest_mount(folder, kind, tmp_path):
    from pathlib import Path

    assert file_system(Path(folder), MOUNTS) == kind


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse.sshfs", "9p"])
def test_a_network_file_system_is_refused_by_name(tmp_path, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 254:0 / / rw - {kind} x rw\n")
    with pytest.raises(StateUnusable, match=f"network file system \\({kind}\\)"):
        refuse_network(tmp_path, mounts)


@pytest.mark.only("sqlite")
def test_blobs_that_no_row_names_are_swept_when_nobody_else_is_there(tmp_path):
    first = open_storage(tmp_path)
    kept = first.jobs.submit(job(payload=b"p" * 100_000))
    (named,) = first.blobs.keys()
    first.blobs.put("ab" * 16, b"left by a crash")
    unfinished = tmp_path / "blobs" / "ab" / ("cd" * 16 + ".unfinished")
    unfinished.write_bytes(b"half")
    second = open_storage(tmp_path)
    assert len(list(second.blobs.keys())) == 2
    second.close()
    first.close()
    third = open_storage(tmp_path)
    assert list(third.blobs.keys()) == [named]
    assert not unfinished.exists()
    assert third.jobs.payload(kept.id) == b"p" * 100_000
    third.close()


def test_what_one_process_sets_another_sees(tmp_path):
    code = (
        "import sys, pathlib; from qumulus.storage import open_storage; from qumulus.core.devices import DeviceSettings;"
        "s = open_storage(pathlib.Path(sys.argv[1]), url=sys.argv[2] or None); s.device_settings.set('brisbane', DeviceSettings(online=False, message='away')); s.close()"
    )
    storage = open_storage(tmp_path)
    assert storage.device_settings.settings("brisbane").online
    subprocess.run([sys.executable, "-c", code, str(tmp_path), databases.url(tmp_path) or ""], check=True, timeout=60)
    import time

    deadline = time.monotonic() + 60
    while storage.device_settings.settings("brisbane").online and time.monotonic() < deadline:
        time.sleep(0.01)
    assert storage.device_settings.settings("brisbane").message == "away"
    storage.close()


def test_a_folder_that_is_made_is_for_its_owner_alone_and_one_that_was_there_stays_as_it_is(tmp_path):
    open_storage(tmp_path / "new").close()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    old = tmp_path / "old"
    old.mkdir(mode=0o755)
    open_storage(old).close()
    assert old.stat().st_mode & 0o777 == 0o755


@pytest.mark.only("sqlite")
def test_a_folder_that_was_refused_can_be_opened_when_it_is_mended(tmp_path):
    (tmp_path / FILE).write_bytes(b"something else entirely" * 1000)
    for _ in range(2):
        with pytest.raises(StateUnusable):
            open_storage(tmp_path)
    (tmp_path / FILE).unlink()
    open_storage(tmp_path).close()
