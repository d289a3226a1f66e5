"""A variational loop of many small jobs in a session, by the unmodified client of IBM Quantum, in turn with Aer in its own process."""

from __future__ import annotations

import statistics
from importlib.metadata import version
from pathlib import Path

from .ibm_client import measured
from .tables import Row, Table, seconds

USER = Path(__file__).with_name("vqe_user.py")
LEAST, AIM = 3.0, 1.0  # times Aer's time


def tables() -> list[Table]:
    """The table of the loop."""
    found = measured(user=USER)
    here, aer, whole = sum(found["here"]), sum(found["aer"]), statistics.median(found["whole"])
    one = statistics.median(found["here"])
    count = len(found["here"])
    rows = [
        Row(
            what=f"{count} iterations; beside: Aer with the noise of the four qubits",
            ours=seconds(here),
            other=seconds(aer),
            ratio=f"{here / aer:.2f}",
            least=f"{LEAST:g} times",
            aim=f"{AIM:g} times",
            met=here <= LEAST * aer,
        ),
        Row(
            what="one iteration; beside: Aer with the noise of the device, as `from_backend` has it",
            ours=seconds(one),
            other=seconds(whole),
            ratio=f"{one / whole:.3f}",
        ),
    ]
    note = (
        f"Four qubits on ibm_brisbane, the energy of a chain of spins to the precision of 4,096 shots; qiskit-ibm-runtime "
        f"{version('qiskit-ibm-runtime')} in a session, qiskit-aer {version('qiskit-aer')} in the process of the client, in turn."
    )
    return [Table(title="A variational loop in a session", rows=rows, note=note)]
