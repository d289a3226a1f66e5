"""A program that finds its way round a device in maintenance: run it in the scenario of `maintenance.yaml`.

qumulus run --scenario examples/maintenance.yaml -- python examples/scenario.py
"""

from qiskit_ibm_runtime import QiskitRuntimeService

service = QiskitRuntimeService()
wanted = service.backend("ibm_fez").status()
print(f"ibm_fez: {'operational' if wanted.operational else wanted.status_msg}")
other = service.least_busy(operational=True, min_num_qubits=100, filters=lambda backend: backend.name != "ibm_fez")
print(f"a device of {other.num_qubits} qubits is taken instead: {other.status().operational}")
