"""`python -m qumulus.catalogue` writes the index again from the installed snapshots; `--check` only compares."""

import sys
from pathlib import Path

from . import index


def main(arguments: list[str]) -> int:
    """Write or compare; 1 when the committed index is not what the snapshots give."""
    at, text = Path(__file__).with_name(index.FILE), index.text(index.build())
    if "--check" in arguments:
        same = at.exists() and at.read_text() == text
        sys.stderr.write(
            "" if same else f"{at.name} is not what the snapshots give: run python -m qumulus.catalogue.\n"
        )
        return 0 if same else 1
    at.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
