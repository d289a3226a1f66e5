"""A user's program for a job of the type sse: it samples twice, by each of the ways in which a program reaches the cloud."""

import os

from oqtopus_client import OqtopusClient, OqtopusConfig, OqtopusJobSpec
from quri_parts.circuit import QuantumCircuit
from quri_parts_oqtopus.backend import OqtopusConfig as QuriConfig
from quri_parts_oqtopus.backend import OqtopusSamplingBackend

circuit = QuantumCircuit(2)
circuit.add_H_gate(0)
circuit.add_CNOT_gate(0, 1)
first = OqtopusSamplingBackend(QuriConfig.from_file("any-section")).sample(circuit, shots=100, device_id="")
print("first", sum(first.result().counts.values()))

client = OqtopusClient(OqtopusConfig(url=os.environ["OQTOPUS_BASE_URL"], api_token=os.environ["OQTOPUS_API_TOKEN"]))
program = "OPENQASM 3; qubit[1] q; bit[1] c; x q[0]; c = measure q;"
waiting = client.submit_job(OqtopusJobSpec.sampling(device_id="qulacs", program=program, shots=300))
print("second", client.wait_for_job(waiting.job_id, interval=0.1).status.value)
