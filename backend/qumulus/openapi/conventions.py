"""The conventions of the specifications, one small function each, giving sentences about what breaks it.

They are OQTOPUS' conventions, and what the contract and its test runs rest on. What any OpenAPI document has to hold is
`lint`'s to ask a validator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30WriteValidator

from . import yaml12
from .bundle import GRAMMAR, bundle
from .methods import METHODS

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Specification:
    """One API: its bundle and the files that it is made of."""

    root: Path

    @cached_property
    def document(self) -> Node:
        """Return the bundle."""
        return bundle(self.root)

    def files(self, folder: str) -> Iterator[tuple[str, Node]]:
        """Name without suffix, and content, of each file of ``paths`` or ``schemas``."""
        for path in sorted(self.root.parent.joinpath(folder).glob("*.yaml")):
            yield path.stem, yaml12.read(path.read_bytes())

    @cached_property
    def operations(self) -> tuple[tuple[str, Node, list[Node]], ...]:
        """Yield path, operation and all parameters of each operation."""
        return tuple(
            (
                path,
                item[method],
                [self.followed(each) for each in [*item.get("parameters", []), *item[method].get("parameters", [])]],
            )
            for path, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        )

    def followed(self, node: Node) -> Node:
        """Return ``node``, or the component that ``node`` refers to."""
        while "$ref" in node:
            _, _, section, name = node["$ref"].split("/")
            node = self.document["components"][section][name]
        return node

    def nodes(self, wanted: str) -> Iterator[tuple[str, Node]]:
        """Every object of one kind of the document ("schema", "media", "response"), with where it stands."""
        yield from _nodes(self.document, "root", "", wanted)


def _nodes(node: Any, kind: str, where: str, wanted: str) -> Iterator[tuple[str, Node]]:
    if kind.startswith("[") and isinstance(node, list):
        for index, each in enumerate(node):
            yield from _nodes(each, kind[1:-1], f"{where}/{index}", wanted)
    elif isinstance(node, dict) and kind.startswith("{"):
        for key, value in node.items():
            yield from _nodes(value, kind[1:-1], f"{where}/{key}", wanted)
    elif isinstance(node, dict) and "$ref" not in node:
        if kind == wanted:
            yield where, node
        for key, inner in GRAMMAR.get(kind, {}).items():
            if key in node:
                yield from _nodes(node[key], inner, f"{where}/{key}", wanted)


def operations_are_named(spec: Specification) -> Iterator[str]:
    """An operation has an id in camelCase, a summary and a tag."""
    for path, operation, _ in spec.operations:
        name = operation.get("operationId", "")
        if not re.fullmatch(r"[a-z][a-zA-Z0-9]*", name):
            yield f"an operation of {path} has the operationId {name!r}: it needs one in camelCase."
        for member in ("summary", "tags"):
            if not operation.get(member):
                yield f"{name or path} has no {member}."


def paths_say_where_they_stand(spec: Specification) -> Iterator[str]:
    """`/task/{taskId}/status` stands in `paths/*.yaml` under `root.taskId.status`."""
    root = yaml12.read(spec.root.read_bytes())
    for path, item in root["paths"].items():
        reference = item.get("$ref", "") if isinstance(item, dict) else ""
        file, _, key = reference.partition("#/")
        first, *rest = key.split(".")
        segments = [segment.strip("{}") for segment in path.strip("/").split("/")]
        tail = segments[len(segments) - len(rest) :] if rest else []
        if not re.fullmatch(r"\./paths/[\w-]+\.yaml", file) or first != "root" or rest != tail:
            yield f"{path} references {reference or 'nothing'}: it has to be ./paths/<resource>.yaml#/root and the rest of the path after dots."


def path_parameters_are_in_camel_case(spec: Specification) -> Iterator[str]:
    """`taskId`, not `task_id`."""
    for path in spec.document["paths"]:
        for name in re.findall(r"{(.*?)}", path):
            if not re.fullmatch(r"[a-z][a-zA-Z0-9]*", name):
                yield f"{path}: {name} is not in camelCase."


def definitions_are_named_after_their_file(spec: Specification) -> Iterator[str]:
    """`task.yaml` defines `task.GetTaskResponse`; a response, parameter or header has its kind in between."""
    for file, content in spec.files("schemas"):
        for name in content:
            resource, *kind, last = name.split(".")
            if resource != file or kind not in ([], ["responses"], ["parameters"], ["headers"], ["examples"]):
                yield f"schemas/{file}.yaml: {name} has to be {file}.<Name>."
            elif not re.fullmatch(r"[A-Z][a-zA-Z0-9]*", last):
                yield f"schemas/{file}.yaml: {last} of {name} is not in PascalCase."


def everything_is_used(spec: Specification) -> Iterator[str]:
    """Complain about components that no path leads to: they are not served."""
    bundled = {name for section in spec.document["components"].values() for name in section}
    for file, content in spec.files("schemas"):
        aliases = {name for name, node in content.items() if node.keys() == {"$ref"}}
        yield from (f"schemas/{file}.yaml: nothing uses {name}." for name in content if name not in bundled | aliases)
    referenced = {item.get("$ref", "") for item in yaml12.read(spec.root.read_bytes())["paths"].values()}
    for file, content in spec.files("paths"):
        for key in content:
            if f"./paths/{file}.yaml#/{key}" not in referenced:
                yield f"paths/{file}.yaml: nothing uses {key}."


def security_schemes_are_defined(spec: Specification) -> Iterator[str]:
    """A requirement names a scheme of the root."""
    schemes = spec.document["components"].get("securitySchemes", {})
    for path, operation, _ in spec.operations:
        for requirement in operation.get("security", spec.document.get("security", [])):
            yield from (
                f"{operation.get('operationId', path)} requires {name}, which no security scheme is called."
                for name in requirement
                if name not in schemes
            )


def links_lead_to_operations(spec: Specification) -> Iterator[str]:
    """A link names an operation of the same document."""
    names = {operation.get("operationId") for _, operation, _ in spec.operations}
    for where, link in spec.nodes("link"):
        if link.get("operationId") not in names:
            yield f"{where}: there is no operation {link.get('operationId')!r} to lead to."


def bodies_have_examples(spec: Specification) -> Iterator[str]:
    """JSON that goes in, and JSON that comes out with success, shows what it looks like."""
    for path, operation, _ in spec.operations:
        bodies = {"the body": spec.followed(operation.get("requestBody", {}))} | {
            f"the answer {status}": spec.followed(response)
            for status, response in operation.get("responses", {}).items()
            if status.startswith("2")
        }
        for what, body in bodies.items():
            media = body.get("content", {}).get("application/json", {"example": None})
            if not media.keys() & {"example", "examples"}:
                yield f"{operation.get('operationId', path)}: {what} has no example."


def examples_are_valid(spec: Specification) -> Iterator[str]:
    """An example is what its schema says, wherever it stands; so is a default."""
    for where, schema in spec.nodes("schema"):
        for member in ("example", "default"):
            if member in schema:
                yield from _mismatches(spec, f"{where}/{member}", schema[member], schema)
    for kind in ("media", "parameter"):
        for where, node in spec.nodes(kind):
            values = {"example": node["example"]} if "example" in node else {}
            values |= {name: spec.followed(each).get("value") for name, each in node.get("examples", {}).items()}
            for name, value in values.items():
                yield from _mismatches(spec, f"{where}/{name}", value, node.get("schema", {}))


def _mismatches(spec: Specification, where: str, value: Any, schema: Node) -> Iterator[str]:
    whole = {**schema, "components": spec.document["components"]}
    for error in OAS30WriteValidator(whole, format_checker=OAS30WriteValidator.FORMAT_CHECKER).iter_errors(value):
        place = "".join(f"/{part}" for part in error.absolute_path)
        yield f"{where}{place}: {error.message[:300]}."


def errors_are_declared(spec: Specification) -> Iterator[str]:
    """Whoever can be refused is told so by the document: 400, 401, 413, and 500 everywhere."""
    for path, operation, parameters in spec.operations:
        security = operation.get("security", spec.document.get("security", []))
        wanted = {
            "400": bool(parameters or operation.get("requestBody")),
            "401": bool(security) and all(security),
            "413": bool(operation.get("requestBody")),
            "500": True,
        }
        missing = [status for status, needed in wanted.items() if needed and status not in operation["responses"]]
        if missing:
            yield f"{operation.get('operationId', path)} does not declare {', '.join(missing)}."


RULES: tuple[Callable[[Specification], Iterator[str]], ...] = (
    operations_are_named,
    paths_say_where_they_stand,
    path_parameters_are_in_camel_case,
    definitions_are_named_after_their_file,
    everything_is_used,
    security_schemes_are_defined,
    links_lead_to_operations,
    bodies_have_examples,
    examples_are_valid,
    errors_are_declared,
)
