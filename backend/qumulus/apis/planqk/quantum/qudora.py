"""OpenQASM 2 for `qudora.sim.xg1`, one program or several; counts with the last bit first."""

from __future__ import annotations

import json
from typing import Any

from .formats import Done, Format, counts


def _write(done: Done) -> Any:
    """The older client reads a list of texts, each the counts of a circuit as JSON."""
    if done.newer:
        return counts(done)
    return [json.dumps(circuit["counts"]) for circuit in done.circuits]


FORMAT = Format("OPEN_QASM_V2", _write)
