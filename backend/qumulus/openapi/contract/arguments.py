"""The declared parameters of a request, read as the document has them.

Everything about them is known before the first request: the framework looks at it anew for each, which takes longer than the reading.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_origin

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypeAliasType

from .document import Parameter
from .problems import invalid

_PLACES: Mapping[str, Callable[[Request], Any]] = {
    "path": lambda request: request.path_params,
    "query": lambda request: request.query_params,
    "header": lambda request: request.headers,
    "cookie": lambda request: request.cookies,
}


@dataclass(frozen=True, slots=True)
class _Read:
    """How one parameter is read."""

    name: str
    place: str
    argument: str
    several: bool
    required: bool
    adapter: TypeAdapter[Any]

    def given(self, values: Any) -> Any:
        """Return what a request has of it; None where there is nothing."""
        return values.getlist(self.name) or None if self.several else values.get(self.name)


class Arguments:
    """What gives a handler the parameters that it takes."""

    def __init__(self, parameters: Iterable[tuple[Parameter, inspect.Parameter]]) -> None:
        """``parameters``: each as it is declared, and as the handler takes it."""
        self._by_place: dict[str, list[_Read]] = {}
        for declared, taken in parameters:
            listed = list_inside(declared.type)
            self._by_place.setdefault(declared.place, []).append(
                _Read(
                    declared.name,
                    declared.place,
                    taken.name,
                    several=listed is not None and declared.place in ("query", "header"),
                    required=taken.default is inspect.Parameter.empty,
                    adapter=TypeAdapter(declared.annotation if listed is None else listed),
                )
            )

    def of(self, request: Request) -> Mapping[str, Any]:
        """Return the values of a request, by the names under which the handler takes them; without those that are its defaults.

        Raises:
            Refused: one is missing, or not as declared.
        """
        found: dict[str, Any] = {}
        errors: list[Mapping[str, Any]] = []
        for place, parameters in self._by_place.items():
            values = _PLACES[place](request)
            for each in parameters:
                value = each.given(values)
                if value is not None:
                    try:
                        found[each.argument] = each.adapter.validate_python(value)
                    except ValidationError as error:
                        errors += _told(each, error)
                elif each.required:
                    errors.append({"loc": (place, each.name), "msg": "Field required"})
        if errors:
            raise invalid(errors)
        return found


def _told(parameter: _Read, error: ValidationError) -> Iterable[Mapping[str, Any]]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return ({**each, "loc": (parameter.place, parameter.name, *each["loc"])} for each in found)


def list_inside(type_: Any) -> Any:
    """Return the list that ``type_`` is an alias of, with its limits; None when it is no list."""
    while isinstance(type_, TypeAliasType):
        type_ = type_.__value__
    bare = type_.__origin__ if get_origin(type_) is Annotated else type_
    return type_ if get_origin(bare) is list else None
