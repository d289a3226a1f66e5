"""What a user of planqk-quantum 3.1 or qhub-quantum 1.18 does on the simulators, through Qiskit and Braket."""

import json
import sys

from braket.circuits import Circuit
from qiskit import QuantumCircuit, transpile

NEWER = sys.argv[1] == "qhub"
if NEWER:
    from qhub.quantum.sdk import HubBraketProvider as BraketProvider
    from qhub.quantum.sdk import HubQiskitProvider as QiskitProvider
else:
    from planqk.quantum.sdk import PlanqkBraketProvider as BraketProvider
    from planqk.quantum.sdk import PlanqkQuantumProvider as QiskitProvider

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

for name in ("aws.sim.sv1", "aws.sim.dm1"):
    device = BraketProvider(access_token=TOKEN).get_device(name)
    told[f"{name} online"] = device.status
    task = device.run(Circuit().h(0).cnot(0, 1).measure([0, 1]), shots=200)
    told[f"{name} braket"] = dict(task.result().measurement_counts)
    told[f"{name} state"] = task.state()

deep = QuantumCircuit(24, 24)
for _ in range(400):
    for qubit in range(24):
        deep.rx(0.1, qubit)
        deep.cx(qubit, (qubit + 1) % 24)
deep.measure(range(24), range(24))
backend = provider.get_backend("aws.sim.sv1")
job = backend.run(deep, shots=100)
job.cancel()
while not job.in_final_state():
    pass
told["cancelled"] = job.status().name

if NEWER:
    several = [circuit, circuit.copy()]
    several[1].x(2)
    several[1].measure(2, 2)
    for name in ("aws.sim.sv1", "aqt.sim.ideal", "qudora.sim.xg1"):
        backend = provider.get_backend(name)
        flipped = QuantumCircuit(3, 3)
        flipped.x(2)
        flipped.measure([0, 1, 2], [0, 1, 2])
        result = backend.run(transpile([circuit, flipped], backend), shots=50).result()
        told[f"{name} several"] = [dict(result.get_counts(index)) for index in (0, 1)]
    backend = provider.get_backend("kipu.sim.qsim")
    state = QuantumCircuit(2)
    state.x(0)
    state.h(1)
    found = backend.run(state, mode="statevector").result().results[0].data.statevector
    told["statevector"] = [[round(each.real, 3), round(each.imag, 3)] for each in found]
    found = backend.run(state, mode="amplitudes", bitstrings=["10"]).result().results[0].data.statevector
    told["amplitudes"] = [round(each.real, 3) for each in found]
    told["calibration"] = backend.calibration()

told["listed"] = len(provider.jobs()) > 3
try:
    QiskitProvider(access_token="wrong").backends()
except Exception as error:
    told["wrong"] = type(error).__name__
try:
    provider.get_backend("aws.sim.none")
except Exception as error:
    told["unknown"] = str(error)
print(json.dumps(told))
