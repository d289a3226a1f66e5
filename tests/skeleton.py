"""What a client and a server have to agree on, of a document: paths, parameters, statuses, members, types and limits.

Code that was generated from a document keeps this and little else. Path parameters are named in snake_case, as it names them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from qumulus.openapi.methods import METHODS

KEPT = ("type", "required", "enum", "minimum", "maximum", "maxLength", "format")


def skeleton(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with nothing else, and with references in place."""
    paths = {
        _snake(path): {method: _operation(item, item[method], document) for method in METHODS if method in item}
        for path, item in document["paths"].items()
    }
    return {"info": {}, "paths": paths}


def _operation(item: Mapping[str, Any], operation: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    shared = [*item.get("parameters", []), *operation.get("parameters", [])]
    parameters = [_followed(each, document) for each in shared]
    if parameters:
        found["parameters"] = [
            {
                "in": each["in"],
                "name": _snake(each["name"]),
                **({"required": True} if each.get("required") else {}),
                "schema": _schema(each["schema"], document),
            }
            for each in parameters
        ]
    if "requestBody" in operation:
        found["requestBody"] = _content(_followed(operation["requestBody"], document), document)
    found["responses"] = {
        status: _content(_followed(answer, document), document) for status, answer in operation["responses"].items()
    }
    return found


def _content(holder: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    content = holder.get("content", {})
    return (
        {"content": {kind: {"schema": _schema(each["schema"], document)} for kind, each in content.items()}}
        if content
        else {}
    )


def _schema(node: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    node = _followed(node, document)
    for part in node.get("allOf", ()):
        node = {**_followed(part, document), **{name: value for name, value in node.items() if name != "allOf"}}
    if "anyOf" in node:  # the first alternative is today's, and compared; that there are others has to be told
        first, *others = node["anyOf"]
        return {**_schema(first, document), "anyOf": [_schema(each, document) for each in others]}
    found = {name: node[name] for name in KEPT if name in node}
    if "properties" in node:
        found["properties"] = {name: _schema(each, document) for name, each in node["properties"].items()}
    if "items" in node:
        found["items"] = _schema(node["items"], document)
    return found


def _followed(node: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _snake(text: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", text)
