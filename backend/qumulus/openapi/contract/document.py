"""The declarations of a document in Python's terms: operations with the generated types of all that goes in and out."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module, resources
from types import GenericAlias
from typing import Any, Union
from uuid import UUID

from qumulus.openapi.methods import METHODS
from qumulus.openapi.wire import Time

JSON = "application/json"
PLAIN: Mapping[tuple[str, str | None], Any] = {
    ("string", None): str,
    ("string", "binary"): bytes,
    ("string", "uuid"): UUID,
    ("string", "date-time"): Time,
    ("integer", None): int,
    ("number", None): float,
    ("boolean", None): bool,
}
LIMITS = {"enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "multipleOf", "minItems", "maxItems"}


class Unnamed(ValueError):
    """A schema that must be a named component is written in place."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; ``default`` stands only where the document has one."""

    name: str
    place: str  # path, query, header or cookie
    type: Any
    required: bool
    default: Any = None
    slashes: bool = False  # of a path: whether its value may have encoded slashes (`x-slashes` in the document)

    @property
    def argument(self) -> str:
        """Return the name under which a handler takes the parameter."""
        return snake_case(self.name)

    @property
    def annotation(self) -> Any:
        """Return the type under which a handler takes the parameter."""
        return self.type if self.required or self.default is not None else Union[self.type, None]  # noqa: UP007 - a type alias has no "|"


