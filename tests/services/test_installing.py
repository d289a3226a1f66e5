"""What programs can import: installed by uv or by pip, without a network here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from qumulus.services import environments, installing
from qumulus.services.environments import Environments
from qumulus.services.installing import NotInstalled
from services.wheels import only_from, wheel


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Path, list[str]]]:
    """Makes an environment: its interpreter, and what was said meanwhile."""
    for number in range(9):
        wheel(tmp_path, f"part{number}")
    wheel(tmp_path, "whole", *(f"part{number}" for number in range(9)))
    for name, value in only_from(tmp_path).items():
        monkeypatch.setenv(name, value)

    def make(*requirements: str) -> tuple[Path, list[str]]:
        said: list[str] = []
        environments = Environments(tmp_path / "environments")
        environments.make(requirements, progress=said.append)
        return environments.python(requirements), said

    return make


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pip":
        for module in (installing, environments):
            monkeypatch.setattr(module, "uv", lambda: None)
    return request.param


@pytest.mark.usefixtures("installer")
def test_it_is_said_how_many_packages_are_there(made: Callable[..., tuple[Path, list[str]]]):
    python, said = made("whole")
    assert said == [
        "Looking for the packages' versions.",
        "Installing its packages, 0 of 10.",
        "Installing its packages, 8 of 10.",
    ]
    program = "import loguru, part7, whole; print(whole.ANSWER)"
    assert subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout == "42\n"


@pytest.mark.usefixtures("installer")
def test_what_can_not_be_had_is_named(made: Callable[..., tuple[Path, list[str]]]):
    with pytest.raises(NotInstalled, match="nowhere"):
        made("nowhere")


def test_with_uv_nobody_waits_for_a_pip_that_is_not_asked(made: Callable[..., tuple[Path, list[str]]]):
    python, _ = made("part1")
    assert subprocess.run([python, "-c", "import pip"], capture_output=True).returncode == 1


def test_where_uv_fails_pip_is_asked(made: Callable[..., tuple[Path, list[str]]], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UV_FIND_LINKS", "")
    python, said = made("part1")
    assert "uv can't install the packages: trying pip." in said
    assert subprocess.run([python, "-c", "import part1"]).returncode == 0


@pytest.mark.parametrize("links", ["here", "nowhere"])
def test_packages_of_a_service_come_by_uv_and_else_by_pip_compiled(
    made: Callable[..., tuple[Path, list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: str
):
    if links == "nowhere":
        monkeypatch.setenv("UV_FIND_LINKS", "")
    kept = Environments(tmp_path / "environments")
    kept.make(("whole", "-c part1<2"))
    python = kept.python(("whole", "-c part1<2"))
    program = "import part1, whole; print(part1.__cached__)"
    told = subprocess.run([python, "-B", "-c", program], capture_output=True, text=True, check=True)
    assert Path(told.stdout.strip()).is_file()
    without_pip = subprocess.run([python, "-c", "import pip"], capture_output=True).returncode == 1
    assert without_pip == (links == "here")
