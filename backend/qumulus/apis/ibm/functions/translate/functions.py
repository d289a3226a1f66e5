"""Functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from qumulus.apis.ibm.functions import uploads, vendors
from qumulus.apis.ibm.functions.schemas.function import Function, Type


def function(about: Mapping[str, Any]) -> Function:
    """A function from what is kept of it."""
    names = ("title", "entrypoint", "description", "version", "runner", "dependencies", "arguments_schema")
    return Function(
        id=UUID(about["id"]), provider=about.get("provider"), type=Type.GENERIC, **{name: about[name] for name in names}
    )


def of_vendor(provider: str, title: str) -> Function:
    """A vendor's function, which is not here."""
    return Function(
        id=uploads.function_id(f"{provider}/", title),
        title=title,
        provider=provider,
        entrypoint=None,
        description=vendors.said(provider, title),
        type=Type.CIRCUIT if title in vendors.CIRCUIT else Type.APPLICATION,
        version=None,
        runner="ray",
        dependencies="[]",
        arguments_schema="{}",
    )
