"""The large documents of a device, each validated once against its generated model and rendered once.

A calibration takes half a megabyte: it is served as bytes with an ETag, and no request encodes it again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel

from qumulus.apis.ibm import names
from qumulus.core.errors import QumulusError
from qumulus.core.ports import Catalogue
from qumulus.openapi.contract import Rendered

from .schemas.configuration import BackendConfiguration
from .schemas.properties import BackendProperties, PropertiesResponse

NOTHING: Rendered[PropertiesResponse] = Rendered.from_bytes(b"{}")
"""The properties of a device that was not calibrated yet."""

BETWEEN = 0.002  # seconds in which requests have the interpreter, while documents are rendered ahead
MOST = 256  # documents that are kept: 68 devices have 136


class RenderedDocuments:
    """Rendered documents by device, kept: those of all 68 devices take 14 MB."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kept: dict[tuple[str, str], Rendered[Any]] = {}
        self._keeping = threading.Lock()
        self._ahead = threading.Lock()  # held while documents are rendered ahead

    def render_ahead(self, devices: Sequence[str]) -> threading.Thread | None:
        """Render the configurations of devices that were listed, beside the requests: a client asks for each of them next.

        Returns: the thread that does so; None where nothing is lacking, another one does, or none may be started.
        """
        lacking = [device for device in devices if self._lacks(device)]
        if not lacking or not self._ahead.acquire(blocking=False):
            return None
        thread = threading.Thread(target=self._render_all, args=[lacking], name="configurations", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # this user may have no more of them now: each is rendered when it is asked for
            self._ahead.release()
            return None
        return thread

    def _lacks(self, device: str) -> bool:
        try:
            return self._configuration_key(device) not in self._kept
        except QumulusError:  # it was removed since
            return False

    def _render_all(self, devices: Sequence[str]) -> None:
        try:
            for device in devices:
                time.sleep(BETWEEN)
                with suppress(QumulusError, ValueError):  # whoever asks for this one is told
                    self.configuration(device)
        finally:
            self._ahead.release()

    def configuration(self, device: str) -> Rendered[BackendConfiguration]:
        """The configuration of a device, with its fractional gates."""
        key = self._configuration_key(device)
        if (kept := self._kept.get(key)) is None:
            document = self._catalogue.configuration(device, fractional_gates=True)
            kept = self._keep(key, _rendered(BackendConfiguration, device, document))
        return kept

    def properties(self, device: str, calibration_id: str) -> Rendered[PropertiesResponse]:
        """A calibration of a device."""
        key = device, calibration_id
        if (kept := self._kept.get(key)) is None:
            document = self._catalogue.calibration(device, calibration_id=calibration_id).properties
            own = {**document, "calibration_id": calibration_id}
            kept = self._keep(key, _rendered(BackendProperties, device, own))
        return kept

    def _configuration_key(self, device: str) -> tuple[str, str]:
        return device, f"configuration {self._catalogue.calibration_id(device)}"  # a new import may bring another one

    def _keep(self, key: tuple[str, str], rendered: Rendered[Any]) -> Rendered[Any]:
        """Keep a document, and return it; the one that has been there longest goes where there are too many."""
        with self._keeping:
            while len(self._kept) >= MOST:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[key] = rendered
        return rendered


def _rendered(model: type[BaseModel], device: str, document: Mapping[str, Any]) -> Rendered[Any]:
    content = json.dumps({**document, "backend_name": names.to_wire(device)}, separators=(",", ":")).encode()
    model.model_validate_json(content, strict=True)
    return Rendered.from_bytes(content)


def _documents(request: Request) -> RenderedDocuments:
    return request.app.state.documents


Documents = Annotated[RenderedDocuments, Depends(_documents)]
