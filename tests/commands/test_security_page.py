"""What the page about security promises."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_promise_names_a_test_that_there_is():
    page = (ROOT / "docs" / "security.md").read_text()
    rows = [
        line for line in page.splitlines() if line.startswith("| ") and "---" not in line and "| promise" not in line
    ]
    named = [re.search(r"`(tests/\S+)::(\w+)` \|$", row) for row in rows]
    assert len(rows) > 10
    assert [row for row, found in zip(rows, named, strict=True) if found is None] == []
    missing = [
        found.group()
        for found in named
        if found is not None and f"def {found[2]}(" not in (ROOT / found[1]).read_text()
    ]
    assert missing == []
