"""Generation: the files are made in a place of their own, and then either written or compared.

Writing and checking share everything up to the last step, so `--check` can't be kinder than the generator.
"""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import yaml12
from .bundle import bundle
from .jobs import REPOSITORY, Api

Files = Mapping[Path, bytes]  # by path relative to the repository
HEADER = "# Bundled from root.yaml, paths/ and schemas/: change those and run make generate-all.\n"
DIFF_LINES = 12


class GeneratorError(Exception):
    """datamodel-codegen refused; the text is what it said."""


def bundles(chosen: Sequence[Api], repository: Path = REPOSITORY) -> Files:
    """Return the one-file documents.

    Raises:
        BundleError
    """
    return {api.bundle: (HEADER + yaml12.write(bundle(repository / api.root))).encode() for api in chosen}


def models(chosen: Sequence[Api], documents: Files, repository: Path = REPOSITORY) -> Files:
    """Return the Pydantic models, one package an API, and beside them the document as JSON.

    ``documents`` are the bundles to make them from. The generator runs in a copy of the tree that holds nothing else.

    Raises:
        GeneratorError
    """
    with tempfile.TemporaryDirectory(prefix="qumulus-generate-") as name:
        place = Path(name)
        shutil.copy(repository / "pyproject.toml", place)
        for path, content in documents.items():
            (place / path).parent.mkdir(parents=True)
            (place / path).write_bytes(content)
        command = [sys.executable, "-m", "datamodel_code_generator"]
        for api in chosen:
            (place / api.models.parent).mkdir(parents=True, exist_ok=True)
            command += ["--job", api.name]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise GeneratorError(done.stderr.strip() or done.stdout.strip())
        made = {
            path.relative_to(place): path.read_bytes()
            for api in chosen
            for path in sorted((place / api.models).rglob("*.py"))
        }
    for api in chosen:
        made[api.document] = (
            json.dumps(yaml12.read(documents[api.bundle]), indent=1, ensure_ascii=False).encode() + b"\n"
        )
    return made


def stale(chosen: Sequence[Api], made: Files, repository: Path = REPOSITORY) -> list[Path]:
    """Files in the packages of generated models that nothing generates any more."""
    present = (path for api in chosen for path in (repository / api.models).rglob("*") if path.is_file())
    relative = (path.relative_to(repository) for path in present if path.suffix in {".py", ".json"})
    return sorted(path for path in relative if path not in made)


def put(made: Files, gone: Sequence[Path], repository: Path = REPOSITORY) -> list[str]:
    """Write what differs and remove ``gone``; one line for each file that changed."""
    lines = []
    for path, content in made.items():
        target = repository / path
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        lines.append(f"wrote {path}")
    for path in gone:
        (repository / path).unlink()
        lines.append(f"removed {path}")
    return lines


def differences(made: Files, gone: Sequence[Path], repository: Path = REPOSITORY) -> list[str]:
    """Return what `put` would change, as the first lines of a diff for each file."""
    lines = [f"{path}: nothing generates it any more" for path in gone]
    for path, content in made.items():
        target = repository / path
        if not target.is_file():
            lines.append(f"{path}: is missing")
        elif (present := target.read_bytes()) != content:
            lines += _diff(path, present.decode(), content.decode())
    return lines


def _diff(path: Path, present: str, wanted: str) -> list[str]:
    changes = list(
        difflib.unified_diff(
            present.splitlines(), wanted.splitlines(), f"{path} (as it is)", "as generated", lineterm="", n=1
        )
    )
    rest = len(changes) - DIFF_LINES
    return changes[:DIFF_LINES] + ([f"… and {rest} more lines of {path}"] if rest > 0 else [])
