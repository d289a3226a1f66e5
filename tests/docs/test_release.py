"""`make release-check` finds what a release would lack."""

from __future__ import annotations

import importlib.util
import json
import subprocess

import pytest

from qumulus.openapi.jobs import REPOSITORY

NOTES = "# Changes\n\n## {}\n\n**New**\n\n- A thing.\n\n**Deprecated**\n\nNothing.\n\n## 0.0.9\n\nOld.\n"


@pytest.fixture
def release():
    spec = importlib.util.spec_from_file_location("release_check", REPOSITORY / "deploy" / "release_check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path):
    """A checkout with one commit, ready for 0.1.0."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "backend" / "qumulus").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    (tmp_path / "backend" / "qumulus" / "__init__.py").write_text('__version__ = "0.1.0"\n')
    (tmp_path / "docs" / "CHANGELOG.md").write_text(NOTES.format("0.1.0"))
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "All")):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_a_checkout_that_is_ready_has_no_complaint(release, checkout):
    assert list(release.complaints(checkout)) == []


def test_what_is_missing_is_told_at_once(release, checkout):
    subprocess.run(["git", "tag", "0.1.0"], cwd=checkout, check=True)
    (checkout / "backend" / "qumulus" / "__init__.py").write_text('__version__ = "0.0.9"\n')
    (checkout / "docs" / "CHANGELOG.md").write_text(NOTES.format("0.2.0, in the making").replace("**Deprecated**", ""))
    said = "\n".join(release.complaints(checkout))
    for what in (
        "and the package 0.0.9",
        "begin with '0.2.0, in the making'",
        "**Deprecated**",
        "no commit has",
        "is a tag 0.1.0",
    ):
        assert what in said


def test_the_changes_of_this_version_say_what_is_deprecated(release):
    text = (REPOSITORY / "docs" / "CHANGELOG.md").read_text()
    newest = text.partition("\n## ")[2].partition("\n")[0]
    assert list(release.changelog(text, newest)) == []


def test_the_container_for_development_sets_up_what_make_does():
    told = json.loads((REPOSITORY / ".devcontainer" / "devcontainer.json").read_text())
    assert told["postCreateCommand"].endswith("make setup")
    needed = (REPOSITORY / ".ci" / "run").read_text()
    for package in ("chromium", "fish", "zsh", "nginx-light"):
        assert package in told["postCreateCommand"]
        assert package.partition("-")[0] in needed
