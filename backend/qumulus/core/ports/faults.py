"""The port to the rules by which something goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qumulus.core.faults import Fault, FaultRule


class FaultStore(Protocol):
    """The faults that all processes on one state go by."""

    def active(self) -> Sequence[Fault]:
        """Return the rules as they were made, from memory: without counts, and also those that are not in force now."""
        ...

    def of_device(self, device: str) -> Sequence[FaultRule]:
        """Return the rules that are in force for a device as such."""
        ...

    def count(self, fault: Fault) -> bool:
        """Count one more that a rule is for, and say whether it is hit."""
        ...

    def add(self, rule: FaultRule) -> Fault: ...

    def replace(self, rules: Sequence[FaultRule]) -> Sequence[Fault]:
        """Go by these rules and no others from now on."""
        ...

    def faults(self) -> Sequence[Fault]:
        """Return all rules with their counts, oldest first."""
        ...

    def fault(self, fault_id: str) -> Fault:
        """Return one rule with its counts.

        Raises:
            UnknownFault
        """
        ...

    def remove(self, fault_id: str) -> None:
        """Forget a rule.

        Raises:
            UnknownFault
        """
        ...

    def clear(self) -> None:
        """Forget all rules."""
        ...
