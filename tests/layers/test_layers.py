"""What may import what is a rule: imports that break it are put into a copy of the code, and each is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")

ILLEGAL = [
    # importer, imported: one of each kind that deny-lists let pass, and more
    ("apis.ibm.runtime.jobs", "qumulus.apis.oqtopus.names"),
    ("apis.emulator.jobs", "qumulus.apis.ibm.names"),
    ("apis.oqtopus.user.tasks", "qumulus.apis.planqk.media_types"),
    ("apis.planqk.quantum.jobs", "qumulus.apis.emulator.errors"),
    ("apis.ibm.runtime.backends", "sqlalchemy"),
    ("apis.ibm.runtime.sessions", "qumulus.storage.accounts"),
    ("apis.ibm.runtime.usage", "qumulus.simulation.noise"),
    ("apis.ibm.runtime.workloads", "qumulus.serving.app"),
    ("apis.oqtopus.provider.devices", "qumulus.apis.oqtopus.user.schemas.device"),
    ("apis.ibm.account.operations", "qumulus.apis.ibm.runtime.usage"),
    ("core.jobs", "qumulus.settings"),
    ("core.devices", "httpx2"),
    ("core.accounts", "cryptography"),
    ("core.results", "jwt"),
    ("core.sessions", "uvicorn"),
    ("storage.accounts", "qumulus.services.archive"),
    ("simulation.noise", "qumulus.execution.wire"),
    ("catalogue.index", "qumulus.storage.accounts"),
    ("catalogue.snapshots", "qumulus.execution.wire"),
    ("core.waiting", "qumulus.catalogue.index"),
    ("core.errors", "qumulus.services.archive"),
    ("services.archive", "qumulus.catalogue.index"),
    ("execution.wire", "qumulus.simulation.noise"),
    ("http.front", "qiskit"),
    ("interception.sites", "qumulus.core.errors"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that the contracts are about."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("backend", "tests/layers"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def complaints(folder: Path) -> str:
    """What the linter prints, in one line."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "backend")}
    ran = subprocess.run([LINT, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return " ".join(ran.stdout.split()) + ran.stderr


def module(folder: Path, name: str) -> Path:
    """The file of a module of Qumulus."""
    return (folder / "backend/qumulus").joinpath(*name.split(".")).with_suffix(".py")


def test_the_code_keeps_all_contracts(copy):
    assert "0 broken" in complaints(copy)


def test_every_illegal_import_is_noticed(copy):
    before = {importer: module(copy, importer).read_text() for importer, _ in ILLEGAL}
    for importer, imported in ILLEGAL:
        with module(copy, importer).open("a") as file:
            file.write(f"\nimport {imported}\n")
    said = complaints(copy)
    for importer, content in before.items():
        module(copy, importer).write_text(content)
    missed = [pair for pair in ILLEGAL if f"qumulus.{pair[0]} may not import {pair[1]}." not in said]
    assert missed == []


def test_a_package_that_comes_later_needs_a_row_and_a_floor(copy):
    later = module(copy, "later.anything")
    later.parent.mkdir()
    later.parent.joinpath("__init__.py").write_text("")
    later.write_text("import sqlalchemy\n")
    said = complaints(copy)
    shutil.rmtree(later.parent)
    assert "qumulus.later has no row in the table" in said
    assert "later" in said.partition("Broken contracts")[2].partition("Each package stands on one floor")[2]


def test_a_family_that_comes_later_may_import_no_other(copy):
    fourth = module(copy, "apis.fourth.jobs")
    fourth.parent.mkdir()
    fourth.parent.joinpath("__init__.py").write_text("")
    fourth.write_text("import qumulus.apis.ibm.names\nimport qumulus.storage.accounts\n")
    said = complaints(copy)
    shutil.rmtree(fourth.parent)
    assert "qumulus.apis.fourth.jobs may not import qumulus.apis.ibm.names." in said
    assert "qumulus.apis.fourth.jobs may not import qumulus.storage.accounts." in said


def test_an_allowance_that_nothing_uses_is_noticed(copy):
    project = copy / "pyproject.toml"
    before = project.read_text()
    project.write_text(before.replace('"dispatching: core"', '"dispatching: core openapi | yaml"'))
    said = complaints(copy)
    project.write_text(before)
    assert "The row of dispatching allows openapi, which nothing there imports." in said
    assert "The row of dispatching allows yaml, which nothing there imports." in said


def test_a_circle_is_noticed(copy):
    before = module(copy, "core.jobs").read_text()
    with module(copy, "core.jobs").open("a") as file:
        file.write("\n\ndef circle():\n    import qumulus.core.workloads\n")
    said = complaints(copy)
    module(copy, "core.jobs").write_text(before)
    assert (
        "qumulus.core.jobs <- qumulus.core.workloads" in said or "qumulus.core.workloads <- qumulus.core.jobs" in said
    )
