"""The Provider API of a cloud, as the engine of one device calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from qumulus.core.errors import QumulusError, Unavailable

SECONDS = 30.0
GIVEN_UP = frozenset({404, 409})


class NoLonger(QumulusError):
    """The job is gone, or in a state that allows no such report: it is not ours any more."""


class CloudRefused(QumulusError):
    """The cloud refuses what was sent; the text is in the cloud's own words."""


class CloudAway(Unavailable):
    """The cloud does not answer, or not now."""


class ProviderCloud:
    """The Provider API at ``url``, for the device called ``device`` there."""

    def __init__(self, url: str, device: str, key: str) -> None:
        self.url = url
        self.device = device
        # A proxy of the environment is for the world outside; whoever wants one for a cloud elsewhere sets it up there.
        self._api = httpx2.Client(base_url=url, headers={"x-api-key": key}, timeout=SECONDS, trust_env=False)
        self._storage = httpx2.Client(timeout=SECONDS, trust_env=False)

    def fetch(self, limit: int) -> list[dict[str, Any]]:
        """Return the oldest jobs that wait, which are ours from now on."""
        query = {"device_id": self.device, "status": "submitted", "limit": limit}
        return self._json("/jobs", params=query)

    def status(self, job_id: str) -> str:
        """Return the state of a job, in the cloud's words."""
        return str(self._json(f"/jobs/{job_id}")["status"])

    def input(self, url: str) -> bytes:
        """Return the zip file that a job came with."""
        return self._sent(self._storage, "GET", url).content

    def transpiler(self, job_id: str, information: Mapping[str, Any]) -> None:
        """Tell what was used where the job asked for nothing."""
        self._call("PUT", f"/jobs/{job_id}/transpiler_info", json=dict(information))

    def report(self, job_id: str, status: str, **members: Any) -> None:
        """Bring a job to a status."""
        self._call("PATCH", f"/jobs/{job_id}/status", json={"status": status, **members})

    def upload(self, job_id: str, files: Mapping[str, bytes]) -> list[str]:
        """Store zip files such as `result.zip`; the keys under which they are."""
        names = [name.removesuffix(".zip") for name in files]
        addresses = self._json(f"/jobs/{job_id}/upload", params={"items": ",".join(names)})
        for address, (name, content) in zip(addresses, files.items(), strict=True):
            file = {"file": (name, content, "application/zip")}
            self._sent(self._storage, "POST", address["url"], data=address["fields"], files=file)
        return [address["fields"]["key"] for address in addresses]

    def announce(self, path: str, body: Mapping[str, Any]) -> None:
        """Say something of the device."""
        self._call("PATCH", f"/devices/{self.device}{path}", json=dict(body))

    def _json(self, path: str, **members: Any) -> Any:
        try:
            return self._call("GET", path, **members).json()
        except ValueError:  # a page of a proxy, say
            raise CloudAway(f"What answers at {self.url} sends no JSON: it is no cloud, or not now.") from None

    def _call(self, method: str, path: str, **members: Any) -> httpx2.Response:
        return self._sent(self._api, method, path, **members)

    def _sent(self, client: httpx2.Client, method: str, url: str, **members: Any) -> httpx2.Response:
        """Return the answer, if that is a success.

        Raises:
            CloudAway: none came, or one that says to try again.
            NoLonger: 404 or 409.
            CloudRefused: any other.
        """
        try:
            answer = client.request(method, url, **members)
        except httpx2.HTTPError as error:
            raise CloudAway(f"No cloud answers at {self.url} ({error}).") from error
        if answer.status_code >= 500:
            raise CloudAway(f"The cloud at {self.url} answers {answer.status_code}.")
        if answer.is_success:
            return answer
        kind = NoLonger if answer.status_code in GIVEN_UP else CloudRefused
        raise kind(f"The cloud at {self.url} answers {answer.status_code}: {_message(answer)}")


def _message(answer: httpx2.Response) -> str:
    try:
        body = answer.json()
        return str(body.get("message") or body.get("detail") or answer.text[:200])
    except (ValueError, AttributeError):
        return answer.text[:200]
