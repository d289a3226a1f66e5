"""Handlers by operationId, and every way in which they can differ from the document, as sentences."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from fastapi.params import Depends

from .document import Declared, Document, Parameter
from .replies import Rendered, Reply, Stream

Handler = TypeVar("Handler", bound=Callable[..., Any])


class ContractError(Exception):
    """The handlers do not keep what the document declares; ``sentences`` are all the ways."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


class Operations:
    """The handlers of one module."""

    def __init__(self) -> None:
        self.handlers: list[tuple[str, Callable[..., Any]]] = []
        self.quick: set[str] = set()

    def __call__(self, operation_id: str, *, quick: bool = False) -> Callable[[Handler], Handler]:
        """Register the decorated function as the handler of ``operation_id``. One that is ``quick`` reads a few rows, and is called at
        once where it need not wait for them: see `core.waits`."""
        if quick:
            self.quick.add(operation_id)

        def register(handler: Handler) -> Handler:
            self.handlers.append((operation_id, handler))
            return handler

        return register


def matched(
    document: Document, groups: Collection[Operations], read_elsewhere: Collection[str]
) -> Mapping[str, Callable[..., Any]]:
    """Return the handlers of all operations, by operationId.

    Raises:
        ContractError: with the one complete list of what differs.
    """
    handlers: dict[str, Callable[..., Any]] = {}
    declared = document.operations
    sentences = list(document.mistakes)
    for name, handler in (entry for group in groups for entry in group.handlers):
        if name in handlers:
            sentences.append(f"{name}: has two handlers, {_where(handlers[name])} and {_where(handler)}.")
        elif name not in declared:
            sentences.append(f"{name}: has a handler, {_where(handler)}, but is not declared.")
        handlers[name] = handler
    sentences += [f"{name}: is declared, but has no handler." for name in declared if name not in handlers]
    parameters = {parameter.name for operation in declared.values() for parameter in operation.parameters}
    sentences += [
        f"{name}: is read elsewhere, but no operation declares it." for name in read_elsewhere if name not in parameters
    ]
    for name, operation in declared.items():
        if name in handlers:
            sentences += [f"{name}: {each}" for each in differences(operation, handlers[name], read_elsewhere)]
    if sentences:
        raise ContractError(sorted(sentences))
    return handlers


def differences(declared: Declared, handler: Callable[..., Any], read_elsewhere: Collection[str]) -> Iterator[str]:
    """Return what ``handler`` does not do as declared, each as the rest of a sentence."""
    signature = inspect.signature(handler, eval_str=True)
    taken = {name: each for name, each in signature.parameters.items() if not injected(each.annotation)}
    known = {parameter.argument: parameter for parameter in declared.parameters}
    if declared.bodies:
        yield from _body_differences(declared, taken.pop("body", None))
    for name, parameter in known.items():
        if name in taken:
            yield from _parameter_differences(parameter, taken.pop(name))
        elif parameter.name not in read_elsewhere:
            yield f"does not take {name}, which is declared."
    yield from (f"takes {name}, which is not declared." for name in taken)
    returned = returned_types(signature.return_annotation)
    if returned != declared.success_types:
        yield f"returns {_names(returned)}, not {_names(declared.success_types)}."


def _body_differences(declared: Declared, taken: inspect.Parameter | None) -> Iterator[str]:
    if taken is None:
        yield "does not take the body."
    elif taken.annotation != declared.body_annotation:
        yield f"takes the body as {_name(taken.annotation)}, not {_name(declared.body_annotation)}."


def _parameter_differences(parameter: Parameter, taken: inspect.Parameter) -> Iterator[str]:
    name = taken.name
    if taken.annotation != parameter.annotation:
        yield f"takes {name} as {_name(taken.annotation)}, not {_name(parameter.annotation)}."
    required = taken.default is inspect.Parameter.empty
    if parameter.required:
        if not required:
            yield f"defaults {name} to {taken.default!r}, but it is required."
    elif required:
        yield f"requires {name}, but it is optional, with the default {parameter.default!r}."
    elif taken.default != parameter.default:
        yield f"defaults {name} to {taken.default!r}, not {parameter.default!r}."


def injected(annotation: Any) -> bool:
    """Say whether an argument comes from a dependency, so that the document knows nothing of that argument."""
    if get_origin(annotation) is not Annotated:
        return False
    return any(isinstance(each, Depends) for each in annotation.__metadata__)


def returned_types(annotation: Any) -> frozenset[Any]:
    """Return the types of body in a return annotation, without their wrappers."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return frozenset().union(*map(returned_types, get_args(annotation)))
    if origin in (Reply, Rendered, Stream):
        return frozenset().union(*map(returned_types, get_args(annotation)))
    return frozenset([None if annotation is NoneType else annotation])


def _where(handler: Callable[..., Any]) -> str:
    return f"{handler.__module__}.{getattr(handler, '__qualname__', handler)}"


def _names(types: Collection[Any]) -> str:
    return " or ".join(sorted(map(_name, types)))


def _name(annotation: Any) -> str:
    if annotation is inspect.Signature.empty:
        return "nothing in particular (it has no annotation)"
    if get_origin(annotation) is not None:
        return str(annotation)
    return getattr(annotation, "__name__", str(annotation))
