"""The sample API: a small tree that has one of everything, taken through the whole toolchain."""

from __future__ import annotations

import importlib
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from qumulus.openapi import generate
from qumulus.openapi.jobs import REPOSITORY, apis

SAMPLE = Path(__file__).parent / "sample" / "oas"


def options() -> str:
    """The generator's options of this repository, without its jobs, as TOML."""
    text = (REPOSITORY / "pyproject.toml").read_text()
    start = text.index("[tool.datamodel-codegen]")
    section = text[start : text.index("[tool.datamodel-codegen.jobs", start)]
    assert tomllib.loads(section)
    return section


@pytest.fixture(scope="session")
def sample_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that has the sample API and nothing else."""
    tree = tmp_path_factory.mktemp("sample")
    shutil.copytree(SAMPLE, tree / "oas")
    job = '[tool.datamodel-codegen.jobs.sample]\ninput = "oas/openapi.yaml"\noutput = "sample_models"\n'
    (tree / "pyproject.toml").write_text(options() + job)
    chosen = apis(repository=tree)
    documents = generate.bundles(chosen, tree)
    generate.put({**documents, **generate.models(chosen, documents, tree)}, [], tree)
    return tree


@pytest.fixture(scope="session")
def sample(sample_tree: Path) -> Iterator[ModuleType]:
    """The package of the sample's generated models."""
    sys.path.insert(0, str(sample_tree))
    yield importlib.import_module("sample_models")
    sys.path.remove(str(sample_tree))
    for name in [name for name in sys.modules if name.split(".")[0] == "sample_models"]:
        del sys.modules[name]
