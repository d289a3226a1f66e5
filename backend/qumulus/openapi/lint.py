"""What is wrong with a document, in sentences: the specification's own rules.

The conventions of this repository are tests (`tests/oas`); this is what any OpenAPI document has to hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator


def complaints(document: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each mistake in ``document``."""
    for error in OpenAPIV30SpecValidator(document).iter_errors():
        where = "/".join(str(part) for part in getattr(error, "absolute_path", ()))
        yield f"{where}: {error.message}" if where else str(error.message)
