"""Our documents beside the cloud's own client: what it can call and is not served is counted, and never forgotten."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clients.environments import environment
from qumulus.openapi import yaml12
from qumulus.openapi.bundle import bundle
from qumulus.openapi.coverage import file_of
from qumulus.openapi.jobs import REPOSITORY, Api, apis
from qumulus.openapi.pages import followed, operations

CLIENT, PACKAGE = "qhub-service-2.0.0", "qhub-api 3.3.0"
SCRIPT = Path(__file__).parent / "scripts" / "operations.py"
BASE = {"planqk-service": "/services/{}"}  # where the client is told to begin
OURS = {api.name.removeprefix("planqk-"): api for api in apis() if api.name.startswith("planqk-")}
PUBLISHED = {"quantum": "QUMULUS_HUB_QUANTUM_OPENAPI", "platform": "QUMULUS_HUB_PLATFORM_OPENAPI"}


@pytest.fixture(scope="module")
def called() -> list[dict[str, Any]]:
    """Every operation of the installed client."""
    done = subprocess.run([environment(CLIENT), SCRIPT], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def plain(path: str) -> str:
    """A path with {} for each variable, without what is under it by a pattern."""
    return re.sub(r"{[^}]*}|\*\*", "{}", path)


def served(api: Api) -> Mapping[tuple[str, str], tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The document and the declaration of each operation, by method and path."""
    document = bundle(REPOSITORY / api.root)
    base = BASE.get(api.name, "")
    return {
        (method, plain(path).removeprefix(base) or "/"): (document, operation)
        for method, path, operation in operations(document)
    }


def members(document: Mapping[str, Any], schema: Mapping[str, Any]) -> set[str]:
    """The names of an object, or of each object in a list."""
    schema = followed(document, schema)
    found = set(schema.get("properties", {}))
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found |= members(document, part)
    return found | (members(document, schema["items"]) if "items" in schema else set())


def bodies(document: Mapping[str, Any], holder: Mapping[str, Any]) -> set[str]:
    """The names in all contents of a request or of an answer."""
    contents = followed(document, holder).get("content", {}).values()
    return {name for content in contents for name in members(document, content["schema"])}


def fewer(call: Mapping[str, Any], document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    """What the client sends or reads, and the document does not have."""
    parameters = {followed(document, each)["name"] for each in operation.get("parameters", ())}
    yield from (f"query {name}" for name in call["query"] if name not in parameters)
    given = bodies(document, operation.get("requestBody", {}))
    yield from (f"body {name}" for name in call["body"] if name not in given)
    told = {name for status, each in operation["responses"].items() if status < "3" for name in bodies(document, each)}
    yield from (f"answer {name}" for name in call["answer"] if name not in told)


def measured(name: str, called: list[dict[str, Any]]) -> dict[str, Any]:
    """What the client can call of an API and is not there, by resource."""
    ours = served(OURS[name])
    resources: dict[str, Any] = {}
    for call in called:
        if call["client"] != name:
            continue
        found = resources.setdefault(call["resource"], {"calls": 0})
        found["calls"] += 1
        key = call["method"], plain(call["path"])
        if key not in ours:
            found.setdefault("missing", []).append(call["name"])
        elif left := sorted(fewer(call, *ours[key])):
            found.setdefault("fewer", {})[call["name"]] = left
    return {"client": PACKAGE, "resources": resources}


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_the_client_can_call_and_is_not_served_is_written_down(name: str, called: list[dict[str, Any]]):
    path = file_of(OURS[name])
    said, found = yaml12.read(path.read_bytes()), measured(name, called)
    if os.environ.get("QUMULUS_COVERAGE") == "write":
        head = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("#"))
        path.write_text(head + yaml12.write({**said, "upstream": found}))
        return
    assert said.get("upstream") == found, "run it with QUMULUS_COVERAGE=write, then make generate-all"


def test_every_client_of_the_package_is_known(called: list[dict[str, Any]]):
    assert {call["client"] for call in called} == set(OURS)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_published_document_has_what_the_client_can_call(name: str, called: list[dict[str, Any]]):
    file = os.environ.get(PUBLISHED[name])
    if file is None:
        pytest.skip(
            f"the cloud publishes its document on its site alone: save it and name the file in {PUBLISHED[name]}"
        )
    document = json.loads(Path(file).read_text())
    published = {(method, plain(path)) for method, path, _ in operations(document)}
    assert {(call["method"], plain(call["path"])) for call in called if call["client"] == name} == published
