"""`make` alone explains everything; the targets and their texts are those of the workflow that they come from."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qumulus.openapi.jobs import REPOSITORY, apis

TARGETS = {
    "generate-all": "Generate user and provider openapi.yaml",
    "generate-user": "Generate user openapi.yaml",
    "generate-provider": "Generate provider openapi.yaml",
    "help": "Show this help message",
    "lint-all": "Lint user and provider",
    "lint-user": "Lint user openapi.yaml",
    "lint-provider": "Lint provider openapi.yaml",
    "down": "Stop the DB",
    "fmt": "Format code",
    "generate-all-schema": "Generate user and schemas",
    "generate-user-schema": "Generate user schema",
    "generate-provider-schema": "Generate provider schema",
    "lint": "Run linters",
    "run-user": "Start the User API",
    "run-provider": "Start the Provider API",
    "test": "Run tests",
    "up": "Start the DB",
}


@pytest.fixture(scope="module")
def told() -> str:
    return subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target_with_its_text_in_one_column(told):
    listed = [line for line in told.splitlines() if line.startswith("  ")]
    texts = {line.split()[0]: line[29:] for line in listed}
    assert told.startswith("Usage: make [target]\n\nAvailable targets:\n")
    for target, text in TARGETS.items():
        assert texts[target].startswith(text), target
    assert all(line[28] == " " != line[29] for line in listed)


def test_make_alone_names_every_api(told):
    for api in apis():
        assert api.name in told


LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-postgres.txt", "requirements-s3.txt",
    "requirements-cluster.txt", "tests/requirements.txt")  # fmt: skip
EVERYTHING = "tests/requirements-machines.txt"


def locked(name: str) -> dict[str, str]:
    """Versions by package."""
    lines = (REPOSITORY / name).read_text().splitlines()
    assert not any("://" in line for line in lines), "a lock names no host"
    pinned = [line for line in lines if "==" in line and not line.startswith(" ")]
    assert sum("--hash=sha256:" in line for line in lines) >= len(pinned)
    return {package: rest.split()[0] for package, _, rest in (line.partition("==") for line in pinned)}


@pytest.mark.parametrize("name", LOCKS)
def test_every_lock_has_the_versions_of_the_one_that_has_everything(name):
    versions = locked(name)
    assert versions
    assert versions.items() <= locked(EVERYTHING).items()


def test_specifications_are_bundled_and_checked_with_the_tools_of_development_alone():
    tools = {*locked("requirements-dev.txt"), "qumulus"}
    code = (
        "import sys, importlib.metadata as metadata;"
        "others = [module for module, packages in metadata.packages_distributions().items()"
        f" if {tools!r}.isdisjoint(package.lower().replace('_', '-') for package in packages)];"
        "sys.modules.update(dict.fromkeys(others));"
        "import qumulus.openapi.__main__, qumulus.openapi.lint;"
        "print('fastapi' in others)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout == "True\n", ran.stderr


def test_what_generates_needs_no_server_no_simulation_and_no_cluster():
    assert {"fastapi", "sqlalchemy", "qiskit", "numpy", "ray", "boto3", "moto", "playwright", "psycopg"}.isdisjoint(
        locked("requirements-dev.txt")
    )
    assert {"ray", "boto3", "moto"}.isdisjoint(locked("tests/requirements.txt"))
