"""Expectation values with and without error mitigation."""

from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import EstimatorV2, QiskitRuntimeService

backend = QiskitRuntimeService().backend("ibm_brisbane")
bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
circuit = transpile(bell, backend, optimization_level=1)
observable = SparsePauliOp("ZZ").apply_layout(circuit.layout)
for level in (0, 1, 2):
    estimator = EstimatorV2(backend, options={"resilience_level": level})
    data = estimator.run([(circuit, observable)]).result()[0].data
    print(f"resilience level {level}: ⟨ZZ⟩ = {float(data.evs):.3f} ± {float(data.stds):.3f}")
