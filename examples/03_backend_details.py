"""What a device can do, how well it does it, and what it is doing."""

from qiskit_ibm_runtime import QiskitRuntimeService

backend = QiskitRuntimeService().backend("ibm_brisbane")
configuration, properties, status = backend.configuration(), backend.properties(), backend.status()
print(f"{configuration.backend_name} {configuration.backend_version}: {configuration.n_qubits} qubits")
print("gates:", ", ".join(configuration.basis_gates))
print(f"calibrated {properties.last_update_date}: T1 of qubit 0 is {properties.t1(0) * 1e6:.0f} µs")
print(f"error of ecr on 1, 0: {properties.gate_error('ecr', [1, 0]):.4f}")
print(f"status {status.status_msg}, {status.pending_jobs} jobs")
