"""The cases of qhub-quantum, and of planqk-quantum, which it is the next generation of."""

from meeting import main
from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import SamplerV2

try:
    from qhub.quantum.sdk import HubQiskitProvider as Provider
    from qhub.quantum.sdk import HubQiskitRuntimeService as Service
except ModuleNotFoundError:
    from planqk.quantum.sdk import PlanqkQiskitRuntimeService as Service
    from planqk.quantum.sdk import PlanqkQuantumProvider as Provider

TOKEN = "qumulus-local"
PROVIDER = Provider(access_token=TOKEN)
SIMULATOR = PROVIDER.get_backend("aws.sim.sv1")
DEVICE = Service(access_token=TOKEN).backend("ibm.qpu.fez")
CIRCUIT = QuantumCircuit(1, 1)
CIRCUIT.x(0)
CIRCUIT.measure(0, 0)
PLACED = transpile(CIRCUIT, DEVICE, initial_layout=[0], optimization_level=0)


def run():
    job = SIMULATOR.run(CIRCUIT, shots=10)
    return f"the result, {sum(job.result().get_counts().values())} shots"


def on_a_device():
    result = SamplerV2(mode=DEVICE).run([PLACED], shots=10).result()
    return f"the result, {sum(result[0].data.c.get_counts().values())} shots"


def waiting():
    job = SIMULATOR.run(CIRCUIT, shots=10)
    try:
        job.wait_for_final_state(timeout=1, wait=0.1)
    finally:
        job.cancel()


def look():
    status = DEVICE.status()
    return f"operational={status.operational}, status_msg={status.status_msg!r}"


main(
    {
        "list backends": lambda: f"{len(PROVIDER.backends()) > 0 and 'backends'}",
        "run a job": run,
        "run a job on a device": on_a_device,
        "wait 1 s for a job": waiting,
        "look at a device": look,
        "find a device": lambda: Service(access_token=TOKEN).backend("ibm.qpu.marrakesh").name,
    }
)
