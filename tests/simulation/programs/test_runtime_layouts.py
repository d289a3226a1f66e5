"""Layouts are read as Qiskit reads them, only quicker."""

from __future__ import annotations

import io

import pytest
from qiskit import qpy
from qiskit.circuit import Clbit, QuantumCircuit, QuantumRegister, Qubit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit.transpiler.exceptions import LayoutError

from qumulus.core.programs import Limits
from qumulus.simulation.devices import device_model
from qumulus.simulation.programs.runtime import layouts
from qumulus.simulation.programs.runtime.circuits import from_qpy

PAIR, TRIPLE = QuantumRegister(2, "pair"), QuantumRegister(3, "triple")
LOOSE = [Qubit() for _ in range(3)]


@pytest.mark.parametrize(
    ("qubits", "registers"),
    [
        ([], []),
        (LOOSE, []),
        ([LOOSE[2], None, LOOSE[0]], []),
        ([TRIPLE[1], PAIR[0], TRIPLE[0], PAIR[1], TRIPLE[2]], [PAIR, TRIPLE]),
        ([TRIPLE[1], None, LOOSE[0]], [PAIR, TRIPLE]),  # qubits of registers that have no place yet get one
    ],
)
def test_a_layout_is_the_one_that_qiskit_reads(qubits, registers):
    theirs = layouts._by_qiskit(qubits, *registers)
    ours = layouts.from_qubit_list(qubits, *registers)
    assert ours == theirs
    assert ours.get_physical_bits() == theirs.get_physical_bits()
    assert ours.get_virtual_bits() == theirs.get_virtual_bits()
    assert ours.get_registers() == theirs.get_registers()


@pytest.mark.parametrize("qubits", [[LOOSE[0], LOOSE[1], LOOSE[0]], [LOOSE[0], Clbit()]])
def test_what_is_no_layout_is_refused_as_by_qiskit(qubits):
    with pytest.raises(LayoutError):
        layouts.from_qubit_list(qubits)


def test_a_circuit_comes_back_with_its_layout():
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)
    manager = generate_preset_pass_manager(1, target=device_model("manila").target, seed_transpiler=5)
    sent, file = manager.run(circuit), io.BytesIO()
    qpy.dump(sent, file)
    (read,) = from_qpy(file.getvalue(), Limits(), programs=1)
    assert read.layout.final_index_layout() == sent.layout.final_index_layout()
    assert read.layout.initial_index_layout() == sent.layout.initial_index_layout()
