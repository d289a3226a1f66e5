"""The User API's document as the REST layer of oqtopus-client was generated from it, read back out of that code; printed as JSON.

Descriptions and examples are not asked for; what is left is what a client and a server have to agree on.
"""

import ast
import inspect
import json
import re
from pathlib import Path

from oqtopus_client import rest
from oqtopus_client.rest import api as apis
from oqtopus_client.rest import models
from pydantic import TypeAdapter

HERE = Path(apis.__file__).parent
INTERNAL = "_"


def main() -> None:
    paths: dict[str, dict[str, object]] = {}
    for file in sorted(HERE.glob("*_api.py")):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                functions = {each.name: each for each in node.body if hasattr(each, "name")}
                for name in functions:
                    if f"_{name}_serialize" in functions:
                        method = getattr(getattr(rest, node.name), name)
                        where, verb, operation = read(method, functions[name], functions[f"_{name}_serialize"])
                        paths.setdefault(where, {})[verb] = operation
    print(json.dumps({"info": {}, "paths": paths}))


def read(method, function: ast.AST, serializer: ast.AST) -> tuple[str, str, dict[str, object]]:
    """Path, method and declaration of one operation."""
    constants = {}
    query, body = {}, None
    for node in ast.walk(serializer):
        if isinstance(node, ast.keyword) and node.arg in ("method", "resource_path"):
            constants[node.arg] = node.value.value
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_query_params.append":
            key, value = node.args[0].elts
            argument = next(each.id for each in ast.walk(value) if isinstance(each, ast.Name))
            query.setdefault(key.value, argument)
        if isinstance(node, ast.Assign) and ast.unparse(node) == f"_body_params = {ast.unparse(node.value)}":
            body = node.value.id if isinstance(node.value, ast.Name) else body
    signature = inspect.signature(inspect.unwrap(method), eval_str=True)
    given = {name: each for name, each in signature.parameters.items() if name != "self" and name[0] != INTERNAL}
    parameters = [
        {"in": "path", "name": name, "required": True, "schema": schema(given[name].annotation)}
        for name in re.findall(r"{(\w+)}", constants["resource_path"])
    ]
    parameters += [
        {
            "in": "query",
            "name": name,
            **({"required": True} if given[argument].default is inspect.Parameter.empty else {}),
            "schema": schema(given[argument].annotation),
        }
        for name, argument in query.items()
    ]
    operation: dict[str, object] = {"parameters": parameters} if parameters else {}
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": schema(given[body].annotation)}}}
    operation["responses"] = {status: answer(kind) for status, kind in responses(function).items()}
    return constants["resource_path"], constants["method"].lower(), operation


def responses(function: ast.AST) -> dict[str, str | None]:
    for node in ast.walk(function):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_response_types_map":
            return ast.literal_eval(node.value)
    raise LookupError(function)


def answer(kind: str | None) -> dict[str, object]:
    if kind in (None, "object"):
        return {}
    listed = re.fullmatch(r"List\[(\w+)\]", kind)
    model = getattr(models, listed[1] if listed else kind)
    found = schema(model)
    return {"content": {"application/json": {"schema": {"type": "array", "items": found} if listed else found}}}


def schema(annotation: object) -> dict[str, object]:
    """The schema of a type, with references in place and the values of enumerations."""
    whole = TypeAdapter(annotation).json_schema()
    return placed(whole, whole.get("$defs", {}))


def placed(node: dict[str, object], known: dict[str, object]) -> dict[str, object]:
    if "$ref" in node:
        return placed(known[node["$ref"].rpartition("/")[2]], known)
    for several in ("anyOf", "allOf"):
        if several in node:
            beside = {name: value for name, value in node.items() if name != several}
            chosen = next(each for each in node[several] if each.get("type") != "null")  # of numbers, the wider
            return placed({**beside, **chosen}, known)
    found = {name: value for name, value in node.items() if name in KEPT}
    if "properties" in node:
        values = enumerated(node.get("title", ""))
        found["properties"] = {name: placed(each, known) for name, each in node["properties"].items()}
        for name, allowed in values.items():
            member = found["properties"][name]
            member.get("items", member)["enum"] = allowed
    if isinstance(node.get("items"), dict):
        found["items"] = placed(node["items"], known)
    return found


KEPT = ("type", "required", "enum", "minimum", "maximum", "maxLength", "format")


def enumerated(model: str) -> dict[str, list[str]]:
    """The values that the validators of a model let through, by member."""
    kind = getattr(models, model, None)
    if kind is None:
        return {}
    source = inspect.getsource(kind)
    found = re.findall(r"@field_validator\('(\w+)'\).*?set\((\[.*?\])\)", source, re.DOTALL)
    return {name: ast.literal_eval(values) for name, values in found}


main()
