"""What the files of a service say of how it is to be run."""

from __future__ import annotations

from pathlib import Path

import pytest

from qumulus.core.errors import InvalidRequest
from qumulus.core.services import Deployment, ServiceState
from qumulus.services.definition import read
from qumulus.services.host import registry_of
from qumulus.services.resources import Resources
from qumulus.storage import open_storage

PROGRAM = "def run(data, params):\n    return data\n"
CONTAINERS = {  # as the platform's samples of containers look
    "node": {"Dockerfile": "FROM node:lts\n", "src/index.js": ""},
    "python": {"Dockerfile": "FROM python:latest\n", "main.py": ""},
    "go": {"Dockerfile": "FROM golang:latest\n", "main.go": ""},
    "declared": {"planqk.json": '{"runtime": "DOCKER"}', "Dockerfile": "", "src/program.py": PROGRAM},
}


def made(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_container_is_refused_with_a_sentence(tmp_path: Path, kind: str):
    with pytest.raises(InvalidRequest, match="Containers are not run here, only Python programs"):
        read(made(tmp_path, CONTAINERS[kind]), "a", Deployment(), Resources())


def test_whoever_deploys_is_told_that_a_dockerfile_is_not_used(tmp_path: Path):
    files = {"Dockerfile": b"FROM template\n", "src/program.py": PROGRAM.encode()}
    storage = open_storage(tmp_path / "state")
    try:
        registry, _ = registry_of(storage, resources=Resources(), secret=bytes)
        service = registry.deploy("both", files, Deployment())
        assert service.state is ServiceState.READY
        assert service.reason is not None
        assert service.reason.startswith("Its Dockerfile is not used")
        assert registry.deploy("alone", {"src/program.py": files["src/program.py"]}, Deployment()).reason is None
    finally:
        storage.close()
