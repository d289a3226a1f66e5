"""Functions as they are uploaded, kept as services of the caller's own: what is run is the program beside this module, which opens the archive."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from qumulus.apis.given import given
from qumulus.core.accounts import Caller
from qumulus.core.errors import InvalidRequest, NotFound, UnknownService
from qumulus.core.services import FUNCTION, Deployment, Services

from .schemas.function import Upload

INSIDE = Path(__file__).with_name("inside")
ENTRYPOINT = "program:run"
ARCHIVE = "artifact.tar"
CLIENT = "qiskit-serverless"  # what functions with packages of their own get beside these
NAMESPACE = uuid.UUID("0b7f6a54-3c1d-4a86-8f1e-9d0c6f2b7a31")
REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]*\])?\s*([=<>!~]=?[^\s;@]+)?")
MOST_PACKAGES = 100


class UnknownFunction(NotFound):
    """The caller has no such function."""

    def __init__(self, title: str) -> None:
        super().__init__(f"Qiskit Function [{title[:100]}] doesn't exist: upload it first.")


def function_id(account: str, title: str) -> uuid.UUID:
    """The id of an account's function: the same as long as the title is."""
    return uuid.uuid5(NAMESPACE, f"{account}\n{title}")


def service_name(account: str, title: str) -> str:
    """The name of the service that a function is kept as."""
    return f"{FUNCTION}{function_id(account, title).hex}"


def deploy(body: Upload, caller: Caller, services: Services) -> Mapping[str, Any]:
    """Keep a function; return what is kept of it.

    Raises:
        InvalidRequest: it has no files, or asks for what is not here.
    """
    artifact, entrypoint = given(body.artifact), given(body.entrypoint)
    if given(body.image):
        raise InvalidRequest("Images of containers are not run here: upload the files of the function.")
    if given(body.provider):
        raise InvalidRequest("Functions of providers are not taken here: leave the provider out.")
    if artifact is None or entrypoint is None:
        raise InvalidRequest("A function needs its files as artifact, and the file that is run as entrypoint.")
    if entrypoint.startswith("/") or ".." in entrypoint.split("/"):
        raise InvalidRequest("entrypoint has to be a file within the archive.")
    variables, packages = _variables(given(body.env_vars)), _packages(given(body.dependencies))
    about = {
        "id": str(function_id(caller.account, body.title)),
        "account": caller.account,
        "title": body.title,
        "entrypoint": entrypoint,
        "description": given(body.description),
        "version": given(body.version),
        "runner": given(body.runner) or "ray",
        "dependencies": given(body.dependencies) or "[]",
        "arguments_schema": given(body.arguments_schema) or "{}",
        "variables": variables,
    }
    requirements = "".join(f"{line}\n" for line in (CLIENT, *packages)) if packages else ""
    files = {
        "program.py": INSIDE.joinpath("program.py").read_bytes(),
        "stand_in/qiskit_serverless/__init__.py": INSIDE.joinpath("qiskit_serverless.py").read_bytes(),
        "requirements.txt": requirements.encode(),
        ARCHIVE: bytes(artifact),
    }
    services.deploy(
        service_name(caller.account, body.title), files, Deployment(entrypoint=ENTRYPOINT, strict=False, about=about)
    )
    return about


def about(title: str, caller: Caller, services: Services) -> Mapping[str, Any]:
    """What is kept of a function of the caller's.

    Raises:
        UnknownFunction
    """
    try:
        return services.about(service_name(caller.account, title))
    except UnknownService:
        raise UnknownFunction(title) from None


def of_caller(caller: Caller, services: Services) -> list[Mapping[str, Any]]:
    """What is kept of all functions of the caller, by title."""
    every = (services.about(each.name) for each in services.services() if each.name.startswith(FUNCTION))
    return sorted((each for each in every if each.get("account") == caller.account), key=lambda each: each["title"])


def _packages(text: str | None) -> list[str]:
    """The packages that a function asks for, a requirement each.

    Raises:
        InvalidRequest
    """
    listed = _json("dependencies", text or "[]")
    if not isinstance(listed, list) or len(listed) > MOST_PACKAGES:
        raise InvalidRequest(f"dependencies has to be a JSON list of at most {MOST_PACKAGES} packages.")
    return [_requirement(each) for each in listed]


def _requirement(named: object) -> str:
    if isinstance(named, dict) and len(named) == 1:
        ((name, version),) = named.items()
        named = f"{name}=={version}" if str(version)[:1].isdigit() else f"{name}{version}"
    if not isinstance(named, str) or not REQUIREMENT.fullmatch(named):
        raise InvalidRequest(f"{str(named)[:80]!r} is no package: say name==version.")
    return named


def _variables(text: str | None) -> dict[str, str]:
    variables = _json("env_vars", text or "{}")
    if not isinstance(variables, dict):
        raise InvalidRequest("env_vars has to be a JSON object.")
    return {str(name): str(value) for name, value in variables.items()}


def _json(name: str, text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        raise InvalidRequest(f"{name} is not JSON.") from None
