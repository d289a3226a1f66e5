"""The snippets of a page, run as a reader would: one after the other, in one shell, in an empty folder.

A fence of Python whose first line names a file, such as `# bell.py`, is saved as that file; another one is run. `python` and
`pytest` are those of the client that the snippet imports. A fence of text after a fence is what it prints, with … for what differs.
Lines that install packages or start the one cloud that the tests share are left out.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.environments import environment
from qumulus.openapi.jobs import REPOSITORY

CLIENTS = {
    "import pytest|ibm_service|^pytest": "plugin-ibm",
    "oqtopus_client": "oqtopus-client-1.3.0",
    "quri_parts": "quri-parts-oqtopus-1.1.5",
    "qhub.service|qhub.api": "qhub-service-2.0.0",
    "qhub.quantum": "qhub-quantum-1.18.1",
    "qiskit": "ibm-0.51.0",
}
"""What a snippet has in it, and the environment that it needs; the first that fits."""
PROVIDED = re.compile(r"^(?:(?:\S*/)?pip install |qumulus serve( \S+)* &|make )")
MARK = "<<<snippet {}>>>"


@dataclass(frozen=True)
class Fence:
    """A fence of a page: its language, its text, and where it begins."""

    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The file that the reader saves it as."""
        named = re.match(r"# (\S+\.py)\n", self.text)
        return named[1] if self.language == "python" and named else None


def fences(page: Path) -> Iterator[Fence]:
    """All fences of a page; those within a list are moved to the left."""
    text = page.read_text()
    for found in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL):
        indent, language, body = found.groups()
        yield Fence(
            language, re.sub(f"^{indent}", "", body, flags=re.MULTILINE), text.count("\n", 0, found.start()) + 2
        )


def run(page: Path, fences: Sequence[Fence], folder: Path, url: str, plugin: Path, before: str = "") -> None:
    """Run the snippets of a page; ``before`` is what the page takes for granted.

    Raises:
        AssertionError: one fails, or prints something else than the page says.
    """
    programs = folder / "bin"
    programs.mkdir(parents=True)
    _program(programs / "qumulus", f"{sys.executable} -m qumulus")
    script, saved = [before], dict[str, str]()
    for number, fence in enumerate(fences):
        script.append(f"echo '{MARK.format(number)}'")
        text = fence.text.replace("http://127.0.0.1:8080", url).replace("http://localhost:8080", url)
        if fence.file:
            saved[fence.file] = text
            script.append(f"mkdir -p $(dirname {fence.file}); cat >{fence.file} <<'SAVED'\n{text}SAVED")
        elif fence.language in ("python", "bash"):
            script += _set_up(programs, text + "".join(body for name, body in saved.items() if name in text), plugin)
            kept = "".join(line for line in text.splitlines(keepends=True) if not PROVIDED.match(line))
            script.append(f"python - <<'RUN'\n{text}RUN" if fence.language == "python" else kept)
    environment = {
        "HOME": str(folder),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
        "QUMULUS_URL": url,
        "QUMULUS_COMMAND": f"{sys.executable} -m qumulus",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(script)],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
    )  # fmt: skip
    parts = re.split(r"<<<snippet \d+>>>\n", done.stdout)
    last = fences[max(0, min(len(parts) - 2, len(fences) - 1))]
    assert done.returncode == 0, f"{page.name}:{last.line}\n{last.text}\n{parts[-1]}"
    _compared(page, fences, parts[1:])


def _compared(page: Path, fences: Sequence[Fence], printed: Sequence[str]) -> None:
    """See that each text fence is what the snippet before it printed."""
    for number, fence in enumerate(fences):
        if fence.language == "text" and number:
            wanted = ".*".join(re.escape(part) for part in fence.text.strip().split("…"))
            assert re.search(wanted, printed[number - 1], re.DOTALL), f"{page.name}:{fence.line}\n{printed[number - 1]}"


def _set_up(programs: Path, text: str, plugin: Path) -> Iterator[str]:
    """Have `python` and `pytest` be those of the client that a snippet needs."""
    wanted = next((name for has, name in CLIENTS.items() if re.search(has, text, re.MULTILINE)), None)
    python = environment(wanted) if wanted else Path(sys.executable)
    beside = {"PYTHONPATH": str(plugin)} if wanted == "plugin-ibm" else {}
    known = programs / (wanted or "none")
    if not known.exists():
        known.mkdir()
        _program(known / "python", str(python), beside)
        _program(known / "pytest", f"{python} -m pytest -p no:cacheprovider", beside)
    yield f'PATH="{known}:$PATH"'


def _program(path: Path, command: str, variables: dict[str, str] | None = None) -> None:
    sets = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in (variables or {}).items())
    path.write_text(f'#!/bin/sh\n{sets}exec {command} "$@"\n')
    path.chmod(0o755)


PAGES = [*sorted((REPOSITORY / "docs").rglob("*.md")), REPOSITORY / "README.md"]
