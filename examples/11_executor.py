"""The executor program, by the client-side sampler and estimator that rest on it."""

from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import QiskitRuntimeService
from qiskit_ibm_runtime.executor_estimator import Estimator
from qiskit_ibm_runtime.executor_sampler import Sampler

backend = QiskitRuntimeService().backend("ibm_fez")
bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
circuit = transpile(bell, backend, optimization_level=1)
observable = SparsePauliOp("ZZ").apply_layout(circuit.layout)
print("⟨ZZ⟩ =", float(Estimator(backend).run([(circuit, observable)]).result()[0].data.evs))
bell.measure_all()
measured = transpile(bell, backend, optimization_level=1)
print(Sampler(backend).run([measured], shots=1000).result()[0].data.meas.get_counts())
