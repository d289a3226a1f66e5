"""The programs in notebooks and pages: their code cells in order, and the client version that they name.

A page that was written for readers shows more than its program: pieces that are no whole Python, or speak of what nobody has
made so far. Of a page, not of a notebook, these are left out.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(?:python|py)\b[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"qiskit-ibm-runtime\s*[~=]=\s*(\d+\.\d+)")
OF_A_NOTEBOOK = re.compile(r"^\s*[%!?]")  # what a notebook tells its own machinery
LEFT = re.compile(r"""["'](?:\w+ )?(<[A-Za-z][\w -]*>)["']""")  # what a text leaves to its reader
PAGES = {".ipynb", ".md", ".mdx"}
LARGEST_BYTES = 64 << 20


@dataclass(frozen=True)
class Page:
    """One program."""

    path: Path
    code: str
    client: str | None  # the version of qiskit-ibm-runtime that it names, such as "0.47"

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What it leaves to the reader, such as <BACKEND_NAME>."""
        return tuple(LEFT.findall(self.code))


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
    cells = [*map(_plain, _cells(text) if path.suffix == ".ipynb" else FENCE.findall(text))]
    pieces = cells if path.suffix == ".ipynb" else [*_program(cells)]
    named = NAMED.search(text)
    return Page(path, "\n\n".join(pieces) + "\n", named[1] if named else None)


def _program(pieces: list[str]) -> Iterator[str]:
    """The pieces of a page that go on from those before them."""
    made = {*dir(builtins), "__name__", "__file__", "display"}
    for piece in pieces:
        try:
            tree = ast.parse(piece)
        except SyntaxError:
            continue
        makes = set(_made(tree))
        if "*" in makes or _asked(tree) <= made | makes:
            made |= makes
            yield piece


def _made(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.asname or alias.name).partition(".")[0] for alias in names)


def _asked(tree: ast.AST) -> set[str]:
    """The names that have to be there when a piece runs: what its functions speak of may come later."""
    inside = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    waiting, asked = [tree], set[str]()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            asked.add(node.id)
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, inside)]
    return asked


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
