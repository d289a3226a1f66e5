"""The ready scenarios, by the names of their files."""

from __future__ import annotations

from pathlib import Path

READY = Path(__file__).parent / "scenarios"


def ready() -> dict[str, Path]:
    """Return the ready scenarios by name."""
    return {path.stem: path for path in sorted(READY.glob("*.yaml"))}
