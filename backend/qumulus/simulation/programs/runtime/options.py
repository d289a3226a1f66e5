"""Options of the primitives, held to the schema that IBM publishes for them in ``ibm-quantum-schemas``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .failures import invalid
from .wire import Allowance, array, typed

ModelT = TypeVar("ModelT", bound=BaseModel)

_MOST_PROBLEMS = 5


def validated(model: type[ModelT], values: object, allowance: Allowance, where: str = "options") -> ModelT:
    """The options as the schema has them, its defaults filled in.

    Raises:
        ProgramError: an option is unknown or has a value that it cannot have; the message names each.
    """
    plain = _plain(values if values is not None else {}, allowance)
    problems = [f"{name} is not an option" for name in _unknown(plain, model, where)]
    if not problems:
        try:
            return model.model_validate(plain)
        except ValidationError as error:
            problems = [f"{'.'.join((where, *map(str, p['loc'])))}: {p['msg']}" for p in error.errors()]
    raise invalid(f"Some options are not valid: {'; '.join(problems[:_MOST_PROBLEMS])}. Change them or leave them out.")


def _plain(value: Any, allowance: Allowance) -> Any:
    """Options with their typed values as JSON has them: arrays and sets as lists."""
    if isinstance(value, Mapping):
        if "__type__" not in value:
            return {name: _plain(member, allowance) for name, member in value.items()}
        if (members := typed(value, "set")) is not None:
            return _plain(members, allowance)
        if typed(value, "ndarray") is not None:
            return array(value, allowance, "value of an option").tolist()
    return [_plain(member, allowance) for member in value] if isinstance(value, list) else value


def _unknown(values: Any, model: type[BaseModel], where: str) -> list[str]:
    """The names that the schema does not have, at any depth: its nested models would ignore them silently."""
    if not isinstance(values, Mapping):
        return []
    names = list[str]()
    for name, member in values.items():
        known = model.model_fields.get(name)
        nested = None if known is None else _nested(known.annotation)
        if known is None:
            names.append(f"{where}.{name}")
        elif nested is not None:
            names += _unknown(member, nested, f"{where}.{name}")
    return names


def _nested(annotation: Any) -> type[BaseModel] | None:
    """The model of a group of options, given alone or as optional."""
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
