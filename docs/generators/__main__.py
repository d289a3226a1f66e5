"""Write the pages of reference and the manual page; with `--check` only say what differs."""

from __future__ import annotations

import sys
from pathlib import Path

from qumulus.openapi.generate import Files, differences, put

from . import commands, errors, limits, manual, metrics, settings

MADE = "This page is made from {source} by `make reference`: change that.\n"


def pages() -> Files:
    """Return every page by its path."""
    made = {
        "commands": ("Commands and their options", "the command line", commands.page()),
        "settings": ("Settings", "`qumulus.settings`", settings.page()),
        "errors": ("Errors, their causes and what to do", "the tables of errors", errors.page()),
        "limits": ("Limits", "the tables of limits", limits.page()),
        "metrics": ("Metrics", "what the server counts", metrics.page()),
    }
    found = {Path("docs/reference/qumulus.1"): manual.page().encode()}
    for name, (title, source, lines) in made.items():
        text = "\n".join([f"# {title}", "", MADE.format(source=source), *lines])
        found[Path(f"docs/reference/{name}.md")] = (text.rstrip() + "\n").encode()
    return found


def main() -> int:
    """Return the exit status: 1 when something differs."""
    made = pages()
    if "--check" not in sys.argv[1:]:
        print("\n".join(put(made, ())) or "Nothing changed.")  # noqa: T201
        return 0
    found = differences(made, ())
    for line in [*found, "Run make reference, and look at what it changes."] if found else []:
        print(line, file=sys.stderr)  # noqa: T201
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
