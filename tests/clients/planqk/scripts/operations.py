"""The operations that the installed client can call, read from its code: it was generated from the cloud's own documents.

Prints a JSON list: client, resource, name, method, path with {} for each variable, and the names that go in and come out.
"""

from __future__ import annotations

import ast
import importlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import qhub.api.platform

HERE = pathlib.Path(qhub.api.platform.__file__).parent.parent
SENDING = ("request", "stream")


def operations() -> Iterator[dict[str, Any]]:
    """Every call of every client."""
    for file in sorted(HERE.glob("*/*/raw_client.py")):
        client, resource = file.parent.parent.name, file.parent.name
        for each in ast.parse(file.read_text()).body:
            if isinstance(each, ast.ClassDef) and not each.name.startswith("Async"):
                for function in each.body:
                    if isinstance(function, ast.FunctionDef):
                        yield from _calls(client, resource, function)


def _calls(client: str, resource: str, function: ast.FunctionDef) -> Iterator[dict[str, Any]]:
    for call in ast.walk(function):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in SENDING):
            continue
        told = {keyword.arg: keyword.value for keyword in call.keywords}
        if "method" not in told:
            continue
        yield {
            "client": client,
            "resource": resource,
            "name": function.name,
            "method": ast.literal_eval(told["method"]),
            "path": _path(call.args[0] if call.args else ast.Constant("")),
            "query": _keys(told.get("params")),
            "body": [*_keys(told.get("json")), *_keys(told.get("files"))],
            "answer": _members(client, resource, function.returns),
        }


def _path(node: ast.expr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "/" + "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in parts).lstrip("/")


def _keys(node: ast.expr | None) -> list[str]:
    return [key.value for key in node.keys if isinstance(key, ast.Constant)] if isinstance(node, ast.Dict) else []


def _members(client: str, resource: str, returns: ast.expr | None) -> list[str]:
    """The members of the model that is read from an answer, or of each in a list."""
    found = []
    for name in {node.id for node in ast.walk(returns or ast.Constant(None)) if isinstance(node, ast.Name)}:
        for place in (f"qhub.api.{client}.types", f"qhub.api.{client}.{resource}.types"):
            try:
                model = getattr(importlib.import_module(place), name, None)
            except ModuleNotFoundError:
                continue
            for field, info in getattr(model, "model_fields", {}).items():
                wire = next((each.alias for each in info.metadata if hasattr(each, "alias")), None)
                found.append(wire or info.alias or field)
    return sorted(set(found))


if __name__ == "__main__":
    print(json.dumps(list(operations())))
