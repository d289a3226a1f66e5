"""A program that uses a quantum cloud, and how it behaves when the cloud does not."""

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import SamplerV2
from qiskit_ibm_runtime.exceptions import RuntimeJobFailureError


def bell_counts(service, shots=1000):
    """What is tested: sample a Bell pair on the first device."""
    backend = service.backend("ibm_perth")
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    job = SamplerV2(backend).run([transpile(bell, backend, optimization_level=1)], shots=shots)
    return job.result()[0].data.meas.get_counts()


def test_the_pair_is_correlated(ibm_service):
    counts = bell_counts(ibm_service)
    assert counts["00"] + counts["11"] > 900


def test_a_busy_cloud_is_asked_again(quantum_cloud, ibm_service):
    with quantum_cloud.fault("error", status=503, retry_after=0, operation="listBackends", times=1) as fault:
        assert ibm_service.backends()
        assert fault.hits == 1


def test_a_failed_job_raises(quantum_cloud, ibm_service):
    with quantum_cloud.fault("job-fails", device="perth", code=1517, times=1), pytest.raises(RuntimeJobFailureError):
        bell_counts(ibm_service)
