"""quri-parts-oqtopus, as its examples use it; prints what came back."""

import json
import tempfile
from pathlib import Path

from quri_parts.circuit import QuantumCircuit
from quri_parts.core.operator import Operator, pauli_label
from quri_parts_oqtopus.backend import (
    OqtopusDeviceBackend,
    OqtopusEstimationBackend,
    OqtopusSamplingBackend,
    OqtopusSseBackend,
)

said = {}
circuit = QuantumCircuit(2)
circuit.add_H_gate(0)
circuit.add_CNOT_gate(0, 1)

sampling = OqtopusSamplingBackend()
job = sampling.sample(circuit, device_id="Kawasaki", shots=1000)
said["sampled"] = dict(job.result(wait=0.1).counts)
said["retrieved"] = sampling.retrieve_job(job.job_id).status
program = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
said["qasm"] = dict(sampling.sample_qasm(program, device_id="qulacs", shots=1000).result(wait=0.1).counts)
many = sampling.sample([circuit, circuit], device_id="qulacs", shots=1000).result(wait=0.1)
said["many"] = {str(key): dict(value) for key, value in many.divided_counts.items()}

operator = Operator({pauli_label("X0 X1"): 1.0, pauli_label("Z0 Z1"): 2.0})
estimated = OqtopusEstimationBackend().estimate(circuit, operator, device_id="qulacs", shots=1000).result(wait=0.1)
said["estimated"] = [estimated.exp_value.real, estimated.stds]

program = OqtopusSseBackend().run_sse(f"{Path(__file__).parent}/program.py", device_id="sse", name="a program")
said["program"] = dict(program.result(wait=0.1, timeout=120).counts)
said["log"] = Path(program.download_log(save_dir=tempfile.mkdtemp())).stat().st_size > 0
said["kinds"] = type(sampling.retrieve_job(program.job_id)).__name__
left = sampling.sample(circuit, device_id="Belem", shots=10)
left.cancel()
said["cancelled"] = sampling.retrieve_job(left.job_id).status

devices = OqtopusDeviceBackend()
said["devices"] = [device.device_id for device in devices.get_devices()]
said["device"] = devices.get_device("Kawasaki").n_qubits
print(json.dumps(said, default=str))
