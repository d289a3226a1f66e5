"""Why runs end, as people read it, and what a run may need where nobody says."""

from __future__ import annotations

from qumulus.core.ports import Claim
from qumulus.core.programs import Limits

AMPLITUDE_BYTES = 16

STOPPED = "The server stopped while it ran."
PARENT = "The parent of the worker processes ended while it ran."
OURS = "Running it failed because of an error of ours: the server's log has the details."


def guessed(claim: Claim, limits: Limits) -> int:
    """Bytes that a run may need, where its worker does not say: a state vector of its active qubits, at most the limit."""
    if not claim.active_qubits:
        return 0
    return min(AMPLITUDE_BYTES << min(claim.active_qubits, 60), limits.memory_bytes)


def too_much(needed: int, limits: Limits) -> str:
    """Why a run was refused."""
    return (
        f"It would need {needed:,} bytes of memory, and one job may use {limits.memory_bytes:,}: "
        "use fewer qubits, or start the server with a larger --worker-memory-mib."
    )


def too_long(limits: Limits) -> str:
    """Why a run was ended."""
    return f"It ran for longer than {limits.seconds:g} seconds, which is what it may: make it smaller, or allow it more time."


def died(told: str, claim: Claim) -> str:
    """Why a job failed whose worker died in each of its attempts."""
    if claim.attempts == 1:
        return f"The process that ran it {told}."
    return f"The process that ran it died in each of its {claim.attempts} attempts; the last one {told}."
