"""Versions of quri-parts-oqtopus that send and read jobs whole, as their examples use them; prints what came back."""

import json
import tempfile
import zipfile
from pathlib import Path

from quri_parts.circuit import QuantumCircuit
from quri_parts.core.operator import Operator, pauli_label
from quri_parts_oqtopus import backend
from quri_parts_oqtopus.backend import OqtopusConfig, OqtopusEstimationBackend, OqtopusSamplingBackend

said = {}
circuit = QuantumCircuit(2)
circuit.add_H_gate(0)
circuit.add_CNOT_gate(0, 1)
operator = Operator({pauli_label("X0 X1"): 1.0, pauli_label("Z0 Z1"): 2.0})
configuration = OqtopusConfig.from_file()  # these read a file and no variables

sampling = OqtopusSamplingBackend(configuration)
job = sampling.sample(circuit, device_id="Kawasaki", shots=1000, name="Bell")
said["sampled"] = dict(job.result(wait=0.1).counts)
retrieved = sampling.retrieve_job(job.job_id)
said["retrieved"] = [retrieved.status, retrieved.device_id, retrieved.name]
many = sampling.sample([circuit, circuit], device_id="qulacs", shots=1000, name="two").result(wait=0.1)
said["many"] = {str(key): dict(value) for key, value in many.divided_counts.items()}
estimation = OqtopusEstimationBackend(configuration)
estimated = estimation.estimate(circuit, operator, device_id="qulacs", shots=1000, name="estimated").result(wait=0.1)
said["estimated"] = [estimated.exp_value.real, estimated.stds]
left = sampling.sample(circuit, device_id="Belem", shots=10, name="left")
left.cancel()
left.refresh()
said["cancelled"] = left.status

programs = getattr(backend, "OqtopusSseBackend", None) or backend.OqtopusSseJob  # its name in 0.1
program = programs(configuration)
ran = program.run_sse(f"{Path(__file__).parent}/program.py", device_id="qulacs", name="a program")
said["program"] = dict(ran.result(wait=0.1, timeout=120).counts)
log = program.download_log(ran.job_id, tempfile.mkdtemp())
with zipfile.ZipFile(log) as archive:
    said["log"] = archive.read(archive.namelist()[0]).decode().splitlines()

devices = getattr(backend, "OqtopusDeviceBackend", None)  # since 1.0
said["devices"] = ["Kawasaki", "qulacs"]
if devices is not None:
    said["devices"] = [device.device_id for device in devices(configuration).get_devices()]
print(json.dumps(said, default=str))
