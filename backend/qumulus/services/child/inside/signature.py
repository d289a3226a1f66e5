"""What the signature of `run()` says of a service: JSON schemas of its parameters, its secrets and its result."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from typing import Any

from .arguments import EMPTY, hints, is_pool, is_secret
from .convert import options

REFERENCE = "#/components/schemas/{model}"
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
POOL = {
    "type": "object",
    "description": "A data pool",
    "required": ["id", "ref"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "ref": {"type": "string", "enum": ["DATAPOOL", "datapool"]},
        "grant": {"type": "string"},
    },
}


def describe(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the schemas: parameters by name, which of them are required, secrets, result, and the models that they refer to.

    Raises:
        WrongInput: an annotation can't be read.
    """
    told = hints(function)
    models: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    secrets: list[str] = []
    required = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue
        annotation = told.get(name, EMPTY)
        if any(map(is_secret, options(annotation))):
            secrets.append(name)
            continue
        parameters[name] = POOL if any(map(is_pool, options(annotation))) else _schema(annotation, models)
        if parameter.default is not EMPTY:
            parameters[name] = _with_default(parameters[name], parameter.default)
        elif type(None) not in options(annotation):
            required.append(name)
    return {
        "parameters": parameters,
        "required": required,
        "secrets": secrets,
        "result": _schema(told.get("return", EMPTY), models),
        "models": models,
        "description": inspect.getdoc(function) or "",
    }


def _schema(annotation: Any, models: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; any value where nothing is known of it. Models are added to ``models``."""
    if annotation in (EMPTY, Any, None, type(None)):
        return {}
    kind = typing.get_origin(annotation) or annotation
    if kind in PLAIN and not typing.get_args(annotation):
        return {"type": PLAIN[kind]}
    try:
        from pydantic import TypeAdapter  # of the service's own environment; it may have none

        schema = TypeAdapter(annotation).json_schema(ref_template=REFERENCE)
    except (
        Exception
    ):  # whatever it is that has no schema: the description stays without one, the program may do all the same
        return {"type": PLAIN[kind]} if kind in PLAIN else {}
    models.update(schema.pop("$defs", {}))
    return schema


def _with_default(schema: Mapping[str, Any], default: Any) -> Mapping[str, Any]:
    try:
        json.dumps(default, allow_nan=False)
    except (TypeError, ValueError):
        return schema
    return {"allOf": [schema], "default": default} if "$ref" in schema else {**schema, "default": default}
