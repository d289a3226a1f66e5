"""A service's own OpenAPI document: the platform's operations, with the service's words and schemas."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

import yaml

from qumulus.core.errors import InvalidRequest

from .definition import Definition

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
WORDS = ("summary", "description")
# the first generation's names beside ours
SPELLINGS = {
    "inputData": "InputData",
    "inputParams": "InputParams",
    "resultResponse": "ResultResponse",
    "ErrorResponse": "errorResponse",
    "InterimResultResponse": "interimResultResponse",
}
OURS = frozenset({"ServiceExecution", "LogEntry", "HALLink"})  # a service can't change what the platform answers


def template_text() -> str:
    """Return the default document, as people download it."""
    return resources.files("qumulus.services").joinpath("template.yaml").read_text(encoding="utf-8")


@cache
def _template() -> Mapping[str, Any]:
    return yaml.safe_load(template_text())


def document(definition: Definition) -> dict[str, Any]:
    """Return the document that is shown for a service.

    Raises:
        InvalidRequest: the service's own document adds or changes operations; the text names them.
    """
    shown = copy.deepcopy(dict(_template()))
    shown["info"] |= {"title": definition.title}
    if definition.description:
        shown["info"]["description"] = definition.description
    own = definition.document
    if own is None:
        return shown
    if complaints := list(_complaints(own)):
        raise InvalidRequest(f"The service's API must keep the platform's operations: {' '.join(complaints)}")
    shown["info"] |= {name: value for name, value in _object(own, "info").items() if isinstance(value, str)}
    _take_words(shown, own)
    _take_schemas(shown["components"]["schemas"], _object(_object(own, "components"), "schemas"))
    return shown


def _object(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = node.get(name)
    return value if isinstance(value, Mapping) else {}


def _complaints(own: Mapping[str, Any]) -> Iterator[str]:
    """Operations that the platform does not have, and those that take or answer something else."""
    known = _template()["paths"]
    for path, item in _object(own, "paths").items():
        for method in sorted(METHODS):
            if not isinstance(item, Mapping) or method not in item:
                continue
            what = f"{method.upper()} {path}"
            if method not in known.get(path, {}):
                yield f"{what} is added."
            elif extra := _parameters(item, item[method]) - _parameters(known[path], known[path][method]):
                yield f"{what} is changed: it takes {', '.join(sorted(extra))}."
            elif _media(item[method]) - _media(known[path][method]):
                yield f"{what} is changed: its body is to be application/json."
            elif wrong := _successes(item[method]) - ({"201"} if method == "post" else {"200", "204"}):
                yield f"{what} is changed: it answers {', '.join(sorted(wrong))}."


def _parameters(*places: Any) -> set[str]:
    listed = (each for place in places if isinstance(place, Mapping) for each in place.get("parameters") or [])
    named = (each["$ref"].rpartition("/")[2].lower() if "$ref" in each else each.get("name", "") for each in listed)
    return set(named)


def _media(operation: Any) -> set[str]:
    body = _object(operation, "requestBody") if isinstance(operation, Mapping) else {}
    return set(_object(body, "content"))


def _successes(operation: Any) -> set[str]:
    """Return the statuses that an operation declares for when all went well."""
    responses = _object(operation, "responses") if isinstance(operation, Mapping) else {}
    return {str(status) for status in responses if str(status).startswith("2")}


def _take_words(shown: dict[str, Any], own: Mapping[str, Any]) -> None:
    for path, item in _object(own, "paths").items():
        for method in METHODS & shown["paths"][path].keys():
            told = _object(item, method)
            shown["paths"][path][method] |= {word: told[word] for word in WORDS if isinstance(told.get(word), str)}


def _take_schemas(shown: dict[str, Any], own: Mapping[str, Any]) -> None:
    """Take all schemas of the service but those that describe the platform's own answers; references keep their spelling."""
    for name, schema in own.items():
        if name in OURS or not isinstance(schema, Mapping):
            continue
        shown[name] = copy.deepcopy(schema)
        if name in SPELLINGS:
            shown[SPELLINGS[name]] = {"$ref": f"#/components/schemas/{name}"}
    properties = shown["ResultResponse"]
    if "properties" in properties:
        kept = _template()["components"]["schemas"]["ResultResponse"]["properties"]
        properties["properties"] = {**properties["properties"], **kept}


def from_signature(definition: Definition, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a service by what the signature of its `run()` says; see `child.inside.signature`.

    Raises:
        InvalidRequest: the service's own document adds or changes operations.
    """
    shown = document(replace(definition, document=None))
    if told["description"] and not definition.description:
        shown["info"]["description"] = told["description"]
    schemas = shown["components"]["schemas"]
    for unused in ("InputData", "InputParams"):
        del schemas[unused]
    schemas |= told["models"]
    body = schemas["RequestBody"]
    body["properties"] = dict(told["parameters"])
    if told["secrets"]:
        secrets = {name: {"type": "string"} for name in told["secrets"]}
        body["properties"]["$secrets"] = {"type": "object", "properties": secrets, "required": told["secrets"]}
    required = [*told["required"], *(["$secrets"] if told["secrets"] else [])]
    if required:
        body["required"] = required
    schemas["ResultResponse"] = _result(told["result"], schemas)
    return shown


def _result(result: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the result's own members beside the links; what is no object is a file alone."""
    own = schemas.get(result.get("$ref", "").rpartition("/")[2], result)
    links = schemas["ResultResponse"]
    if own.get("type") != "object":
        return links
    return {
        **links,
        **{name: own[name] for name in ("title", "description", "required") if name in own},
        "properties": {**own.get("properties", {}), **links["properties"]},
    }


def check(shown: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Compare an input with the schemas of a document.

    Raises:
        InvalidRequest: with the first three places that differ.
    """
    from jsonschema import Draft202012Validator  # only services that ask for it pay for it

    schema = {**shown["components"]["schemas"]["RequestBody"], "components": shown["components"]}
    found = []
    for error in Draft202012Validator(schema).iter_errors(body):
        place = ".".join(map(str, error.absolute_path)) or "the input"
        found.append(f"{place}: {error.message[:200]}")
    if found:
        raise InvalidRequest(f"The input is not as the service describes it: {'; '.join(found[:3])}.")
