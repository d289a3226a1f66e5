"""A GHZ state of all 127 qubits of a device with its real noise, from the unmodified client.

qumulus run -- python examples/ghz_127.py
"""

import rustworkx
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

backend = QiskitRuntimeService().backend("ibm_brisbane")
graph = backend.coupling_map.graph.to_undirected(multigraph=False)
centre = int(rustworkx.distance_matrix(graph).max(axis=1).argmin())

circuit = QuantumCircuit(backend.num_qubits)
circuit.h(centre)
reached = [centre]
for qubit in reached:
    for other in set(graph.neighbors(qubit)) - set(reached):
        reached.append(other)
        circuit.cx(qubit, other)
circuit.measure_all()

in_place = generate_preset_pass_manager(1, backend, initial_layout=range(backend.num_qubits))
result = SamplerV2(backend).run([in_place.run(circuit)], shots=4096).result()[0]
ones = result.data.meas.bitcount()

print(f"Shots with at most 13 ones: {(ones <= 13).sum()}, with at most 13 zeros: {(ones >= 114).sum()} of 4096")
print(result.metadata["simulation"])
