"""A cloud as its administrator's programs reach it. Standard library only, as `qumulus.control.ephemeral` and `qumulus.testing`."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from qumulus.core.errors import InvalidRequest
from qumulus.services import archive

ADMIN_TOKEN = "qumulus-admin"  # noqa: S105  documented: the server's default
BUILD_SECONDS = 300.0
REQUEST_SECONDS = 60.0
LOOKS_SECONDS = 0.1  # between two looks at a service that is being built


class CloudRefused(Exception):
    """The cloud did not do what the administration asked of it; the text is its own sentence."""


class Administration:
    """The emulator API of the cloud at ``url``."""

    def __init__(self, url: str, token: str = ADMIN_TOKEN) -> None:
        self.url = url
        self._token = token
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        """Call an operation such as ``("GET", "/jobs")`` and return the JSON that answers.

        Raises:
            CloudRefused
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/emulator{path}", content, headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=REQUEST_SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise CloudRefused(json.loads(error.read())["detail"]) from None

    def deploy(self, name: str, folder: Path) -> str:
        """Deploy a folder with `src/program.py` as the service ``name`` and wait until it is ready; its address.

        Raises:
            CloudRefused: it is no service, or its packages could not be installed.
        """
        try:
            files = {path: base64.b64encode(content).decode() for path, content in archive.pack(folder).items()}
        except InvalidRequest as error:
            raise CloudRefused(error.message) from None
        service = self("PUT", f"/services/{name}", {"files": files})
        deadline = time.monotonic() + BUILD_SECONDS
        while service["state"] == "BUILDING" and time.monotonic() < deadline:
            time.sleep(LOOKS_SECONDS)
            service = self("GET", f"/services/{name}")
        if service["state"] != "READY":
            raise CloudRefused(service.get("reason", f"The service {name} is {service['state']}."))
        return service["url"]


def service_name(folder: Path) -> str:
    """Return the name of a folder in the form of a service's."""
    letters = (letter if letter.isascii() and letter.isalnum() else "-" for letter in folder.resolve().name.lower())
    return "".join(letters).strip("-")[:63].rstrip("-") or "service"
