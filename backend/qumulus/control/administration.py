"""A cloud as its administrator's programs reach it. Standard library only, as `qumulus.control.ephemeral` and `qumulus.testing`.

administer = Administration("http://127.0.0.1:8080")
with administer.namespace("tests-1", fork="default") as namespace:
    token = namespace.token("ibm")
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from qumulus.core.errors import InvalidRequest
from qumulus.core.ports.namespaces import OWN
from qumulus.services import archive

from .answers import no_json, refusal

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
        self.control_url: str | None = None  # where it is reached while it refuses connections, because of a fault
        self._token = token
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        """Call an operation such as ``("GET", "/jobs")`` and return the JSON that answers.

        Raises:
            CloudRefused
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        for url in filter(None, (self.url, self.control_url)):
            request = urllib.request.Request(f"{url}/emulator{path}", content, headers, method=method)  # noqa: S310
            try:
                with self._opener.open(request, timeout=REQUEST_SECONDS) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                told = refusal(url, error.code, error.headers.get_content_type(), error.read())
                raise CloudRefused(told) from None
            except ValueError:
                raise CloudRefused(no_json(url)) from None
            except urllib.error.URLError as error:
                if url == self.control_url or self.control_url is None or not refused(error):
                    raise
        raise AssertionError("there is always an address")

    def token(self, api: str, **more: object) -> str:
        """Make a credential of a cloud (``ibm``, ``oqtopus``, ``planqk``) and return what a client sends.

        That of a namespace leads there, whatever address the client knows.

        Raises:
            CloudRefused
        """
        return self("POST", "/tokens", {"api": api, **more})["secret"]

    def namespace(
        self, name: str, *, fork: str | None = None, snapshot: str | None = None, replace: bool = False
    ) -> Namespace:
        """Make a cloud of its own in this server: empty, with the state of another one (``default``: the server's), or with a snapshot.

        Raises:
            CloudRefused: it is there already, or there is nothing to begin with.
        """
        begins = {"fork": fork, "snapshot": snapshot, "replace": replace or None}
        body = {member: value for member, value in begins.items() if value is not None}
        made = self("PUT", f"/namespaces/{name}", body)
        return Namespace(self, name, Administration(made["url"], self._token))

    def namespaces(self) -> list[str]:
        """Return the names of all clouds of their own in this server."""
        return [each["name"] for each in self("GET", "/namespaces")["namespaces"]]

    def save(self, snapshot: str, namespace: str = OWN) -> None:
        """Keep the state of this server's own cloud, or of a namespace, while it is used; one of that name is replaced.

        Raises:
            CloudRefused
        """
        self("PUT", f"/snapshots/{snapshot}", {"namespace": namespace})

    def snapshots(self) -> list[str]:
        """Return the names of what was kept."""
        return [each["name"] for each in self("GET", "/snapshots")["snapshots"]]

    def forget(self, snapshot: str) -> None:
        """Remove what was kept.

        Raises:
            CloudRefused: there is no such snapshot.
        """
        self("DELETE", f"/snapshots/{snapshot}")

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


def refused(error: urllib.error.URLError) -> bool:
    """Say whether nobody listens where a request was sent to."""
    return isinstance(error.reason, ConnectionRefusedError)


class Namespace:
    """A cloud of its own in a server. As a context manager it is removed at the end."""

    def __init__(self, server: Administration, name: str, administer: Administration) -> None:
        self._server = server
        self.name = name
        self.administer = administer

    @property
    def url(self) -> str:
        """Return its address, for clients that are given one."""
        return self.administer.url

    def token(self, api: str, **more: object) -> str:
        """Make a credential that leads here, whatever address its client knows. See `Administration.token`."""
        return self.administer.token(api, **more)

    def save(self, snapshot: str) -> None:
        """Keep its state while it is used. See `Administration.save`."""
        self._server.save(snapshot, self.name)

    def restore(self, snapshot: str) -> None:
        """Put a state in the place of its own; what runs here is ended.

        Raises:
            CloudRefused: there is no such snapshot.
        """
        self._server.namespace(self.name, snapshot=snapshot, replace=True)

    def remove(self) -> None:
        """End it and forget its state, if nobody has."""
        if self.name in self._server.namespaces():
            with contextlib.suppress(CloudRefused):
                self._server("DELETE", f"/namespaces/{self.name}")

    def __enter__(self) -> Namespace:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.remove()


def service_name(folder: Path) -> str:
    """Return the name of a folder in the form of a service's."""
    letters = (letter if letter.isascii() and letter.isalnum() else "-" for letter in folder.resolve().name.lower())
    return "".join(letters).strip("-")[:63].rstrip("-") or "service"
