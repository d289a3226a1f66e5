"""What the files of a service say: `planqk.json` or `qhub.json`, the program, the requirements, the description."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from qumulus.core.errors import InvalidRequest
from qumulus.core.services import Deployment

from . import requirements
from .resources import GiB, Resources

MANIFESTS = ("qhub.json", "planqk.json")
DESCRIPTIONS = ("openapi.yaml", "openapi.yml", "openapi-spec.yml", "openapi-spec.yaml", "openapi.json")
ENTRYPOINT = "src.program:run"
ENTRYPOINT_FORM = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
MOST_MEMORY = 1024.0  # GB
DOCKERFILE = "Dockerfile"
CONTAINER, PROGRAM = "DOCKER", "PYTHON_TEMPLATE"  # runtimes
NOT_USED = (
    f"Its {DOCKERFILE} is not used: it runs as a Python program, with the packages of its requirements. "
    f'It runs as a container if its planqk.json says "runtime": "{CONTAINER}".'
)
NO_DOCKERFILE = f"The service asks for the runtime {CONTAINER}: put a {DOCKERFILE} into its folder."


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A service as its files define it."""

    title: str
    description: str
    entrypoint: str
    strict: bool
    api_version: int
    checks_input: bool
    resources: Resources
    requirements: tuple[str, ...]
    document: Mapping[str, Any] | None  # the developer's own description of the API
    container: bool = False  # it is built from its Dockerfile, and has no entry point
    notice: str | None = None  # what whoever deploys it should know


def read(folder: Path, fallback_title: str, deployment: Deployment, resources: Resources) -> Definition:
    """Return the definition in ``folder``; ``resources`` hold where the service asks for nothing else.

    Raises:
        InvalidRequest: something is missing or wrong, in a sentence.
    """
    manifest = _manifest(folder)
    entrypoint = deployment.entrypoint or _member(manifest, "entrypoint", str, ENTRYPOINT)
    container, notice = _container(folder, entrypoint, _member(manifest, "runtime", str, PROGRAM))
    description = _member(manifest, "description", str, "")
    file = _member(manifest, "descriptionFile", str, "")
    if not description and file and (folder / file).is_file():  # the vendor's own sample names one that is not there
        description = _text(folder, file)
    strict = deployment.strict if deployment.strict is not None else _member(manifest, "strict", bool, False)
    api_version = _member(manifest, "apiVersion", int, 2)
    if api_version not in (1, 2):
        raise InvalidRequest(f"apiVersion is {api_version}: it has to be 1 (the oldest clients' form) or 2.")
    return Definition(
        title=_member(manifest, "name", str, fallback_title),
        description=description,
        entrypoint=entrypoint,
        strict=strict,
        api_version=api_version,
        checks_input=_member(manifest, "checkInput", bool, False),
        resources=_resources(manifest, resources),
        requirements=() if container else requirements.read(folder),
        document=_document(folder),
        container=container,
        notice=notice,
    )


def is_draft(files: Mapping[str, bytes]) -> bool:
    """Say whether a service has nothing yet but its manifest and its description."""
    return files.keys() <= {*MANIFESTS, *DESCRIPTIONS}


def draft(files: Mapping[str, bytes], fallback_title: str, resources: Resources) -> Definition:
    """Return the definition of a service that has no program yet.

    Raises:
        InvalidRequest: its manifest or its description can't be read.
    """
    manifest = next((_parsed(name, files[name].decode(), json.loads) for name in MANIFESTS if name in files), {})
    described = next((name for name in DESCRIPTIONS if name in files), None)
    return Definition(
        title=_member(manifest, "name", str, fallback_title),
        description=_member(manifest, "description", str, ""),
        entrypoint=ENTRYPOINT,
        strict=False,
        api_version=2,
        checks_input=False,
        resources=_resources(manifest, resources),
        requirements=(),
        document=None
        if described is None
        else _parsed(described, files[described].decode("utf-8", "replace"), yaml.safe_load),
    )


