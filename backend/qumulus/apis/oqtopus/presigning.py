"""Presigned uploads and downloads, in the form that the clients know from an object store.

An upload is a multipart form. Its signed policy names the key and the time until which it is good; the clients pass on only
the five fields that `Presigning.upload` gives. A download is an URL with the time and a signature of both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from fastapi import Request

from qumulus.apis.dependencies import origin_of
from qumulus.core.errors import NotAllowed
from qumulus.core.ports import Clock, JobStore

ACCESS_KEY = "qumulus"
GOOD_FOR_SECONDS = 3600
STEP_SECONDS = 60  # what is signed within a minute has one time, so that it need not be signed again


class BadSignature(NotAllowed):
    """The signature does not fit the request, or the request comes too late."""

    def __init__(self) -> None:
        super().__init__("The signature does not fit the request, or has expired: ask for a new address.")


@dataclass(frozen=True, slots=True)
class Presigning:
    """Signs requests to the storage of this server, whatever address it is reached at."""

    secret: bytes
    clock: Clock

    def upload(self, key: str) -> dict[str, str]:
        """The fields of the form that may upload ``key``."""
        policy = base64.b64encode(json.dumps({"key": key, "expires": self._deadline()}).encode()).decode()
        return {
            "key": key,
            "AWSAccessKeyId": ACCESS_KEY,
            "x-amz-security-token": ACCESS_KEY,
            "policy": policy,
            "signature": self._sign("POST", policy),
        }

    def check_upload(self, key: str, policy: str, signature: str) -> None:
        """Let in what was signed.

        Raises:
            BadSignature: another key, another policy, or too late.
        """
        self._compare(signature, "POST", policy)
        signed = json.loads(base64.b64decode(policy))
        if signed["key"] != key:
            raise BadSignature
        self._in_time(signed["expires"])

    def download(self, base: str, key: str) -> str:
        """The URL from which ``key`` can be downloaded."""
        expires = self._deadline()
        return f"{base}/{quote(key)}?expires={expires}&signature={self._sign('GET', f'{expires} {key}')}"

    def check_download(self, key: str, expires: int, signature: str) -> None:
        """Let in what was signed.

        Raises:
            BadSignature: another key or time, or too late.
        """
        self._compare(signature, "GET", f"{expires} {key}")
        self._in_time(expires)

    def _deadline(self) -> int:
        now = int(self.clock.now().timestamp())
        return now - now % STEP_SECONDS + GOOD_FOR_SECONDS

    def _in_time(self, expires: int) -> None:
        if self.clock.now().timestamp() > expires:
            raise BadSignature

    def _sign(self, method: str, text: str) -> str:
        return _kept_signature(self.secret, f"{method} {text}")

    def _compare(self, signature: str, method: str, text: str) -> None:
        """Raise unless the signature is the right one. What somebody sends is not kept: it would push out what is signed here."""
        if not hmac.compare_digest(_bytes(signature), _signature(self.secret, f"{method} {text}").encode()):
            raise BadSignature


def _signature(secret: bytes, text: str) -> str:
    return hmac.new(secret, _bytes(text), hashlib.sha256).hexdigest()


_kept_signature = lru_cache(maxsize=4096)(_signature)


def _bytes(text: str) -> bytes:
    """The bytes of a text, also of one that is none."""
    return text.encode(errors="surrogatepass")


def downloads(request: Request, jobs: JobStore) -> Callable[[str], str]:
    """Gives the address of a job's file by its key: at the store of large values where that gives files itself, else at the
    address that this request came to."""
    presigning: Presigning = request.app.state.presigning
    base = storage_address(request)

    def address(key: str) -> str:
        job_id, _, name = key.partition("/")
        return jobs.link(job_id, name, GOOD_FOR_SECONDS) or presigning.download(base, key)

    return address


def storage_address(request: Request) -> str:
    """Where the storage is, seen from the client that sent this request."""
    return f"{origin_of(request)}/storage"
