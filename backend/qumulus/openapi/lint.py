"""Complaints about a specification, in sentences: by the rules of OpenAPI, and by our conventions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openapi_spec_validator import OpenAPIV30SpecValidator

from .conventions import RULES, Specification


def complaints(root: Path) -> Iterator[str]:
    """One sentence for each mistake in the specification of ``root``.

    Raises:
        BundleError: its files make no document.
    """
    specification = Specification(root)
    for error in OpenAPIV30SpecValidator(specification.document).iter_errors():
        where = "/".join(str(part) for part in getattr(error, "absolute_path", ()))
        yield f"{where}: {error.message}" if where else str(error.message)
    for rule in RULES:
        yield from rule(specification)
