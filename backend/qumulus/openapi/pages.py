"""The pages for people that are made from the specifications: `make generate-all` writes them, `make check-generated` compares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import coverage, upstream
from .bundle import bundle
from .generate import Files
from .jobs import REPOSITORY, Api, apis
from .methods import METHODS

README = Path("README.md")
SPECIFICATION = Path("docs/API_SPECIFICATION.md")
STATUS = Path("docs/IMPLEMENTATION_STATUS.md")
CLOUDS = {"oqtopus": Path("docs/oqtopus.md"), "planqk": Path("docs/planqk.md")}
"""Pages with a table of what the cloud's client can call."""
MADE = "This page is made from the specifications in `oas` by `make generate-all`: change those.\n"
Documents = Mapping[Api, Mapping[str, Any]]


def pages(repository: Path = REPOSITORY) -> Files:
    """Return the README with its table, and the pages on all operations, each of which always speaks of all APIs.

    Raises:
        BundleError: the files of an API make no document.
        CoverageError: a `coverage.yaml` names an operation that is not there, or the README has no place for the table.
    """
    documents = {api: bundle(repository / api.root) for api in apis(repository=repository)}
    emulated = {api: coverage.coverage(api, repository) for api in documents}
    readme = coverage.inserted((repository / README).read_text(), coverage.table(list(emulated.values())))
    return {
        **clouds(repository, emulated),
        README: readme.encode(),
        SPECIFICATION: specification(documents).encode(),
        STATUS: status(documents, emulated).encode(),
    }


def clouds(repository: Path, emulated: Mapping[Api, coverage.Coverage]) -> Files:
    """Return the pages of the clouds with their tables of what their clients can call."""
    found: dict[Path, bytes] = {}
    for cloud, page in CLOUDS.items():
        known = {each.title: each.upstream for api, each in emulated.items() if cloud in Path(api.bundle).parts}
        if known:
            text = (repository / page).read_text()
            found[page] = coverage.inserted(text, upstream.table(known), str(page)).encode()
    return found


def specification(documents: Documents) -> str:
    """Return the page that lists what goes into every operation and what comes out."""
    lines = ["# API specification", "", MADE]
    for api, document in documents.items():
        servers = ", ".join(f"`{server['url']}`" for server in document["servers"])
        lines += [f"## {document['info']['title']}", ""]
        lines += [f"Below {servers}; the whole document: `/openapi/{api.name}.yaml`.", ""]
        for method, path, operation in operations(document):
            lines += [f"### {method} {path}", "", described(operation), ""]
            lines += [*parameters(document, operation), *answers(document, operation)]
    return "\n".join(lines)


def status(documents: Documents, emulated: Mapping[Api, coverage.Coverage]) -> str:
    """Return the page that says how far every operation is emulated, and whether a real client reached it in the tests."""
    lines = ["# Implementation status", "", MADE]
    lines += ["No operation is a stub. What differs from the service is said beside it.", ""]
    for api, document in documents.items():
        lines += [f"## {document['info']['title']}", ""]
        lines += ["| operation | | reached by a real client | emulated |", "| --- | --- | --- | --- |"]
        for method, path, operation in operations(document):
            name = operation["operationId"]
            reached = "yes" if name in (emulated[api].reached or ()) else ""
            lines.append(f"| `{method} {path}` | {name} | {reached} | {emulated[api].partly.get(name, 'whole')} |")
        lines.append("")
    return "\n".join(lines)


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield method, path and declaration of every operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def described(operation: Mapping[str, Any]) -> str:
    """Return the operationId and what the operation does, in one line."""
    return f"`{operation['operationId']}`: {line(operation.get('description', operation['summary']))}"


def parameters(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the table of parameters, and of the body."""
    declared = [followed(document, each) for each in operation.get("parameters", [])]
    if declared:
        yield from ("| parameter | in | required | schema | |", "| --- | --- | --- | --- | --- |")
        for each in declared:
            required = "yes" if each.get("required") else ""
            yield f"| `{each['name']}` | {each['in']} | {required} | {named(each['schema'])} | {line(each['description'])} |"
        yield ""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield from (f"Body: `{named(content['schema'])}` as `{media}`.", "")


def answers(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the table of responses."""
    yield from ("| status | body | |", "| --- | --- | --- |")
    for status, response in operation["responses"].items():
        found = followed(document, response)
        bodies = ", ".join(named(content["schema"]) for content in found.get("content", {}).values())
        yield f"| {status} | {bodies} | {line(found['description'])} |"
    yield ""


def followed(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``node``, or the component that ``node`` refers to."""
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/", 3)
    return document["components"][kind][name]


def named(schema: Mapping[str, Any]) -> str:
    """Return the name of a schema: of its component, or of its type."""
    return schema.get("$ref", "").rpartition("/")[2] or schema.get("type", "")


def line(text: str) -> str:
    """Return a text as one line of a table."""
    return " ".join(text.split()).replace("|", "\\|")
