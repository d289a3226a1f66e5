"""A session for jobs that follow each other, and a batch for jobs that are known at once."""

from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import Batch, QiskitRuntimeService, SamplerV2, Session

service = QiskitRuntimeService()
backend = service.backend("ibm_kawasaki")
ghz = QuantumCircuit(3)
ghz.h(0)
ghz.cx(0, 1)
ghz.cx(1, 2)
ghz.measure_all()
circuit = transpile(ghz, backend, optimization_level=1)
with Session(backend=backend) as session:
    for shots in (100, 1000):
        print(SamplerV2(mode=session).run([circuit], shots=shots).result()[0].data.meas.get_counts())
print(f"session {session.session_id}: {session.status()}")
with Batch(backend=backend) as batch:
    jobs = [SamplerV2(mode=batch).run([circuit], shots=100) for _ in range(3)]
print(f"batch {batch.session_id}: {len(service.jobs(session_id=batch.session_id))} jobs")
print([job.result()[0].data.meas.num_shots for job in jobs])
