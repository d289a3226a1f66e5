"""Every setting of the server: its flag, its variable, its default and what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from qumulus.serving.server import HANDED_ON, SECTIONS, flags
from qumulus.settings import Settings

from .markdown import sentence, table

HEADS = ("flag", "variable", "default", "what it is for")


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "A setting comes from a flag of `qumulus serve`, else from a variable of the environment, else it has its default."
    yield "Credentials have no flag: everybody who can list processes would see them."
    yield ""
    rows: list[tuple[str, ...]] = []
    for name, field in Settings.model_fields.items():
        if name in HANDED_ON:
            continue
        if name in SECTIONS:
            yield from table(HEADS, rows) if rows else ()
            rows = []
            yield from (f"## {sentence(SECTIONS[name])[:-1]}", "")
        flag = f"`--{name.replace('_', '-')}`" if name in flags() else ""
        rows.append((flag, f"`QUMULUS_{name.upper()}`", _default(field), sentence(field.description or "")))
    yield from table(HEADS, rows)


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=False)
    if value in (None, "", PydanticUndefined):
        return ""
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{value if not isinstance(value, Path) else value.as_posix()}`"
