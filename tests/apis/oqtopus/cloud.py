"""What a user of the job API does over plain HTTP: pack, upload, submit, wait, unpack."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import httpx2

USER = {"q-api-token": "local.qumulus-local"}
FINAL = ("succeeded", "failed", "cancelled")


def packed(entry: str, content: Any) -> bytes:
    """A zip file with one JSON document."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(entry, json.dumps(content))
    return archive.getvalue()


def unpacked(content: bytes) -> Any:
    """The JSON document in a zip file with one entry."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        return json.loads(archive.read(name))


def upload(client: httpx2.Client, address: dict[str, Any], content: bytes, **changed: str) -> httpx2.Response:
    """Post the form of a presigned upload, with some of its fields changed."""
    form = address["fields"] | changed
    return client.post(address["url"], data=form, files={"file": ("a.zip", content, "application/zip")})


def submitted(client: httpx2.Client, content: Any, **members: Any) -> str:
    """Register a job, upload its input (bytes as they are, anything else packed) and submit it; its id."""
    registered = client.post("/jobs", headers=USER, json={}).json()
    raw = content if isinstance(content, bytes) else packed("input.json", content)
    assert upload(client, registered["presigned_url"], raw).status_code == 204
    answer = client.post(f"/jobs/{registered['job_id']}/submit", json=members, headers=USER)
    assert answer.json() == {"message": "job submitted"}, answer.text
    return registered["job_id"]


def ended(client: httpx2.Client, job_id: str, seconds: float = 60) -> dict[str, Any]:
    """The job once it is final."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = client.get(f"/jobs/{job_id}", headers=USER).json()
        if job["status"] in FINAL:
            return job
    raise AssertionError(f"job {job_id} is still {job['status']}")
