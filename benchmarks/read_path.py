"""Reading a calibration: half a megabyte, served as bytes made once, beside the same body through a response model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from .tables import Row, Table, ratio

PATH = "/v1/backends/ibm_fez/properties"
HEADERS = (
    "Authorization: Bearer qumulus-local\r\n"
    "Service-CRN: crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::\r\n"
    "IBM-API-Version: 2026-04-15\r\n"
)
CONNECTIONS, SECONDS, ROUNDS = 4, 2.0, 3
LEAST = 60

# The same body as most servers would answer it: a document, validated and encoded by its model for each request.
MODELLED = """
import json
import uvicorn
from fastapi import FastAPI
from qumulus.apis.ibm.runtime.schemas.properties import BackendProperties
from qumulus.catalogue import SnapshotCatalogue

document = {**SnapshotCatalogue().calibration("fez").properties, "backend_name": "ibm_fez"}
app = FastAPI()

@app.get("PATH", response_model=BackendProperties)
def properties():
    return document

uvicorn.run(app, port=PORT, log_level="error")
""".replace("PATH", PATH)


@contextmanager
def ours() -> Iterator[str]:
    """The address of a server of ours."""
    with tempfile.TemporaryDirectory() as home:
        settings = {"QUMULUS_HOME": home, "QUMULUS_PORT": "0", "QUMULUS_LOG": "off", "QUMULUS_SIMULATIONS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "serve"], env=os.environ | settings, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            yield process.stdout.readline().rsplit(" ", 1)[-1].strip()
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def modelled() -> Iterator[str]:
    """The address of a server that answers by its response model."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", MODELLED.replace("PORT", str(port))])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(url + PATH, timeout=10).close()
                break
            except OSError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def measure(url: str) -> float:
    """Answers a second, over some connections at once, read into a buffer as cheaply as Python can."""
    address = urllib.parse.urlsplit(url)
    until = time.perf_counter() + SECONDS
    data = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n{HEADERS}\r\n".encode()

    def ask() -> int:
        count, buffer = 0, bytearray(1 << 20)
        with socket.create_connection((address.hostname, address.port)) as connection:
            while time.perf_counter() < until:
                connection.sendall(data)
                size = connection.recv_into(buffer)
                head = bytes(buffer[: buffer.index(b"\r\n\r\n") + 4])
                if not head.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"the server answered {head[:300]!r}")
                length = int(
                    next(line.split(b":")[1] for line in head.lower().splitlines() if b"content-length" in line)
                )
                while size < len(head) + length:
                    size += connection.recv_into(buffer)
                count += 1
        return count

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return sum(threads.map(lambda _: ask(), range(CONNECTIONS))) / SECONDS


def tables() -> list[Table]:
    """The table of reading."""
    with ours() as fast, modelled() as slow:
        pairs = [(measure(fast), measure(slow)) for _ in range(ROUNDS)]
    best, other = (max(column) for column in zip(*pairs, strict=True))
    row = Row(
        what=f"GET {PATH}",
        ours=f"{best:,.0f} /s",
        other=f"{other:,.0f} /s by a response model",
        ratio=ratio(best, other),
        least=f"{LEAST}×",
        aim="80×",
        met=best / other >= LEAST,
    )
    note = f"{CONNECTIONS} connections, {SECONDS:g} s each in turn, best of {ROUNDS}; the load runs on the same cores."
    return [Table(title="Reading a calibration of half a megabyte", rows=[row], note=note)]
