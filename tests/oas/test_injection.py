"""Dependencies of handlers: each is asked once for a request, those that it takes before it."""

from __future__ import annotations

import asyncio
import threading
from typing import Annotated

import pytest
from fastapi import Depends, Request

from qumulus.core.waits import waits
from qumulus.openapi.contract.injection import Plan

REQUEST = Request({"type": "http", "path": "/jobs", "headers": []})
asked: list[str] = []


async def path(request: Request) -> str:
    asked.append("path")
    return request.scope["path"]


async def length(path: Annotated[str, Depends(path)]) -> int:
    asked.append("length")
    return len(path)


def quick(path: Annotated[str, Depends(path)], length: int = Depends(length)) -> tuple[str, int, bool]:
    asked.append("quick")
    return path, length, threading.current_thread() is threading.main_thread()


def slow(path: Annotated[str, Depends(path)], length: int = Depends(length)) -> tuple[str, int, bool]:
    waits()
    return quick(path, length)


async def odd(path: Annotated[str, Depends(path)], number: int) -> int:
    return number


async def broken(request: Request) -> None:
    raise ValueError("broken")


def solved(*wanted: object) -> object:
    asked.clear()
    plan = Plan()
    for each in wanted:
        plan.add(each)
    found = asyncio.run(plan.solve(REQUEST))
    return [found[each] for each in wanted]


def test_what_several_take_is_asked_once_and_first() -> None:
    assert solved(length, quick, path)[0] == 5
    assert asked == ["path", "length", "quick"]


def test_a_plain_function_is_called_at_once() -> None:
    assert solved(quick) == [("/jobs", 5, True)]


def test_a_plain_function_that_waits_is_called_in_a_thread() -> None:
    assert solved(slow) == [("/jobs", 5, False)]


def test_what_one_raises_ends_the_others() -> None:
    with pytest.raises(ValueError, match="broken"):
        solved(path, broken, length)
    assert asked == ["path"]


def test_an_argument_that_nothing_gives_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="takes number, which no dependency gives"):
        Plan().add(odd)
