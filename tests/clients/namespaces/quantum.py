"""A script of a user of PLANQK's quantum backends, whose address and token are in the environment."""

import os

from qhub.quantum.sdk import HubQiskitProvider
from qiskit import QuantumCircuit

circuit = QuantumCircuit(1, 1)
circuit.x(0)
circuit.measure(0, 0)
provider = HubQiskitProvider(access_token=os.environ["KQH_PERSONAL_ACCESS_TOKEN"])
job = provider.get_backend("aws.sim.sv1").run(circuit, shots=10)
assert job.result().get_counts() == {"1": 10}
print(job.id)
