"""Sample a Bell pair on a device with its calibrated noise."""

from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

backend = QiskitRuntimeService().backend("ibm_brisbane")
bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
bell.measure_all()
job = SamplerV2(backend).run([transpile(bell, backend, optimization_level=1)], shots=4096)
print(job.job_id(), job.result()[0].data.meas.get_counts())
