"""The differences of a document from the one that it emulates, as stable paths, and the list that has to name them all.

References are resolved before the comparison: whether a schema has a name or stands in place is no difference.
A path reads ``POST /task > requestBody > content > application/json > schema > properties > n_shots > maximum``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .methods import METHODS

SEPARATOR = " > "
UNORDERED = {"required", "tags"}  # lists of words that are sets
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a `differences.yaml`: what it covers, and why it is so.

    ``where`` are patterns of paths (``*`` is anything); what stands below a matching path is covered too.
    """

    where: tuple[str, ...]
    why: str

    def covers(self, path: str) -> bool:
        """Say whether the entry speaks of ``path``."""
        return any(fnmatchcase(path, pattern) or fnmatchcase(path, pattern + SEPARATOR + "*") for pattern in self.where)


def listed(entries: Sequence[Mapping[str, Any]]) -> tuple[Listed, ...]:
    """Return the entries of one reference in a `differences.yaml`; ``where`` is a pattern or a list of them."""
    return tuple(
        Listed(tuple([entry["where"]] if isinstance(entry["where"], str) else entry["where"]), entry["why"])
        for entry in entries
    )


def complaints(theirs: Document, ours: Document, entries: Sequence[Listed]) -> Iterator[str]:
    """Return what the list does not name, and what it names that is no difference, each as a sentence."""
    found = differences(theirs, ours)
    for path, how in found.items():
        if not any(entry.covers(path) for entry in entries):
            yield f"{path} {how}, and no entry says why."
    for entry in entries:
        if not any(entry.covers(path) for path in found):
            yield f"{' and '.join(entry.where)}: there is no such difference (any more)."


def differences(theirs: Document, ours: Document) -> dict[str, str]:
    """Path to what differs there: ``is new``, ``is left out`` or ``is 2, not 1``, in the order of the paths.

    Of something that is only in one of the documents, the topmost path alone is named.
    """
    old, new = _Flat(theirs).leaves(), _Flat(ours).leaves()
    old_places, new_places = _places(old), _places(new)
    found = {}
    for path in sorted(old.keys() | new.keys()):
        if path not in old_places:
            found[_topmost(path, old_places)] = "is new"
        elif path not in new_places:
            found[_topmost(path, new_places)] = "is left out"
        elif path in old and path in new and (old[path], type(old[path])) != (new[path], type(new[path])):
            found[path] = f"is {new[path]!r}, not {old[path]!r}"
    return found


def paths(document: Document) -> set[str]:
    """Every path that a pattern can name."""
    return _places(_Flat(document).leaves())


def _places(leaves: Mapping[str, Any]) -> set[str]:
    """Return all paths of a document: those of its leaves, and those that lead to them."""
    parts = (path.split(SEPARATOR) for path in leaves)
    return {SEPARATOR.join(each[:length]) for each in parts for length in range(1, len(each) + 1)}


def _topmost(path: str, places: set[str]) -> str:
    """Return the shortest beginning of ``path`` that is not among ``places``."""
    parts = path.split(SEPARATOR)
    beginnings = (SEPARATOR.join(parts[:length]) for length in range(1, len(parts) + 1))
    return next(each for each in beginnings if each not in places)


@dataclass(frozen=True, slots=True)
class _Flat:
    document: Document

    def leaves(self) -> dict[str, Any]:
        """Path to value of everything that is not a container."""
        found: dict[str, Any] = {}
        for name, value in self.document.items():
            if name not in ("paths", "components"):
                found |= self._below(name, value, ())
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        found |= self._below("securitySchemes", schemes, ())
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = item[method]
                    shared = [*item.get("parameters", []), *operation.get("parameters", [])]
                    whole = {**operation, "parameters": shared} if shared else operation
                    found |= self._below(f"{method.upper()} {path}", whole, ())
        return found

    def _below(self, path: str, node: Any, inside: tuple[str, ...]) -> dict[str, Any]:
        if isinstance(node, Mapping):
            if isinstance(reference := node.get("$ref"), str):
                if reference in inside:
                    return {path: f"again {reference}"}
                return self._below(path, self._followed(reference), (*inside, reference))
            if len(node.get("allOf", ())) == 1:  # a reference with something beside it
                beside = {name: value for name, value in node.items() if name != "allOf"}
                return self._below(path, node["allOf"][0], inside) | (
                    self._below(path, beside, inside) if beside else {}
                )
            members = node.items()
        elif isinstance(node, list):
            members = self._named(path, node)
        else:
            return {path: node}
        found: dict[str, Any] = {}
        for name, value in members:
            found |= self._below(f"{path}{SEPARATOR}{name}", value, inside)
        return found or {path: "empty"}

    def _named(self, path: str, node: list[Any]) -> Iterator[tuple[str, Any]]:
        """Return the members of a list under names that do not depend on its order, where the order means nothing."""
        if path.count(SEPARATOR) == 1 and path.endswith(SEPARATOR + "parameters"):  # those of an operation
            followed = (self._followed(each["$ref"]) if "$ref" in each else each for each in node)
            return ((f"{each['in']} {each['name']}", each) for each in followed)
        if path.rpartition(SEPARATOR)[2] in UNORDERED:
            return ((str(each), True) for each in node)
        return ((str(index), each) for index, each in enumerate(node))

    def _followed(self, reference: str) -> Any:
        node: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        return node
