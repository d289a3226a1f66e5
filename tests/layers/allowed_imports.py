"""A contract of import-linter that allows what its table says and forbids the rest, so that what comes later is forbidden too.

The contracts that import-linter brings are deny-lists: a package or a library that nobody thought of passes them. Here every
package of Qumulus is a row, `name: packages | libraries`, and may import only itself, the packages and the libraries of its row,
and the standard library. A package without a row is an error, as is a row without a package, and what a row allows in vain. Two
rules hold beside the table:

* a family, `apis.<family>`, has the row `apis.*` and imports no other family, and an API, `apis.<family>.<api>`, no other API;
* generated models, in a package named `schemas`, are imported by the API that they were made for and by nobody else.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

ROOT = "qumulus"
FAMILIES = "apis"
GENERATED = "schemas"
OF_AN_API = {GENERATED, "translate"}  # folders inside an API: where they stand in a family, it has but one


@dataclass(frozen=True, slots=True)
class Row:
    """What a package may import beside itself."""

    packages: frozenset[str]
    libraries: frozenset[str]


class AllowedImports(Contract):
    """Every package imports what its row allows, and nothing else."""

    type_name = "allowed"

    rows = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Compare all imports with the table."""
        table = dict(map(_row, self.rows))
        complaints = sorted({*_unlisted(graph, table), *_forbidden(graph, table), *_in_vain(graph, table)})
        return ContractCheck(kept=not complaints, metadata={"complaints": complaints})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print a line for each import that is not allowed."""
        for complaint in check.metadata["complaints"]:
            output.print_error(complaint)


def _row(text: str) -> tuple[str, Row]:
    name, _, allowed = text.partition(":")
    packages, _, libraries = allowed.partition("|")
    return name.strip(), Row(frozenset(packages.split()), frozenset(libraries.split()))


def _unlisted(graph: ImportGraph, table: Mapping[str, Row]) -> Iterator[str]:
    """A sentence for each package that has no row, and for each row that has no package."""
    packages = {module.removeprefix(f"{ROOT}.") for module in graph.find_children(ROOT)}
    yield from (f"{ROOT}.{name} has no row in the table: say what it may import." for name in packages - table.keys())
    rows = table.keys() - {f"{FAMILIES}.*"}
    yield from (f"The table has a row for {name}, which is not there." for name in rows - packages)


def _forbidden(graph: ImportGraph, table: Mapping[str, Row]) -> Iterator[str]:
    """A sentence for each import that is not allowed."""
    for importer in graph.modules:
        if importer != ROOT and _is_ours(importer) and (row := table.get(_row_name(importer))):
            for imported in graph.find_modules_directly_imported_by(importer):
                if not _allowed(importer, imported, row):
                    yield f"{importer} may not import {imported}."


def _in_vain(graph: ImportGraph, table: Mapping[str, Row]) -> Iterator[str]:
    """A sentence for each allowance that nothing uses: it would let something in unseen."""
    used: defaultdict[str, set[str]] = defaultdict(set)
    for importer in filter(_is_ours, graph.modules):
        for imported in graph.find_modules_directly_imported_by(importer) if importer != ROOT else ():
            used[_row_name(importer)] |= _names(imported) if _is_ours(imported) else {imported.partition(".")[0]}
    for name, row in table.items():
        vain = (row.packages | row.libraries) - used[name]
        yield from (f"The row of {name} allows {each}, which nothing there imports." for each in vain)


def _allowed(importer: str, imported: str, row: Row) -> bool:
    if not _is_ours(imported):
        library = imported.partition(".")[0]
        return library in sys.stdlib_module_names or library in row.libraries
    parent, generated, _ = imported.partition(f".{GENERATED}")
    if generated and not f"{importer}.".startswith(f"{parent}."):
        return False
    if _is_other_api(importer, imported):
        return False
    return imported == ROOT or _package(imported) == _package(importer) or bool(_names(imported) & row.packages)


def _is_other_api(importer: str, imported: str) -> bool:
    """Whether both belong to APIs of one family, and to different ones."""
    ours, theirs = (module.split(".")[1:] for module in (importer, imported))
    in_apis = [len(parts) > 3 and parts[0] == FAMILIES and parts[2] not in OF_AN_API for parts in (ours, theirs)]
    return all(in_apis) and ours[1] == theirs[1] and ours[2] != theirs[2]


def _is_ours(module: str) -> bool:
    return module == ROOT or module.startswith(f"{ROOT}.")


def _package(module: str) -> str:
    """The package that a module belongs to: a family, or one at the top."""
    _, *parts = module.split(".")
    return ".".join(parts[:2] if parts[:1] == [FAMILIES] and len(parts) > 2 else parts[:1])


def _row_name(module: str) -> str:
    package = _package(module)
    return f"{FAMILIES}.*" if package.startswith(f"{FAMILIES}.") else package


def _names(module: str) -> frozenset[str]:
    """What rows may call a module: its package, or a single module of a family in every family, such as `apis.*.family`."""
    package, (_, *parts) = _package(module), module.split(".")
    inside = ".".join(parts[2:]) if package.startswith(f"{FAMILIES}.") else ""
    return frozenset({package, f"{FAMILIES}.*.{inside}"} if inside else {package})
