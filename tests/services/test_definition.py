"""What the files of a service say of how it is to be run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from qumulus.core.errors import InvalidRequest
from qumulus.core.services import Deployment, ServiceState
from qumulus.services.definition import read
from qumulus.services.host import registry_of
from qumulus.services.registry import ServiceRegistry
from qumulus.services.resources import Resources
from qumulus.storage import open_storage

PROGRAM = "def run(data, params):\n    return data\n"
CONTAINERS = {  # as the platform's samples of containers look
    "node": {"Dockerfile": "FROM node:lts\n", "src/index.js": ""},
    "python": {"Dockerfile": "FROM python:latest\n", "main.py": ""},
    "go": {"Dockerfile": "FROM golang:latest\n", "main.go": ""},
    "declared": {"planqk.json": '{"runtime": "DOCKER"}', "Dockerfile": "", "src/program.py": PROGRAM},
}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[ServiceRegistry]:
    storage = open_storage(tmp_path / "state")
    yield registry_of(storage, resources=Resources(), secret=bytes)[0]
    storage.close()


def made(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_folder_with_a_dockerfile_and_no_program_is_a_container(tmp_path: Path, kind: str):
    found = read(made(tmp_path, CONTAINERS[kind]), "a", Deployment(), Resources())
    assert (found.container, found.requirements, found.notice) == (True, (), None)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_container_is_refused_where_nothing_can_build_it(
    tmp_path: Path, registry: ServiceRegistry, kind: str, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "rm").symlink_to(str(shutil.which("rm")))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidRequest, match="neither podman nor docker"):
        registry.deploy("a", {name: text.encode() for name, text in CONTAINERS[kind].items()}, Deployment())


def test_a_container_without_its_dockerfile_is_refused(tmp_path: Path):
    folder = made(tmp_path, {"planqk.json": '{"runtime": "DOCKER"}', "src/program.py": PROGRAM})
    with pytest.raises(InvalidRequest, match="put a Dockerfile into its folder"):
        read(folder, "a", Deployment(), Resources())


def test_a_program_that_can_not_be_read_is_no_container(tmp_path: Path):
    with pytest.raises(InvalidRequest, match="has no function named run"):
        read(made(tmp_path, {"Dockerfile": "FROM x\n", "src/program.py": "x = 1"}), "a", Deployment(), Resources())


def test_whoever_deploys_is_told_that_a_dockerfile_is_not_used(registry: ServiceRegistry):
    files = {"Dockerfile": b"FROM template\n", "src/program.py": PROGRAM.encode()}
    service = registry.deploy("both", files, Deployment())
    assert service.state is ServiceState.READY
    assert service.reason is not None
    assert service.reason.startswith("Its Dockerfile is not used")
    assert registry.deploy("alone", {"src/program.py": files["src/program.py"]}, Deployment()).reason is None
