"""From a parsed JSON value to the type of an annotation, with JSON's own meaning: a text is a text, false is false."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import inspect
import json
import pathlib
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any

EMPTY = inspect.Parameter.empty
UNIONS = (typing.Union, types.UnionType)
JSON_NAMES = {dict: "an object", list: "an array", str: "a text", bool: "a truth value", type(None): "null"}


class WrongInput(Exception):
    """A member of the request is missing or can't be converted; the text says where and what was expected."""


def convert(value: Any, annotation: Any, where: str) -> Any:
    """Return a value in the form that its annotation asks for.

    Raises:
        WrongInput
    """
    if annotation in (EMPTY, Any, object) or isinstance(annotation, typing.TypeVar):
        return value
    if isinstance(annotation, typing.NewType):
        return convert(value, annotation.__supertype__, where)
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return convert(value, arguments[0], where)
    if origin in UNIONS:
        return _union(value, arguments, where)
    if origin is typing.Literal:
        return _expect(value in arguments, value, value, where, f"one of {', '.join(map(repr, arguments))}")
    kind = origin or annotation
    if kind in SCALARS:
        return SCALARS[kind](value, where)
    if kind in CONTAINERS:
        return CONTAINERS[kind](value, arguments, where)
    if isinstance(kind, type):
        return _instance(value, kind, where)
    raise WrongInput(f"{where}: run() asks for {annotation}, which can't be made from JSON.")


