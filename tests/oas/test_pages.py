"""The pages that are made from the specifications, and the README's table, say what the specifications say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qumulus.openapi import generate
from qumulus.openapi.jobs import REPOSITORY, apis
from qumulus.openapi.pages import README, SPECIFICATION, STATUS, pages


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the toolchain reads and writes."""
    for name in ("oas", "docs", "backend/qumulus/openapi"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for api in apis():
        shutil.copytree(REPOSITORY / api.models, tmp_path / api.models, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml", "backend/qumulus/__init__.py"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


def test_the_pages_made_from_the_specifications_are_up_to_date():
    assert generate.differences(pages(), []) == [], "run make generate-all"


def test_a_page_that_somebody_has_changed_by_hand_is_found_and_made_again(checkout):
    for page in (SPECIFICATION, STATUS):
        (checkout / page).write_text((checkout / page).read_text().replace("getJob", "getTheJob"))
    readme = checkout / README
    readme.write_text(readme.read_text().replace("| Qiskit Runtime REST API | ", "| Qiskit Runtime REST API | 1"))

    def toolchain(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qumulus.openapi", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(checkout / "backend")}
        return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=120)

    checked = toolchain("generate", "--check")
    assert checked.returncode == 1
    assert all(f"--- {page} (as it is)" in checked.stderr for page in (README, SPECIFICATION, STATUS)), checked.stderr
    assert toolchain("pages").stdout.split() == [
        "wrote",
        str(README),
        "wrote",
        str(SPECIFICATION),
        "wrote",
        str(STATUS),
    ]
    assert toolchain("pages", "--check").returncode == 0


def test_the_pages_speak_of_every_operation_of_every_api():
    made = pages()
    for page in (SPECIFICATION, STATUS):
        text = made[page].decode()
        assert text.count("\n## ") == len(apis())
        assert all(f" {name}" in text for name in ("/task/{taskId}", "/backends", "/datapools", "/emulator/reset"))
