"""The built console is what its sources say."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from qumulus import console
from qumulus.openapi.jobs import REPOSITORY
from tools import program

SOURCES = REPOSITORY / "backend/console"
MINUTES = 5


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_files_are_built_from_the_sources(tmp_path: Path) -> None:
    npm = program("npm", needed_in_ci=True)
    built = tmp_path / "backend/console"
    shutil.copytree(SOURCES, built, ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "oas/emulator").mkdir(parents=True)
    shutil.copy(REPOSITORY / "oas/emulator/openapi.yaml", tmp_path / "oas/emulator")
    for command in (["ci", "--no-progress", "--loglevel=error"], ["run", "--silent", "build"]):
        done = subprocess.run([npm, *command], cwd=built, capture_output=True, text=True, timeout=MINUTES * 60)
        assert done.returncode == 0, done.stdout + done.stderr
    made = contents(tmp_path / "backend/qumulus/console/files")
    kept = contents(console.FILES)
    assert made.keys() == kept.keys(), "build it anew: make console"
    assert [name for name in kept if made[name] != kept[name]] == [], "build it anew: make console"


def test_no_built_file_asks_for_anything_elsewhere() -> None:
    page = (console.FILES / "index.html").read_text()
    assert "//" not in page.replace("<!doctype html>", "")
