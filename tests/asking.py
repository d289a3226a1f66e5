"""One request after the other, each on a connection of its own, by the standard library alone."""

from __future__ import annotations

import http.client
import json
import urllib.parse

from servers import Server

TASK = {
    "code": "OPENQASM 3; qubit[1] q; bit[1] c; x q[0]; c = measure q;",
    "device": "qulacs",
    "n_shots": 10,
}


def ask(
    server: Server, method: str, path: str, body: object = None, timeout: float = 60, **headers: str
) -> tuple[int, dict]:
    """One request on a connection of its own; the status and the JSON of the answer."""
    return ask_all(server, method, path, body, timeout, **headers)[:2]


def ask_all(
    server: Server, method: str, path: str, body: object = None, timeout: float = 60, **headers: str
) -> tuple[int, dict, http.client.HTTPMessage]:
    """`ask`, and the headers of the answer."""
    address = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    try:
        data = None if body is None else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, data, named | ({"Content-Type": "application/json"} if data else {}))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers
    finally:
        connection.close()
