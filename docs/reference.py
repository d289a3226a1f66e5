"""Writes what of these pages comes from the specifications: `python docs/reference.py`; with --check it only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from qumulus.openapi.bundle import bundle
from qumulus.openapi.contract.document import METHODS
from qumulus.openapi.coverage import coverage
from qumulus.openapi.jobs import REPOSITORY, Api, apis

HERE = Path(__file__).parent
IBM = ("ibm-runtime", "ibm-account")
WRITTEN = "This page is made from the specifications in `oas/ibm` by `python docs/reference.py`.\n"


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and declaration of every operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def followed(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """``node``, or the component that it refers to."""
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/", 3)
    return document["components"][kind][name]


def named(schema: Mapping[str, Any]) -> str:
    """What a schema is called."""
    return schema.get("$ref", "").rpartition("/")[2] or schema.get("type", "")


def line(text: str) -> str:
    """A text in one line of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def specification() -> str:
    """All operations with what goes in and out."""
    lines = ["# API specification: IBM Quantum", "", WRITTEN]
    for api in apis(IBM):
        document = bundle(REPOSITORY / api.root)
        servers = ", ".join(f"`{server['url']}`" for server in document["servers"])
        lines += [
            f"## {document['info']['title']}",
            "",
            f"Below {servers}; the whole document: `/openapi/{api.name}.yaml`.",
            "",
        ]
        for method, path, operation in operations(document):
            lines += [
                f"### {method} {path}",
                "",
                f"`{operation['operationId']}`: {line(operation.get('description', operation['summary']))}",
                "",
            ]
            lines += [*parameters(document, operation), *answers(document, operation)]
    return "\n".join(lines)


def parameters(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    """The table of parameters and the body."""
    given = [followed(document, each) for each in operation.get("parameters", [])]
    if given:
        yield from ("| parameter | in | required | schema | |", "| --- | --- | --- | --- | --- |")
        for each in given:
            required = "yes" if each.get("required") else ""
            yield f"| `{each['name']}` | {each['in']} | {required} | {named(each['schema'])} | {line(each['description'])} |"
        yield ""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield from (f"Body: `{named(content['schema'])}` as `{media}`.", "")


def answers(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    """The table of responses."""
    yield from ("| status | body | |", "| --- | --- | --- |")
    for status, response in operation["responses"].items():
        found = followed(document, response)
        bodies = ", ".join(named(content["schema"]) for content in found.get("content", {}).values())
        yield f"| {status} | {bodies} | {line(found['description'])} |"
    yield ""


def status() -> str:
    """How far every operation is emulated, and whether a real client reached it in the tests."""
    lines = [
        "# Implementation status: IBM Quantum",
        "",
        WRITTEN,
        "No operation is a stub. What differs from the service is said beside it.",
        "",
    ]
    for api in apis(IBM):
        lines += [f"## {bundle(REPOSITORY / api.root)['info']['title']}", "", *status_of(api), ""]
    return "\n".join(lines)


def status_of(api: Api) -> Iterator[str]:
    """The table of one API."""
    known = coverage(api)
    yield from ("| operation | | reached by a real client | emulated |", "| --- | --- | --- | --- |")
    for method, path, operation in operations(bundle(REPOSITORY / api.root)):
        name = operation["operationId"]
        reached = "yes" if name in (known.reached or ()) else ""
        yield f"| `{method} {path}` | {name} | {reached} | {known.partly.get(name, 'whole')} |"


PAGES = {"API_SPECIFICATION.md": specification, "IMPLEMENTATION_STATUS.md": status}


def main(arguments: list[str]) -> int:
    """Write the pages or compare them; 1 when one is out of date."""
    outdated = [
        name for name, page in PAGES.items() if not (HERE / name).is_file() or (HERE / name).read_text() != page()
    ]
    if "--check" in arguments:
        sys.stderr.write("".join(f"docs/{name} is out of date: run python docs/reference.py.\n" for name in outdated))
        return int(bool(outdated))
    for name in outdated:
        (HERE / name).write_text(PAGES[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