def options(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation alone."""
    if typing.get_origin(annotation) is typing.Annotated:
        return options(typing.get_args(annotation)[0])
    return typing.get_args(annotation) if typing.get_origin(annotation) in UNIONS else (annotation,)


def is_model(annotation: Any) -> bool:
    """Say whether an annotation is a Pydantic model; the package need not be installed here."""
    return isinstance(annotation, type) and hasattr(annotation, "model_validate_json")


def named(annotation: Any, name: str) -> bool:
    """Say whether an annotation is the class of the platform's packages that has this name."""
    return isinstance(annotation, type) and annotation.__name__ == name and ".commons." in f"{annotation.__module__}."


def _expect(right: bool, result: Any, value: Any, where: str, wanted: str) -> Any:
    if right:
        return result
    shown = JSON_NAMES.get(type(value)) or repr(value)
    if isinstance(value, str):
        shown = f"the text {value[:40]!r}"
    raise WrongInput(f"{where} must be {wanted}, not {shown}.")


def _union(value: Any, members: tuple[Any, ...], where: str) -> Any:
    """Return the member that says exactly this, else the first that it can be converted to."""
    exact = [member for member in members if member is type(value)]
    complaints = []
    for member in (*exact, *members):
        try:
            return convert(value, member, where)
        except WrongInput as error:
            complaints.append(str(error))
    raise WrongInput(" Or: ".join(dict.fromkeys(complaints)))


def _integer(value: Any, where: str) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return _expect(whole, int(value) if whole else None, value, where, "a whole number")


def _number(value: Any, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return _expect(number, float(value) if number else None, value, where, "a number")


def _plain(kind: type, wanted: str) -> Callable[[Any, str], Any]:
    return lambda value, where: _expect(isinstance(value, kind), value, value, where, wanted)


def _from_text(parse: Callable[[str], Any], wanted: str) -> Callable[[Any, str], Any]:
    def read(value: Any, where: str) -> Any:
        if isinstance(value, str):
            try:
                return parse(value)
            except (ValueError, ArithmeticError):
                pass
        return _expect(False, None, value, where, wanted)

    return read


def _decimal(value: Any, where: str) -> decimal.Decimal:
    return _from_text(decimal.Decimal, "a number")(
        value if isinstance(value, str) else str(_number(value, where)), where
    )


SCALARS: Mapping[Any, Callable[[Any, str], Any]] = {
    None: _plain(type(None), "null"),
    type(None): _plain(type(None), "null"),
    bool: _plain(bool, "true or false"),
    int: _integer,
    float: _number,
    str: _plain(str, "a text"),
    complex: _from_text(complex, "a complex number as text, such as '1+2j'"),
    bytes: lambda value, where: _plain(str, "a text")(value, where).encode(),
    decimal.Decimal: _decimal,
    uuid.UUID: _from_text(uuid.UUID, "a UUID"),
    dt.datetime: _from_text(dt.datetime.fromisoformat, "a date and time such as '2026-01-31T12:00:00Z'"),
    dt.date: _from_text(dt.date.fromisoformat, "a date such as '2026-01-31'"),
    dt.time: _from_text(dt.time.fromisoformat, "a time such as '12:00:00'"),
    pathlib.Path: _from_text(pathlib.Path, "a path"),
    pathlib.PurePath: _from_text(pathlib.PurePath, "a path"),
}


def _array(make: Callable[[Any], Any]) -> Callable[[Any, tuple[Any, ...], str], Any]:
    def read(value: Any, arguments: tuple[Any, ...], where: str) -> Any:
        _expect(isinstance(value, list), value, value, where, "an array")
        item = arguments[0] if arguments else Any
        return make(convert(each, item, f"{where}[{index}]") for index, each in enumerate(value))

    return read


def _tuple(value: Any, arguments: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not arguments or arguments[-1] is Ellipsis:
        return _array(tuple)(value, arguments[:1], where)
    fits = isinstance(value, list) and len(value) == len(arguments)
    _expect(fits, value, value, where, f"an array of {len(arguments)}")
    return tuple(
        convert(each, kind, f"{where}[{index}]")
        for index, (each, kind) in enumerate(zip(value, arguments, strict=True))
    )


def _object(value: Any, arguments: tuple[Any, ...], where: str) -> dict[Any, Any]:
    _expect(isinstance(value, dict), value, value, where, "an object")
    key, item = arguments or (str, Any)
    return {_key(name, key, where): convert(each, item, f"{where}.{name}") for name, each in value.items()}


def _key(name: str, kind: Any, where: str) -> Any:
    """Return a key in the type that is wanted: keys are texts in JSON, from which numbers are read."""
    if kind in (int, float):
        return _from_text(kind, "a number as the key")(name, where)
    return convert(name, kind, where)


CONTAINERS: Mapping[Any, Callable[[Any, tuple[Any, ...], str], Any]] = {
    list: _array(list),
    collections.abc.Sequence: _array(list),
    collections.abc.MutableSequence: _array(list),
    collections.abc.Iterable: _array(list),
    collections.abc.Collection: _array(list),
    set: _array(set),
    frozenset: _array(frozenset),
    collections.abc.Set: _array(set),
    tuple: _tuple,
    dict: _object,
    collections.abc.Mapping: _object,
    collections.abc.MutableMapping: _object,
}


def _instance(value: Any, kind: Any, where: str) -> Any:
    """Return an object of a class: an enumeration, a model, a dataclass, a named tuple, a typed dictionary."""
    if issubclass(kind, enum.Enum):
        return _member(value, kind, where)
    if is_model(kind):
        return _model(value, kind, where)
    if dataclasses.is_dataclass(kind):
        required = {
            field.name
            for field in dataclasses.fields(kind)
            if field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
        names = {field.name for field in dataclasses.fields(kind) if field.init}
        return kind(**_members(value, kind, where, names, required))
    if typing.is_typeddict(kind):
        return _members(value, kind, where, set(kind.__annotations__), set(kind.__required_keys__))
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        required = set(kind._fields) - set(kind._field_defaults)
        return kind(**_members(value, kind, where, set(kind._fields), required))
    raise WrongInput(f"{where}: run() asks for {kind.__qualname__}, which can't be made from JSON.")


def _member(value: Any, kind: type[enum.Enum], where: str) -> enum.Enum:
    try:
        return kind(value)
    except ValueError:
        by_name = kind.__members__.get(value) if isinstance(value, str) else None
        known = ", ".join(repr(member.value) for member in kind)
        return _expect(by_name is not None, by_name, value, where, f"one of {known}")


def _model(value: Any, kind: Any, where: str) -> Any:
    try:
        return kind.model_validate_json(json.dumps(value))
    except ValueError as error:
        raise WrongInput(f"{where}: {error}") from None


def _members(value: Any, kind: Any, where: str, names: set[str], required: set[str]) -> dict[str, Any]:
    _expect(isinstance(value, dict), value, value, where, "an object")
    if missing := required - set(value):
        raise WrongInput(f"{where} lacks {', '.join(sorted(missing))}.")
    if unknown := set(value) - names:
        raise WrongInput(f"{where} has {', '.join(sorted(unknown))}, which {kind.__qualname__} does not have.")
    hints = typing.get_type_hints(kind, include_extras=True)
    return {name: convert(each, _unwrapped(hints[name]), f"{where}.{name}") for name, each in value.items()}


def _unwrapped(annotation: Any) -> Any:
    """Without Required[…] and NotRequired[…]."""
    if typing.get_origin(annotation) in (typing.Required, typing.NotRequired):
        return typing.get_args(annotation)[0]
    return annotation
