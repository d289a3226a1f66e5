"""What a user of planqk-quantum 3.1 or qhub-quantum 1.18 does: Bell circuits through Qiskit and Braket."""

import json
import sys

from qiskit import QuantumCircuit, transpile

if sys.argv[1] == "qhub":
    from qhub.quantum.sdk import HubBraketProvider as BraketProvider
    from qhub.quantum.sdk import HubQiskitProvider as QiskitProvider
else:
    from planqk.quantum.sdk import PlanqkBraketProvider as BraketProvider
    from planqk.quantum.sdk import PlanqkQuantumProvider as QiskitProvider

from braket.circuits import Circuit

TOKEN = "qumulus-local"
told = {}
provider = QiskitProvider(access_token=TOKEN)
told["backends"] = sorted(provider.backends())

circuit = QuantumCircuit(3, 3)
circuit.h(0)
circuit.cx(0, 1)
circuit.measure([0, 1, 2], [0, 1, 2])
for name in sys.argv[2:]:
    backend = provider.get_backend(name)
    job = backend.run(transpile(circuit, backend), shots=200)
    told[name] = dict(job.result().get_counts())
    told[f"{name} status"] = job.status().name
    again = backend.retrieve_job(job.id)
    told[f"{name} again"] = again.status().name

device = BraketProvider(access_token=TOKEN).get_device("aws.sim.sv1")
told["online"] = device.status
task = device.run(Circuit().h(0).cnot(0, 1).measure([0, 1]), shots=200)
told["braket"] = dict(task.result().measurement_counts)
told["braket state"] = task.state()

try:
    QiskitProvider(access_token="wrong").backends()
except Exception as error:
    told["wrong"] = type(error).__name__
print(json.dumps(told))
