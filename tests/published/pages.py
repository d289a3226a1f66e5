"""The programs in notebooks and pages: their code cells in order, and the client version that they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(?:python|py)\b[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"qiskit-ibm-runtime\s*[~=]=\s*(\d+\.\d+)")
OF_A_NOTEBOOK = re.compile(r"^\s*[%!?]")  # what a notebook tells its own machinery
PAGES = {".ipynb", ".md", ".mdx"}
LARGEST_BYTES = 64 << 20


@dataclass(frozen=True)
class Page:
    """One program."""

    path: Path
    code: str
    client: str | None  # the version of qiskit-ibm-runtime that it names, such as "0.47"


def pages(folder: Path) -> Iterator[Page]:
    """Every page of a folder that has code, by its path."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in PAGES and path.is_file() and path.stat().st_size <= LARGEST_BYTES:
            page = read(path)
            if page.code.strip():
                yield page


def read(path: Path) -> Page:
    """One page; a notebook that can't be read has no code."""
    text = path.read_text("utf-8", "replace")
    cells = _cells(text) if path.suffix == ".ipynb" else FENCE.findall(text)
    named = NAMED.search(text)
    return Page(path, "\n\n".join(map(_plain, cells)) + "\n", named[1] if named else None)


def _cells(text: str) -> list[str]:
    try:
        cells = json.loads(text).get("cells", [])
    except (ValueError, AttributeError):
        return []
    return ["".join(cell.get("source", "")) for cell in cells if cell.get("cell_type") == "code"]


def _plain(cell: str) -> str:
    """A cell for Python alone: what is told to the notebook becomes a comment; a cell for another language is left out."""
    if cell.lstrip().startswith("%%"):
        return "# a cell for the notebook's own machinery"
    return "\n".join(f"# {line}" if OF_A_NOTEBOOK.match(line) else line for line in cell.splitlines())
