"""The versions of the executor's schema: how each writes what the others have too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ibm_quantum_schemas.common.annotation_serializer import AnnotationSerializer
from pydantic import BaseModel
from qiskit import qpy
from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import Limits

from . import circuits
from .failures import invalid
from .wire import Allowance, from_base64

ANNOTATIONS = {"annotation_factories": {"samplomatic": AnnotationSerializer}}


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version of the schema.

    ``newest_qpy`` and ``newest_samplex`` are the newest formats that it admits. Up to 0.2 each item holds its circuit,
    afterwards one file holds all. Results carry a timing per item from 0.2 on, and permutations from 1.0 on.
    """

    version: str
    newest_qpy: int = qpy.QPY_VERSION
    newest_samplex: int | None = None
    circuits_in_items: bool = False
    compressed: bool = False
    passthrough: bool = True
    item_metadata: bool = True
    permutation: bool = True
    semantic_role: bool = True

    @property
    def options(self) -> type[BaseModel]:
        """The published model of the options."""
        module = import_module(f"ibm_quantum_schemas.executor.version_{self.version[1:].replace('.', '_')}")
        return module.OptionsModel

    def read_circuits(self, program: Mapping[str, Any], allowance: Allowance, limits: Limits) -> list[QuantumCircuit]:
        """The circuits of the program, one an item.

        Raises:
            ProgramError: they are malformed, of another format, or not as many as the items.
        """
        items = program["items"]
        if self.circuits_in_items:
            return [
                circuit
                for item in items
                for circuit in self._from_qpy(item.get("circuit"), "circuit_b64", allowance, limits, programs=1)
            ]
        container = program.get("circuits")
        if isinstance(container, Mapping) and isinstance(container.get("data"), list) and self.compressed:
            found = [circuits.circuit(text, allowance, limits) for text in container["data"] if isinstance(text, str)]
            if len(found) != len(items):
                raise invalid(f"The program has {len(items)} items and {len(found)} circuits: send one for each.")
            return found
        return self._from_qpy(container, "b64_data", allowance, limits, programs=len(items))

    def _from_qpy(
        self, container: object, member: str, allowance: Allowance, limits: Limits, *, programs: int
    ) -> list[QuantumCircuit]:
        text = container.get(member) if isinstance(container, Mapping) else None
        if text is None:
            raise invalid(f"The program has no circuits: send them as QPY in {member}.")
        data = allowance.inflate(text, "circuits") if self.compressed else from_base64(text, "circuits")
        return circuits.from_qpy(data, limits, programs=programs, newest=self.newest_qpy, **ANNOTATIONS)


DIALECTS = {
    dialect.version: dialect
    for dialect in (
        Dialect(
            "v0.1",
            newest_qpy=16,
            newest_samplex=1,
            circuits_in_items=True,
            passthrough=False,
            item_metadata=False,
            permutation=False,
            semantic_role=False,
        ),
        Dialect(
            "v0.2", newest_qpy=17, newest_samplex=2, circuits_in_items=True, permutation=False, semantic_role=False
        ),
        Dialect("v1.0", newest_qpy=17, newest_samplex=3),
        Dialect("v1.1", newest_qpy=17, newest_samplex=4),
        Dialect("v2.0", compressed=True),
    )
}


def dialect_of(params: Mapping[str, Any]) -> Dialect:
    """The dialect that the parameters of a job are written in.

    Raises:
        ProgramError: their version is not known.
    """
    version = params.get("schema_version")
    found = DIALECTS.get(version) if isinstance(version, str) else None
    if found is None:
        raise invalid(f"The executor knows the schema versions {', '.join(DIALECTS)}, not {str(version)[:20]!r}.")
    return found
