"""Error mitigation compared: one observable, read by a noisy device, with each remedy of the Estimator.

qumulus run -- python examples/mitigation_compared.py
"""

from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import EstimatorV2, QiskitRuntimeService

QUBITS = 5
REMEDIES = {
    "none": {"resilience_level": 0},
    "readout": {"resilience_level": 1},
    "readout, zero-noise extrapolation": {"resilience_level": 2},
}

backend = QiskitRuntimeService().backend("ibm_brisbane")
ghz = QuantumCircuit(QUBITS)
ghz.h(0)
for qubit in range(QUBITS - 1):
    ghz.cx(qubit, qubit + 1)
isa = transpile(ghz, backend, optimization_level=1, seed_transpiler=7)
parity = SparsePauliOp("ZZZZI").apply_layout(isa.layout)

print("the ideal value is 1")
for name, options in REMEDIES.items():
    data = EstimatorV2(backend, options=options).run([(isa, parity)], precision=0.01).result()[0].data
    print(f"{name:35} {float(data.evs):.3f} ± {float(data.stds):.3f}")
