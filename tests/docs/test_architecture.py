"""The map of the house names what is there, and its glossary is the judge of names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qumulus.openapi.jobs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "architecture.md").read_text()
GUIDE = (REPOSITORY / "docs" / "DEVELOPMENT_GUIDE.md").read_text()
RULES = (REPOSITORY / "AGENTS.md").read_text()
PACKAGE = REPOSITORY / "backend" / "qumulus"
WORDS = ["Nursery", "Seat", "Shelf", "Herald", "Bells", "Errand", "DeviceBoard", "Entrusted", "Lender", "Surroundings"]
CLASSES = ["Leap", "Bell", "Trip", "Room", "Board", "Former", "Birth", "Generation", "Survival", "Candidates"]


def paths(text: str) -> set[str]:
    """What a text names in backticks as a file or a folder, without those that stand for any name."""
    named = re.findall(r"`([\w./-]+(?:\.py|\.yaml|\.md|\.toml|/))`", text)
    return {name for name in named if "/" in name}


def test_every_package_is_a_room_of_the_map():
    rooms = PAGE.partition("## Rooms")[2].partition("## Floors")[0]
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    missing = {name for name in packages if f"| `{name}`" not in rooms}
    assert not missing, "docs/architecture.md has a row for each package"


@pytest.mark.parametrize("text", [PAGE, GUIDE, RULES], ids=["architecture", "guide", "rules"])
def test_the_files_that_are_named_exist(text):
    folders = [REPOSITORY / name for name in ("backend", "docs", "oas", "tests")]
    whole = {name for name in paths(text) if not (REPOSITORY / name).exists()}
    assert not {name for name in whole if not any(any(folder.rglob(name.rstrip("/"))) for folder in folders)}


def test_no_name_from_before_is_left_in_the_code():
    old = re.compile(rf"\b(?:{'|'.join(WORDS)}|class (?:{'|'.join(CLASSES)}))\b")
    sources = [path for folder in ("backend", "tests", "benchmarks") for path in (REPOSITORY / folder).rglob("*.py")]
    ours = (path for path in sources if path != Path(__file__) and "schemas" not in path.parts)
    left = {str(path.relative_to(REPOSITORY)): found for path in ours if (found := set(old.findall(path.read_text())))}
    assert not left, "these stand in the history of the glossary alone"
    assert all(re.search(rf"\b{name}\b", PAGE.partition("## Glossary")[2]) for name in WORDS + CLASSES)
