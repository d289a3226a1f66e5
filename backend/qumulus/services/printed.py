"""The result of a container, which it may print instead of writing it to a file."""

from __future__ import annotations

import json

from qumulus.core import json_sizes

MOST_VALUES = 1 << 30  # bytes that the values of a result may take, as they are told beforehand: in truth a fifth of it
LINE_TAKES = 64  # bytes of memory, also one without a character
RESULT = "PlanQK:Job:Result:"
BLOCK = "PlanQK:Job:MultilineResult"  # before and after a result of several lines


class PrintedResult:
    """Listens to the lines of a standard output. The first result counts."""

    def __init__(self, most_bytes: int) -> None:
        """``most_bytes`` is how large a result may be."""
        self._most = most_bytes
        self._lines: list[str] | None = None  # of a block that has begun
        self._size = 0
        self._found: str | None = None

    def hear(self, line: str) -> None:
        """Take the next line."""
        if self._found is not None:
            return
        said = line.strip()
        if self._lines is not None and not said.startswith(BLOCK):
            self._size += len(line) + LINE_TAKES
            if self._size <= self._most:
                self._lines.append(line)
        elif self._lines is not None:
            self._found = "\n".join(self._lines)
        elif said.startswith(BLOCK):
            self._lines = []
        elif said.startswith(RESULT):
            self._found = said.removeprefix(RESULT).strip()

    def read(self) -> tuple[bytes | None, str | None]:
        """Return the result as JSON, and a sentence where what was printed is none."""
        if self._found is None:
            return None, "The result that it printed does not end." if self._lines is not None else None
        content = self._found.encode()
        if json_sizes.size(content, MOST_VALUES) > MOST_VALUES:
            return None, "The result that it printed has too many values: write it to output.json."
        try:
            json.loads(content)
        except (ValueError, RecursionError) as error:
            return None, f"The result that it printed is no JSON: {error}."
        return content, None
