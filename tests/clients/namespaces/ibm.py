"""A script of a user of IBM Quantum: it names no address, and its token is in the environment."""

from qiskit import QuantumCircuit
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

service = QiskitRuntimeService(channel="ibm_quantum_platform")
circuit = QuantumCircuit(1)
circuit.x(0)
circuit.measure_all()
job = SamplerV2(service.backend("ibm_fez")).run([circuit], shots=10)
assert job.result()[0].data.meas.get_counts() == {"1": 10}
assert [each.job_id() for each in service.jobs()] == [job.job_id()]
print(job.job_id())
