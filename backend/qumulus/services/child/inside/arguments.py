"""From the request's members to the arguments of `run()`."""

from __future__ import annotations

import inspect
import os
import pathlib
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .convert import WrongInput, convert, is_model, named, options

__all__ = ["Arguments", "WrongInput", "arguments", "secret_variable"]

EMPTY = inspect.Parameter.empty
OLD_PARAMETERS = frozenset({"data", "params"})  # the first generation's two, which a request may leave out


@dataclass
class Arguments:
    """How to call the function."""

    positional: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)  # members of the request that it does not take


def arguments(function: Callable[..., Any], values: Mapping[str, Any]) -> Arguments:
    """Match the members of the request with the parameters of ``function`` and convert each to its annotation.

    Raises:
        WrongInput: one is missing, or can't be converted.
    """
    parameters = inspect.signature(function).parameters
    told = hints(function)
    given = Arguments()
    rest = {name: value for name, value in values.items() if name not in parameters}
    for name, parameter in parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            continue
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            given.named.update(rest)
            rest = {}
            continue
        value = _argument(name, parameter.default, told.get(name, EMPTY), values)
        if value is EMPTY:
            continue
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            given.positional.append(value)
        else:
            given.named[name] = value
    given.left_out = sorted(rest)
    return given


def hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the annotations, also those that were postponed.

    Raises:
        WrongInput: one of them names what is not there.
    """
    target = function if inspect.isroutine(function) or inspect.isclass(function) else type(function).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except NameError as error:
        raise WrongInput(f"An annotation of {getattr(function, '__name__', 'run')}() can't be read: {error}.") from None


def _argument(name: str, default: Any, annotation: Any, values: Mapping[str, Any]) -> Any:
    """Return the value of one parameter; EMPTY where the function's own default is to be used."""
    for place in _places(name, annotation):
        return place
    if name in values:
        return convert(values[name], annotation, name)
    if os.path.isdir(pool := _pool(name)):  # told as a path, where the vendor's class for it is not asked for
        return pathlib.Path(pool) if annotation in (EMPTY, Any) else convert(pool, annotation, name)
    if default is not EMPTY:
        return EMPTY
    if type(None) in options(annotation):
        return None
    if is_model(annotation):
        return convert({}, annotation, name)
    if name in OLD_PARAMETERS:
        return {}
    raise WrongInput(f"The request has no {name}, which run() needs.")


def _places(name: str, annotation: Any) -> list[Any]:
    """Return a data pool or a secret, which do not come with the input: a list of one, or an empty one."""
    for option in options(annotation):
        if is_pool(option):
            if os.path.isdir(path := _pool(name)):
                return [option(path)]
            what = (
                f"There is no data pool for {name}: refer to one in the request, "
                f"or put its files into datapool/{name} of the service's folder."
            )
        elif is_secret(option):
            secret = os.environ.get(secret_variable(name))
            if secret is not None:
                return [option(value=secret)]
            what = f"The request has no secret for {name}: send it as a member of $secrets."
        else:
            continue
        if type(None) in options(annotation):
            return [None]
        raise WrongInput(what)
    return []


def is_pool(annotation: Any) -> bool:
    """Say whether an annotation is the vendor's class for a data pool."""
    return named(annotation, "DataPool")


def is_secret(annotation: Any) -> bool:
    """Say whether an annotation is the vendor's class for a secret."""
    return named(annotation, "SecretValue")


def _pool(name: str) -> str:
    """Return where the files of the parameter's data pool are, if there is one."""
    return os.path.join(os.environ["DATAPOOL_DIRECTORY"], name)


def secret_variable(name: str) -> str:
    """Return the variable of the environment that a secret comes in: ibmToken and ibm_token in SECRET_IBM_TOKEN."""
    if name.isupper():
        return f"SECRET_{name}"
    return "SECRET_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
