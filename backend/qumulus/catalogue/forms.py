"""The forms in which a device may be described, each brought into that of IBM's documents.

| form | told by |
| --- | --- |
| a configuration, as IBM's client prints it | `n_qubits` and `basis_gates` |
| the properties of a calibration, likewise | `qubits`, a list of lists, and `gates` |
| both, or several | `configuration` and `properties` |
| a short description with topology and medians, see `sketch` | `topology` |
| OQTOPUS' device_info, see `oqtopus` | `qubits` and `couplings` |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qumulus.core.errors import InvalidRequest

from . import device_info, sketch
from .reading import mapping, text

Document = Mapping[str, Any]
PREFIXES = ("ibm_", "ibmq_", "fake_", "alt_")
DEEPEST = 4  # documents within documents


@dataclass(slots=True)
class Described:
    """What documents say of one device, in the form of IBM's documents."""

    configuration: Document | None = None
    properties: list[Document] = field(default_factory=list)


def described(documents: Sequence[Document], name: str | None) -> dict[str, Described]:
    """Return what the documents say, by the core's name of the device; ``name`` is that of documents that say none.

    Where they name one device only, ``name`` is its name instead.

    Raises:
        InvalidRequest: a document is of no known form, or it is not known of which device.
    """
    parts = [part for document in documents for part in _parts(mapping(document, "A document"))]
    named = {called for _, part in parts if (called := _called(part))}
    ours = canonical(name) if name else None
    if ours is None and not named:
        raise InvalidRequest("No document says what the device is called: name it with --name.")
    only = next(iter(named)) if len(named) == 1 else None
    result: dict[str, Described] = {}
    for kind, part in parts:
        called = _called(part)
        whose = (ours if ours and len(named) < 2 else called) or ours or only
        if whose is None:
            raise InvalidRequest("A document does not say which device it is of: name the device with --name.")
        into = result.setdefault(whose, Described())
        if kind == "configuration":
            into.configuration = part
        else:
            into.properties.append(part)
    return result


def canonical(name: str) -> str:
    """Return the core's name of a device that somebody calls so.

    Raises:
        InvalidRequest
    """
    known = name.strip().lower()
    for prefix in PREFIXES:
        known = known.removeprefix(prefix)
    if not 0 < len(known) <= 60 or not known.isascii() or not known.replace("-", "_").replace("_", "a").isalnum():
        raise InvalidRequest(f"{name[:80]!r} is no name of a device: it has letters, digits, - and _, 60 at most.")
    return known


def _called(part: Document) -> str | None:
    return canonical(text(part["backend_name"], "backend_name")) if part.get("backend_name") else None


def _parts(document: Document, depth: int = 0) -> Iterator[tuple[str, Document]]:
    """The configurations and properties in a document."""
    if depth > DEEPEST:
        raise InvalidRequest("Documents stand within documents too deep: send each by itself.")
    if "topology" in document:
        yield from sketch.documents(document).items()
    elif "couplings" in document:
        yield from device_info.documents(document).items()
    elif "n_qubits" in document and "basis_gates" in document:
        yield "configuration", document
    elif _lists(document.get("qubits")) and "gates" in document:
        yield "properties", document
    else:
        inner = [document[name] for name in ("configuration", "conf", "properties", "props") if document.get(name)]
        if not inner:
            raise InvalidRequest(
                "A document is neither a configuration, nor properties, nor a description with a topology, nor a device_info."
            )
        for each in inner:
            for one in _several(each):
                yield from _parts(mapping(one, "A document"), depth + 1)


def _lists(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, list) for each in value)


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]