@dataclass(frozen=True, slots=True)
class Answer:
    """A declared response: its body's type (None: no body) and media type."""

    status: int
    type: Any
    media_type: str | None


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared operation."""

    id: str
    method: str  # in capitals
    path: str
    parameters: tuple[Parameter, ...]
    bodies: Mapping[str, Any]  # media type -> type
    body_required: bool
    secured: bool  # no request is let in without a credential
    answers: Mapping[int, Answer]

    @property
    def route(self) -> str:
        """Return the path as routes are written: a server sees encoded slashes decoded, so a value that may have some takes the rest."""
        with_slashes = {parameter.name for parameter in self.parameters if parameter.slashes}
        return re.sub(r"{(\w+)}", lambda name: f"{{{name[1]}:path}}" if name[1] in with_slashes else name[0], self.path)

    @property
    def success(self) -> Answer:
        """Return the answer of a handler that names no status."""
        return self.answers[min(status for status in self.answers if status < 400)]

    @property
    def success_types(self) -> frozenset[Any]:
        """Return the types of all bodies that a handler may return with success, or to send the caller elsewhere."""
        return frozenset(answer.type for answer in self.answers.values() if answer.status < 400) or frozenset([None])

    @property
    def body_annotation(self) -> Any:
        """Return the type that a handler takes the body as; None when there is no body."""
        if not self.bodies:
            return None
        types = (*dict.fromkeys(self.bodies.values()), *(() if self.body_required else (None,)))
        return Union[types]  # noqa: UP007 - made from a list


@dataclass(frozen=True, eq=False)
class Document:
    """The bundled document beside the generated models of ``package``."""

    package: str
    mistakes: list[str] = field(default_factory=list)

    @property
    def api(self) -> str:
        """Return the API as jobs name it, such as "ibm/runtime": its folder."""
        return self.package.removeprefix("qumulus.apis.").removesuffix(".schemas").replace(".", "/")

    @cached_property
    def content(self) -> dict[str, Any]:
        """Return the document itself."""
        return json.loads(resources.files(self.package).joinpath("openapi.json").read_bytes())

    @cached_property
    def operations(self) -> Mapping[str, Declared]:
        """Return all operations by operationId, concrete paths before those with a parameter in the same place."""
        found = (
            (path, method, item[method], item.get("parameters", []))
            for path, item in sorted(self.content["paths"].items(), key=lambda entry: _specific(entry[0]))
            for method in METHODS
            if method in item
        )
        return {spec["operationId"]: self._declared(path, method, spec, shared) for path, method, spec, shared in found}

    def _declared(self, path: str, method: str, spec: Mapping[str, Any], shared: list[Any]) -> Declared:
        body = self._followed(spec.get("requestBody", {}))
        security = spec.get("security", self.content.get("security", []))
        name = spec["operationId"]
        own = [self._followed(each) for each in spec.get("parameters", [])]
        overridden = {(each["name"], each["in"]) for each in own}
        inherited = (self._followed(each) for each in shared)
        parameters = [*(each for each in inherited if (each["name"], each["in"]) not in overridden), *own]
        return Declared(
            id=name,
            method=method.upper(),
            path=path,
            parameters=tuple(self._parameter(name, each) for each in parameters),
            bodies={
                media: self._type(f"{name}: the body", content.get("schema", {}), media)
                for media, content in body.get("content", {}).items()
            },
            body_required=body.get("required", False),
            secured=bool(security) and all(security),
            answers={answer.status: answer for answer in self._answers(name, spec["responses"])},
        )

    def _parameter(self, operation: str, spec: Mapping[str, Any]) -> Parameter:
        schema = spec.get("schema", {})
        return Parameter(
            name=spec["name"],
            place=spec["in"],
            type=self._type(f"{operation}: {spec['name']}", schema),
            required=spec.get("required", False),
            default=schema.get("default", self._followed(schema).get("default")),
            slashes=spec.get("x-slashes", False),
        )

    def _answers(self, operation: str, responses: Mapping[str, Any]) -> Iterator[Answer]:
        for status, reference in responses.items():
            if not status.isdigit():
                self.mistakes.append(f"{operation}: declares {status}; name each status that it answers with.")
                continue
            content = self._followed(reference).get("content", {})
            for media, entry in list(content.items())[:1] or [(None, {})]:
                what = f"{operation}: the answer {status}"
                yield Answer(int(status), self._type(what, entry.get("schema", {}), media) if media else None, media)

    def _followed(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return ``node``, or the component that ``node`` refers to."""
        while "$ref" in node:
            _, _, section, name = node["$ref"].split("/")
            node = self.content["components"][section][name]
        return node

    def _type(self, what: str, schema: Mapping[str, Any], media: str | None = JSON) -> Any:
        try:
            return self._python_type(schema, media)
        except Unnamed as error:
            self.mistakes.append(f"{what} {error}")
            return Any

    def _python_type(self, schema: Mapping[str, Any], media: str | None) -> Any:
        if "allOf" in schema and len(schema["allOf"]) == 1:  # a reference with something beside it
            return self._python_type(schema["allOf"][0], media)
        if "$ref" in schema:
            return self._generated(schema["$ref"].rpartition("/")[2])
        if schema.get("type") == "array":
            return GenericAlias(list, self._python_type(schema["items"], media))
        plain = PLAIN.get((schema.get("type", ""), schema.get("format"))) if not LIMITS & schema.keys() else None
        if plain is None or (plain is str and media == JSON and "default" in schema):
            raise Unnamed("has a schema without a name: make it a component, so that it has a type.")
        return plain

    def _generated(self, name: str) -> Any:
        """Return the type that the generator made from the component ``name``."""
        module, _, attribute = name.rpartition(".")
        home = import_module(f"{self.package}.{module}" if module else self.package)
        try:
            return getattr(home, attribute)
        except AttributeError:
            raise Unnamed(f"is {name}, for which there is no model: run make generate-all.") from None


def snake_case(name: str) -> str:
    """``taskId``, ``IBM-API-Version`` and ``created[gte]`` as Python spells them; ``from`` is ``from_``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    spelled = re.sub(r"\W+", "_", words).strip("_").lower()
    return f"{spelled}_" if keyword.iskeyword(spelled) else spelled


def _specific(path: str) -> tuple[tuple[bool, str], ...]:
    return tuple((segment.startswith("{"), segment) for segment in path.split("/"))
