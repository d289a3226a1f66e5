"""`qumulus backup` and `qumulus restore`, and what they say where they can't."""

from __future__ import annotations

import json
from contextlib import closing

from commands.cli import qumulus
from qumulus.core.accounts import Account
from qumulus.storage import open_storage


def test_a_state_that_is_used_is_kept_and_put_back(tmp_path):
    home, file = tmp_path / "home", tmp_path / "kept.tar"
    with closing(open_storage(home)) as storage:
        storage.accounts.add_account(Account(id="second", name="Second"))
        done = qumulus("backup", str(file), "--home", str(home))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{file} has the state of {home} as of ")
    again = qumulus("backup", str(file), "--home", str(home))
    assert (again.returncode, again.stderr) == (1, f"There is a file {file} already: name one that is not there.\n")
    back = qumulus("restore", str(file), "--json", QUMULUS_HOME=str(tmp_path / "other"))
    assert json.loads(back.stdout)["jobs"] == 0
    with closing(open_storage(tmp_path / "other")) as storage:
        assert "second" in [account.id for account in storage.accounts.accounts()]
    used = qumulus("restore", str(file), "--home", str(home))
    assert used.returncode == 1
    assert "stop its server and move it away" in used.stderr


def test_where_the_state_is_in_postgresql_its_own_tools_are_named(tmp_path):
    url = "postgresql://somebody:hidden@localhost:1/state"
    done = qumulus("backup", str(tmp_path / "kept.tar"), QUMULUS_DATABASE=url)
    assert done.returncode == 1
    assert "pg_dump --format=custom" in done.stderr
    assert "hidden" not in done.stderr
