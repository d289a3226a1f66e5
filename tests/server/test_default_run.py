"""What is for several machines is neither installed nor imported where nobody asks for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTRAS = ("psycopg", "psycopg-binary", "ray", "boto3", "botocore")
MODULES = (
    "cryptography",
    "jwt",
    "tarfile",
    "psycopg",
    "ray",
    "boto3",
    "botocore",
    "qumulus.storage.database.postgres",
    "qumulus.storage.database.notify",
    "qumulus.serving.supervisor",
)

MOST_MODULES = 900  # beside those of the APIs, of which each operation brings some
"""That the process that answers has imported once it is ready: 1,127, when this was written."""


def locked(name: str) -> set[str]:
    """The packages of a lock."""
    lines = (ROOT / name).read_text().splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line and not line.startswith(" ")}


def test_the_default_installation_has_no_package_of_an_extra():
    assert locked("requirements.txt").isdisjoint(EXTRAS)
    assert "psycopg" in locked("requirements-postgres.txt")
    assert "hatchling" in locked("requirements.txt"), "what builds is fetched like the rest, by its hash"
    assert all("--hash=sha256:" in (ROOT / name).read_text() for name in ("requirements-postgres.txt",))
    assert "://" not in (ROOT / "requirements-postgres.txt").read_text()


def test_the_default_server_imports_nothing_of_it(tmp_path):
    code = (
        "import sys, qumulus.cli, qumulus.serving.server, qumulus.serving.app; qumulus.serving.app.create_app();"
        f"print([name for name in {MODULES!r} if name in sys.modules],"
        "sum(not name.startswith('qumulus.apis.') for name in sys.modules))"
    )
    environment = {"QUMULUS_HOME": str(tmp_path / "state"), "PATH": ""}
    told = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment, timeout=60)
    found, _, number = told.strip().rpartition(" ")
    assert found == "[]"
    assert int(number) < MOST_MODULES, "a start is half imports: a new one has to be worth it"


def test_a_missing_driver_is_told_with_the_name_of_the_extra(tmp_path):
    code = "import sys; sys.modules['psycopg'] = None; from qumulus.serving.server import main; main(['--port', '0'])"
    url = "postgresql://somebody:secret-word@127.0.0.1:1/cloud"
    environment = {"QUMULUS_HOME": str(tmp_path / "state"), "QUMULUS_DATABASE": url, "PATH": ""}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "pip install 'qumulus[postgres]'" in ended.stderr
    assert "secret-word" not in ended.stdout + ended.stderr


def test_a_database_that_is_not_there_is_told_without_its_password(tmp_path):
    url = "postgresql://somebody:secret-word@127.0.0.1:1/cloud?sslmode=disable&password=other-secret"
    for given, told in (
        (url, "can't be reached"),
        ("mysql://a:secret-word@b/c", "are not supported"),
        ("x:secret-word", "can't be read"),
        ("postgresql://somebody:other@secret-word@127.0.0.1:1/cloud", "as %40"),
    ):
        environment = {"QUMULUS_HOME": str(tmp_path / "state"), "QUMULUS_DATABASE": given, "PATH": ""}
        ended = subprocess.run(
            [sys.executable, "-m", "qumulus", "serve", "--port", "0"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 2
        assert told in ended.stderr
        assert len(ended.stderr.strip().splitlines()) == 1
        assert "secret" not in ended.stdout + ended.stderr