def title_of(folder: Path) -> str:
    """Return what the manifest of a folder calls the service, else the folder's own name.

    Raises:
        InvalidRequest: the manifest can't be read.
    """
    return _member(_manifest(folder), "name", str, folder.resolve().name)


def _manifest(folder: Path) -> Mapping[str, Any]:
    for name in MANIFESTS:
        if (folder / name).is_file():
            return _parsed(name, _text(folder, name), json.loads)
    return {}


def _text(folder: Path, name: str) -> str:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise InvalidRequest(f"The service has no file {name}.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} is not UTF-8.") from None


def _parsed(name: str, text: str, parse: Callable[[str], Any]) -> Mapping[str, Any]:
    try:
        value = parse(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidRequest(f"{name} can't be read: {error}.") from None
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{name} has to hold an object.")
    return value


def _member(manifest: Mapping[str, Any], name: str, kind: type, otherwise: Any) -> Any:
    value = manifest.get(name, otherwise)
    if value is None:
        return otherwise
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidRequest(f"{name} of the service's manifest has to be {kind.__name__}, not {type(value).__name__}.")
    return value


def _container(folder: Path, entrypoint: str, runtime: str) -> tuple[bool, str | None]:
    """Say whether a service is a container, and what whoever deploys it should know of that.

    Raises:
        InvalidRequest: it is none, and has no program.
    """
    described = (folder / DOCKERFILE).is_file()
    if runtime == CONTAINER:
        if not described:
            raise InvalidRequest(NO_DOCKERFILE)
        return True, None
    try:
        _find_program(folder, entrypoint)
    except InvalidRequest:
        if not described or _has_module(folder, entrypoint):
            raise
        return True, None
    return False, NOT_USED if described else None


def _has_module(folder: Path, entrypoint: str) -> bool:
    return _source(folder, entrypoint.partition(":")[0]) is not None


def _source(folder: Path, module: str) -> Path | None:
    path = folder.joinpath(*module.split("."))
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)


def _find_program(folder: Path, entrypoint: str) -> None:
    """The module of the entry point must be there, and define the function."""
    if not ENTRYPOINT_FORM.fullmatch(entrypoint):
        raise InvalidRequest(f"The entry point is {entrypoint[:200]!r}: it has to be like {ENTRYPOINT!r}.")
    module, _, function = entrypoint.partition(":")
    source = _source(folder, module)
    if source is None:
        raise InvalidRequest(f"The service has no {module.replace('.', '/')}.py, where {function}() is looked for.")
    relative = source.relative_to(folder)
    try:
        tree = ast.parse(source.read_bytes(), str(relative))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidRequest(f"{relative} can't be read: {error}.") from None
    if function not in _defined(tree):
        raise InvalidRequest(f"{relative} has no function named {function}: define {function}(data, params).")


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module may define at its top; with a star import it may define any."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def _resources(manifest: Mapping[str, Any], resources: Resources) -> Resources:
    wanted = _member(manifest, "resources", dict, {})
    cores = _number(wanted, "cpu")
    memory = _number(wanted, "memory")
    if wanted.get("gpu") and _number(wanted["gpu"] if isinstance(wanted["gpu"], dict) else {}, "count"):
        raise InvalidRequest("The service asks for a GPU: there is none here.")
    changes: dict[str, Any] = {}
    if cores:
        changes["cores"] = max(1, math.ceil(cores))
    if memory:
        changes["memory_bytes"] = int(min(memory, MOST_MEMORY) * GiB)
    return replace(resources, **changes)


def _number(members: Mapping[str, Any], name: str) -> float:
    value = members.get(name) or 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InvalidRequest(f"resources.{name} has to be a number that is not negative.")
    return value


def _document(folder: Path) -> Mapping[str, Any] | None:
    name = next((name for name in DESCRIPTIONS if (folder / name).is_file()), None)
    return None if name is None else _parsed(name, _text(folder, name), yaml.safe_load)
