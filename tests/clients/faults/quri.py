"""The cases of quri-parts-oqtopus."""

import os

from meeting import main
from quri_parts.circuit import QuantumCircuit

os.environ |= {"OQTOPUS_URL": os.environ["URL"], "OQTOPUS_API_TOKEN": "local.qumulus-local"}
from quri_parts_oqtopus.backend import OqtopusSamplingBackend

CIRCUIT = QuantumCircuit(1)
CIRCUIT.add_X_gate(0)


def run():
    result = OqtopusSamplingBackend().sample(CIRCUIT, device_id="qulacs", shots=10).result(wait=0.05, timeout=20)
    return f"the result, {sum(result.counts.values())} shots"


main({"run a job": run})
