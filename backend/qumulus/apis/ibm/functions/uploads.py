"""Functions as they are uploaded, kept as services of the caller's own: what is run is the program beside this module, which opens the archive."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qumulus.apis.given import given
from qumulus.apis.json_texts import sent
from qumulus.core.accounts import Caller
from qumulus.core.errors import InvalidRequest, NotFound, UnknownService
from qumulus.core.services import FUNCTION, Deployment, Services

from . import arguments, providers, vendors
from .schemas.function import Upload

INSIDE = Path(__file__).with_name("inside")
ENTRYPOINT = "program:run"
ARCHIVE = "artifact.tar"
CLIENT = "qiskit-serverless"  # what functions with packages of their own get beside these
NAMESPACE = uuid.UUID("0b7f6a54-3c1d-4a86-8f1e-9d0c6f2b7a31")
REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]*\])?\s*([=<>!~]=?[^\s;@]+)?")
MOST_PACKAGES = 100
NOT_INSTALLED = (
    "Others can reach this server, which installs packages as its own user, so a function can't name dependencies: "
    "leave them out, and use what is here without them."
)


class UnknownFunction(NotFound):
    """The caller has no such function."""

    def __init__(self, title: str) -> None:
        super().__init__(f"Qiskit Function [{title[:201]}] doesn't exist: upload it first.")


def function_id(owner: str, title: str) -> uuid.UUID:
    """The id of a function of an account, or of a provider with its slash: the same as long as the title is."""
    return uuid.uuid5(NAMESPACE, f"{owner}\n{title}")


def service_of(function: uuid.UUID) -> str:
    """The name of the service that a function is kept as."""
    return f"{FUNCTION}{function.hex}"


def service_name(caller: Caller, title: str, provider: str | None) -> str:
    """The same, of one that a caller speaks of. No account has a name with a slash."""
    return service_of(function_id(f"{provider}/" if provider else caller.account, title))


def split(named: str, provider: str | None) -> tuple[str, str | None]:
    """Title and provider, which may stand before the title."""
    before, _, title = named.rpartition("/")
    return title, provider or before or None


def deploy(body: Upload, caller: Caller, services: Services, *, installs: bool) -> Mapping[str, Any]:
    """Keep a function; return what is kept of it. ``installs`` says whether it may ask for packages of its own.

    Raises:
        InvalidRequest: it has no files, or asks for what is not here.
        UnknownProvider: it is to be offered by somebody else.
    """
    artifact, entrypoint = given(body.artifact), given(body.entrypoint)
    title, provider = split(body.title, given(body.provider) or None)
    if given(body.image):
        raise InvalidRequest("Images of containers are not run here: upload the files of the function.")
    if artifact is None or entrypoint is None:
        raise InvalidRequest("A function needs its files as artifact, and the file that is run as entrypoint.")
    if entrypoint.startswith("/") or ".." in entrypoint.split("/"):
        raise InvalidRequest("entrypoint has to be a file within the archive.")
    if provider:
        providers.claim(provider, caller, services)
    variables, packages = _variables(given(body.env_vars)), _packages(given(body.dependencies))
    if packages and not installs:
        raise InvalidRequest(NOT_INSTALLED)
    name = service_name(caller, title, provider)
    about = {
        "id": str(uuid.UUID(name.removeprefix(FUNCTION))),
        "account": caller.account,
        "provider": provider,
        "title": title,
        "entrypoint": entrypoint,
        "description": given(body.description),
        "version": given(body.version),
        "runner": given(body.runner) or "ray",
        "dependencies": given(body.dependencies) or "[]",
        "arguments_schema": arguments.usable(given(body.arguments_schema) or arguments.NONE),
        "variables": variables,
    }
    requirements = "".join(f"{line}\n" for line in (CLIENT, *packages)) if packages else ""
    files = {
        "program.py": INSIDE.joinpath("program.py").read_bytes(),
        "stand_in/qiskit_serverless/__init__.py": INSIDE.joinpath("qiskit_serverless.py").read_bytes(),
        "requirements.txt": requirements.encode(),
        ARCHIVE: bytes(artifact),
    }
    services.deploy(name, files, Deployment(entrypoint=ENTRYPOINT, strict=False, about=about))
    return about


def about(title: str, provider: str | None, caller: Caller, services: Services) -> Mapping[str, Any]:
    """What is kept of a function of the caller's, or of one that a provider offers.

    Raises:
        UnknownFunction
        VendorsFunction: it is a vendor's, which is not here.
    """
    try:
        return services.about(service_name(caller, title, provider))
    except UnknownService:
        if provider and provider in vendors.TITLES:
            raise vendors.missing(provider, title) from None
        raise UnknownFunction(f"{provider}/{title}" if provider else title) from None


def about_id(function: uuid.UUID, caller: Caller, services: Services) -> Mapping[str, Any]:
    """What is kept of a function that the caller may run, by its id.

    Raises:
        UnknownFunction
    """
    try:
        found = services.about(service_of(function))
    except UnknownService:
        raise UnknownFunction(str(function)) from None
    if not found.get("provider") and found["account"] != caller.account:
        raise UnknownFunction(str(function))
    return found


def of_caller(caller: Caller, services: Services) -> list[Mapping[str, Any]]:
    """What is kept of all functions that are the caller's alone, by title."""
    own = (each for each in providers.kept(services) if each.get("account") == caller.account)
    return sorted((each for each in own if not each.get("provider")), key=lambda each: each["title"])


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
        return sent(text)
    except ValueError:
        raise InvalidRequest(f"{name} is not JSON, or not of this size.") from None
