"""What schemathesis loads beside its configuration.

The login's media type, what examples mean, what would end the run, and a tally of the answers.

The tally goes to the file that ``QUMULUS_CONTRACT_TALLY`` names when the run ends, as JSON: for every operation
("GET /jobs/{id}") how many answers had each status.
"""

from __future__ import annotations

import atexit
import json
import os
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
import schemathesis

schemathesis.serializer.alias("application/x-amz-json-1.1", "application/json")

IMAGE = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
LATER = 3e6  # seconds
RESULT = "GET /services/{service}/{id}/result"
CALLER = {"Authorization": "Bearer qumulus-local"}
PROGRAM = "def run(**parameters):\n    return {'sum': len(parameters)}\n"
tally: defaultdict[str, Counter[int]] = defaultdict(Counter)


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Make examples mean what they say."""
    schemas = raw_schema["components"]["schemas"]
    for part in (part for path in raw_schema["paths"].values() for part in (path, *path.values())):
        if isinstance(part, dict):
            _parameters(part.get("parameters", []), schemas)
            for content in part.get("requestBody", {}).get("content", {}).values():
                _files(content.get("example"))


def _parameters(parameters: list[dict[str, Any]], schemas: dict[str, Any]) -> None:
    """Let the example of a parameter stand for that of its schema, as OpenAPI says; schemathesis would take both.

    What an example removes is then not what the other examples speak of.
    """
    for parameter in parameters:
        reference = parameter.get("schema", {}).get("$ref", "")
        if "example" in parameter and reference:
            schema = schemas[reference.removeprefix("#/components/schemas/")]
            parameter["schema"] = {name: value for name, value in schema.items() if name != "example"}


def _files(example: Any) -> None:
    """Give a zip file where an example says "a zip file", and an image likewise: no document can show one."""
    if isinstance(example, dict):
        made = {"a zip file": _archive(), "an image": IMAGE}
        example.update(
            {name: made[value] for name, value in example.items() if isinstance(value, str) and value in made}
        )


def _archive() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("src/program.py", PROGRAM)
    return file.getvalue()


@schemathesis.hook("before_call")
def wait_for_a_result(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Let an execution end whose result is asked for: behind many others that takes longer than a request is held."""
    if case.operation.label != RESULT or case.method != "GET":
        return
    status, deadline = f"{case.operation.base_url}{case.formatted_path.removesuffix('/result')}", time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = requests.get(status, headers=CALLER, timeout=60)
        if answer.status_code != 200 or answer.json()["status"] not in ("PENDING", "RUNNING"):
            return
        time.sleep(0.05)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Let the server take connections until the run has ended: a fault that has it refuse them begins later, or is a mistake."""
    for rule in _rules(case.body):
        if rule.get("kind") == "refused" and rule.keys().isdisjoint({"begins_at", "ends_at", "after_seconds"}):
            rule["after_seconds"] = LATER
        elif rule.get("kind") == "refused":
            rule["note"] = None


def _rules(body: object) -> Iterator[dict[str, Any]]:
    """Yield what may be a fault, in the body of one or of a scenario."""
    if isinstance(body, dict):
        faults = body.get("faults")
        yield from (each for each in (body, *(faults if isinstance(faults, list) else ())) if isinstance(each, dict))


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Count an answer for the operation that was asked, unless the request is made to be another one's."""
    if case.method == case.operation.method.upper():
        tally[case.operation.label][response.status_code] += 1


def write() -> None:
    """Leave the tally for the test."""
    Path(os.environ["QUMULUS_CONTRACT_TALLY"]).write_text(json.dumps(tally), encoding="utf-8")


if "QUMULUS_CONTRACT_TALLY" in os.environ:
    atexit.register(write)
