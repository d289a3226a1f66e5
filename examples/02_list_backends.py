"""List the devices, and choose one."""

from qiskit_ibm_runtime import QiskitRuntimeService

service = QiskitRuntimeService()
for backend in service.backends():
    print(f"{backend.name:20} {backend.num_qubits:4} qubits")
print("large:", ", ".join(backend.name for backend in service.backends(min_num_qubits=133)))
print("least busy:", service.least_busy(min_num_qubits=100).name)
