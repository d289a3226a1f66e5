"""Options of the primitives, held to the schema that IBM publishes for them in ``ibm-quantum-schemas``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from qumulus.core.results import Severity

from .failures import Log, invalid, shown
from .wire import Allowance, array, typed

ModelT = TypeVar("ModelT", bound=BaseModel)

_MOST_PROBLEMS = 5
_MOST_NAMED = 20


def validated(
    model: type[ModelT],
    values: object,
    allowance: Allowance,
    log: Log,
    *,
    also: Collection[str] = (),
    unused: Collection[str] = (),
    where: str = "options",
) -> ModelT:
    """The options as the schema has them, its defaults filled in.

    What the schema does not know has no effect, and the job's log says so in a warning, unless it stands in ``also``: names
    that somebody else reads. It says the same of what the schema knows and nothing here uses, ``unused`` by dotted names, where
    a job changes it. The client merges what stands under ``experimental`` into the options, so a name that the
    service does not know is no mistake.

    Raises:
        ProgramError: an option has a value that it cannot have; the message names each.
    """
    plain = _plain(values if values is not None else {}, allowance)
    known, unknown = _known(plain, model, where)
    try:
        options = model.model_validate(known)
        unknown += _changed(options, model, unused, where)
        if ignored := [name for name in unknown if name not in also]:
            log(shown(f"Some options have no effect here: {', '.join(ignored[:_MOST_NAMED])}."), Severity.WARNING)
        return options
    except ValidationError as error:
        problems = [f"{'.'.join((where, *map(str, p['loc'])))}: {p['msg']}" for p in error.errors()]
    raise invalid(f"Some options are not valid: {'; '.join(problems[:_MOST_PROBLEMS])}. Change them or leave them out.")


def tell_unknown(params: Mapping[str, Any], known: Collection[str], log: Log) -> None:
    """Say in the job's log which inputs of a program nobody reads."""
    if unknown := [str(name) for name in params if name not in known]:
        log(shown(f"Some inputs have no effect here: {', '.join(unknown[:_MOST_NAMED])}."), Severity.WARNING)


def tell_experimental(experimental: Mapping[str, Any], known: Collection[str], log: Log) -> None:
    """Say in the job's log which experimental options nobody reads; one in a group is ``known`` by its dotted name."""
    unknown = list[str]()
    for name, value in experimental.items():
        of_group = any(each.startswith(f"{name}.") for each in known) and isinstance(value, Mapping)
        names = [f"{name}.{inner}" for inner in value] if of_group else [str(name)]
        unknown += [each for each in names if each not in known]
    if unknown:
        log(shown(f"Experimental options have no effect here: {', '.join(unknown[:_MOST_NAMED])}."), Severity.WARNING)


def _changed(options: BaseModel, model: type[BaseModel], names: Collection[str], where: str) -> list[str]:
    """The options of these dotted names that have another value than their default."""
    found = []
    for name in names:
        if name.partition(".")[0] not in model.model_fields:  # an older version has not all
            continue
        value: Any = options
        for part in name.split("."):
            value = getattr(value, part, None)
        first = name.partition(".")[0]
        default = model.model_fields[first].get_default(call_default_factory=True) if first == name else None
        if value is not None and value != default:
            found.append(f"{where}.{name}")
    return found


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


def _known(values: Any, model: type[BaseModel], where: str) -> tuple[Any, list[str]]:
    """The values whose names the schema has, and the other names, at any depth: its nested models would ignore them silently."""
    if not isinstance(values, Mapping):
        return values, []
    known, unknown = dict[str, Any](), list[str]()
    fields = {declared.alias or name: declared for name, declared in model.model_fields.items()}
    for name, member in values.items():
        declared = fields.get(name)
        if declared is None:
            unknown.append(f"{where}.{name}")
            continue
        nested, inner = _nested(declared.annotation), list[str]()
        known[name], inner = (member, []) if nested is None else _known(member, nested, f"{where}.{name}")
        unknown += inner
    return known, unknown


def _nested(annotation: Any) -> type[BaseModel] | None:
    """The model of a group of options, given alone or as optional."""
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
