"""The large documents of a device, each validated once against its generated model and rendered once.

A calibration takes half a megabyte: it is served as bytes with an ETag, and no request encodes it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel

from qumulus.apis.ibm import names
from qumulus.core.ports import Catalogue
from qumulus.openapi.contract import Rendered

from .schemas.configuration import BackendConfiguration
from .schemas.properties import BackendProperties, PropertiesResponse

NOTHING: Rendered[PropertiesResponse] = Rendered.from_bytes(b"{}")
"""The properties of a device that was not calibrated yet."""

MOST = 256  # documents that are kept: 68 devices have 136


class RenderedDocuments:
    """Rendered documents by device, kept: those of all 68 devices take 14 MB."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kept: dict[tuple[str, str], Rendered[Any]] = {}

    def configuration(self, device: str) -> Rendered[BackendConfiguration]:
        """The configuration of a device, with its fractional gates."""
        key = device, f"configuration {self._catalogue.calibration_id(device)}"  # a new import may bring another one
        if key not in self._kept:
            document = self._catalogue.configuration(device, fractional_gates=True)
            self._keep(key, _rendered(BackendConfiguration, device, document))
        return self._kept[key]

    def properties(self, device: str, calibration_id: str) -> Rendered[PropertiesResponse]:
        """A calibration of a device."""
        key = device, calibration_id
        if key not in self._kept:
            document = self._catalogue.calibration(device, calibration_id=calibration_id).properties
            self._keep(key, _rendered(BackendProperties, device, {**document, "calibration_id": calibration_id}))
        return self._kept[key]

    def _keep(self, key: tuple[str, str], rendered: Rendered[Any]) -> None:
        """Keep a document; the one that has been there longest goes where there are too many."""
        while len(self._kept) >= MOST:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = rendered


def _rendered(model: type[BaseModel], device: str, document: Mapping[str, Any]) -> Rendered[Any]:
    content = json.dumps({**document, "backend_name": names.to_wire(device)}, separators=(",", ":")).encode()
    model.model_validate_json(content, strict=True)
    return Rendered.from_bytes(content)


async def _documents(request: Request) -> RenderedDocuments:
    return request.app.state.documents


Documents = Annotated[RenderedDocuments, Depends(_documents)]
