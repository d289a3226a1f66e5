"""The running cloud, as its administrator's commands reach it: every failure ends the command with one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from qumulus.control.answers import no_json, refusal
from qumulus.core.ports.listening import told_in
from qumulus.serving.server import read_settings

from .options import fail

SECONDS = 30.0

NOT_READY = ("/health", 503)  # is an answer, too
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def at(*parts: str) -> str:
    """Return a path of the emulator API; what a person typed is one part of it, whatever stands in it."""
    return "/emulator/" + "/".join(quote(part, safe="") for part in parts)


def control_of(url: str) -> str | None:
    """Return where the cloud at ``url`` hears its administrator while it refuses connections, as its state here tells."""
    try:
        known = json.loads((read_settings([]).home / told_in(url)).read_text())
    except (OSError, ValueError):
        return None
    return known["control"] if _place(known["url"]) == _place(url) else None


def _place(url: str) -> tuple[str | None, int | None, str]:
    """Return host, port and path of an address; this machine has one name there of those by which it is called."""
    parts = urlsplit(url)
    return ("localhost" if parts.hostname in LOOPBACK else parts.hostname, parts.port, parts.path.rstrip("/"))


class Cloud:
    """The emulator API at a URL, with the administrator's token of the settings."""

    def __init__(self, url: str) -> None:
        self.url = url
        token = read_settings([]).admin_token.get_secret_value()
        # A proxy of the environment is for the world outside; whoever wants one for a cloud elsewhere sets it up there.
        self._client = httpx2.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS, trust_env=False
        )

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON that is there."""
        return self._json(self.send("GET", path, query=query))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON that answers."""
        return self._json(self.send("PUT", path, body=body))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON that answers."""
        return self._json(self.send("POST", path, body=body))

    def delete(self, path: str) -> None:
        """Remove what is there."""
        self.send("DELETE", path)

    def content(self, path: str) -> bytes:
        """Return the bytes that are there."""
        return self.send("GET", path).content

    def send(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> httpx2.Response:
        """Send a request and return the answer, if that is a success; else the command ends."""
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._asked(method, path, parameters, body)
        except httpx2.ConnectError:
            fail(f"No cloud answers at {self.url}: start one with `qumulus serve`, or name another one with --url.")
        except httpx2.TimeoutException:
            fail(f"The cloud at {self.url} did not answer within {SECONDS:.0f} s: look at its log.")
        except httpx2.HTTPError as error:
            fail(f"The cloud at {self.url} broke off: {error}.")
        except UnicodeEncodeError:
            fail("What was given is not text in UTF-8.", 2)
        if answer.status_code == 401:
            fail(
                f"The cloud at {self.url} does not know the administrator's token: "
                "set QUMULUS_ADMIN_TOKEN to the one that it was started with."
            )
        if not answer.is_success and (path, answer.status_code) != NOT_READY:
            fail(detail(answer, self.url))
        return answer

    def _asked(
        self, method: str, path: str, parameters: Mapping[str, Any], body: Mapping[str, Any] | None
    ) -> httpx2.Response:
        """Return the answer, from where the administrator is heard if a fault has the cloud refuse connections."""
        try:
            return self._client.request(method, path, params=parameters, json=body)
        except httpx2.ConnectError:
            if (control := control_of(self.url)) is None or not path.startswith(at()):
                raise
            return self._client.request(method, control + path, params=parameters, json=body)

    def _json(self, answer: httpx2.Response) -> Any:
        return json_of(answer, self.url)


def json_of(answer: httpx2.Response, url: str) -> Any:
    """Return the JSON of an answer; where it is none, the command ends."""
    try:
        return answer.json()
    except ValueError:
        fail(no_json(url) if answer.is_success else detail(answer, url))


def detail(answer: httpx2.Response, url: str) -> str:
    """Return what a refusal says, or that the answer does not come from a cloud of ours."""
    return refusal(url, answer.status_code, answer.headers.get("content-type", ""), answer.content)
