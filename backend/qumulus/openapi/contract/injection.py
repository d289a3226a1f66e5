"""The dependencies of handlers, worked out once and solved in one go.

FastAPI walks the tree of dependencies anew for each request, however often one of them stands in it; that takes longer than most
of them do. What handlers take of the request is declared as for FastAPI (`Annotated[T, Depends(…)]`), and a `Plan` gives it to
them: each dependency once, those it takes before it, in the order in which a handler names them. One that is no coroutine is
called at once; where it says that it waits (`core.waits`), a thread calls it anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, get_origin

from fastapi import Request
from fastapi.params import Depends

from qumulus.core.waits import MustWait, at_once

from .threads import in_thread

Dependency = Callable[..., Any]


def dependency_of(taken: inspect.Parameter) -> Dependency | None:
    """Return what gives an argument its value; None where no dependency does."""
    declared = taken.annotation.__metadata__ if get_origin(taken.annotation) is Annotated else ()
    for each in (*declared, taken.default):
        if isinstance(each, Depends):
            return each.dependency
    return None


@dataclass(frozen=True, slots=True)
class Step:
    """One dependency: called with the request and with what earlier ones gave."""

    call: Dependency
    request: str | None  # the argument that takes the request
    arguments: Mapping[str, Dependency]
    awaited: bool


class Plan:
    """What solves some dependencies for a request."""

    def __init__(self) -> None:
        self._steps: dict[Dependency, Step] = {}

    def add(self, call: Dependency) -> None:
        """Plan ``call``, after all that it takes.

        Raises:
            TypeError: it takes what is neither the request nor a dependency.
        """
        if call in self._steps:
            return
        request, arguments = None, dict[str, Dependency]()
        for name, taken in inspect.signature(call, eval_str=True).parameters.items():
            inner = dependency_of(taken)
            if inner is not None:
                self.add(inner)
                arguments[name] = inner
            elif taken.annotation is Request:
                request = name
            else:
                raise TypeError(f"{call!r} takes {name}, which no dependency gives.")
        self._steps[call] = Step(call, request, arguments, inspect.iscoroutinefunction(call))

    async def solve(self, request: Request) -> Mapping[Dependency, Any]:
        """Return what each dependency gives for this request; what one of them raises ends the others."""
        values: dict[Dependency, Any] = {}
        for step in self._steps.values():
            given = {name: values[inner] for name, inner in step.arguments.items()}
            if step.request is not None:
                given[step.request] = request
            values[step.call] = await _given(step, given)
        return values


async def _given(step: Step, arguments: Mapping[str, Any]) -> Any:
    """What a step gives: most take less time than a thread needs to be woken."""
    call = partial(step.call, **arguments)
    if step.awaited:
        return await call()
    try:
        return at_once(call)
    except MustWait:
        return await in_thread(call)
