"""The cases of qiskit-ibm-runtime."""

import logging

from meeting import main
from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

logging.disable(logging.WARNING)


def service():
    return QiskitRuntimeService(channel="ibm_quantum_platform")


SERVICE = service()
BACKEND = SERVICE.backend("ibm_fez")
CIRCUIT = QuantumCircuit(1)
CIRCUIT.x(0)
CIRCUIT.measure_all()


def submit():
    return SamplerV2(BACKEND).run([CIRCUIT], shots=10)


def run():
    counts = submit().result()[0].data.meas.get_counts()
    return f"the result, {sum(counts.values())} shots"


def state():
    job = submit()
    job.wait_for_final_state(timeout=2)
    return f"the status {job.status()}"


def waiting():
    job = submit()
    try:
        job.wait_for_final_state(timeout=2)
    finally:
        job.cancel()


def transpiled():
    placed = transpile(CIRCUIT, service().backend("ibm_fez"), seed_transpiler=1)
    return f"not the qubit 0: {0 not in [placed.layout.final_index_layout()[0]]}"


def anew():
    return SamplerV2(service().backend("ibm_fez")).run([CIRCUIT], shots=10) and "the job is taken"


def look():
    status = SERVICE.backend("ibm_brisbane").status()
    return f"operational={status.operational}, status_msg={status.status_msg!r}"


main(
    {
        "log in": lambda: f"{len(service().instances()) > 0 and 'instances'}",
        "list jobs": lambda: SERVICE.jobs(limit=1) is not None and "jobs",
        "run a job": run,
        "submit a job": lambda: submit() and "the job is taken",
        "wait 2 s for a job": waiting,
        "look at a device": look,
        "transpile for a device": transpiled,
        "submit a circuit that uses it": anew,
        "run what was submitted before it was known": run,
        "find a device": lambda: service().backend("ibm_brisbane").name,
    }
)
