"""The utility experiment: a kicked Ising model on all 127 qubits, 20 steps, from the unmodified client.

qumulus run -- python examples/utility_experiment.py [STEPS]

The circuit is that of Y. Kim et al., Nature 618, 500 (2023): in each step every qubit is kicked by rx(θ), then every pair of
neighbours gets rzz(−π/2), and Z of qubit 62 is measured. At θ = 0 it is 1 and at π/2 it is 0, whatever the number of steps.
The table shows it as the device reads it and mitigated; with matplotlib it is drawn as well.
"""

import sys
from math import pi

from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import EstimatorV2, QiskitRuntimeService

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
QUBIT = 62

backend = QiskitRuntimeService().backend("ibm_brisbane")
layers = [[], [], []]
for edge in sorted({(min(edge), max(edge)) for edge in backend.coupling_map.get_edges()}):
    next(layer for layer in layers if all(set(edge).isdisjoint(other) for other in layer)).append(edge)

kick = Parameter("θ")
circuit = QuantumCircuit(backend.num_qubits)
for _ in range(STEPS):
    circuit.rx(kick, range(backend.num_qubits))
    for layer in layers:
        for edge in layer:
            circuit.rzz(-pi / 2, *edge)
in_place = generate_preset_pass_manager(3, backend, initial_layout=range(backend.num_qubits), seed_transpiler=1)
isa = in_place.run(circuit)
observable = SparsePauliOp.from_sparse_list([("Z", [QUBIT], 1.0)], backend.num_qubits)
kicks = [0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 1.0, 1.2, pi / 2]

values = {}
for name, level in (("as read", 0), ("readout mitigated", 1), ("extrapolated to zero noise", 2)):
    estimator = EstimatorV2(backend, options={"resilience_level": level, "default_precision": 0.01})
    result = estimator.run([(isa, observable, kicks)]).result()[0]
    values[name] = result.data
    print(f"{name}: {result.metadata['simulation']}")

print(f"{'θ':>6}" + "".join(f"{name:>30}" for name in values))
for index, angle in enumerate(kicks):
    figures = (f"{data.evs[index]:.3f} ± {data.stds[index]:.3f}" for data in values.values())
    print(f"{angle:6.3f}" + "".join(f"{figure:>30}" for figure in figures))

try:
    from matplotlib import pyplot as plt
except ImportError:
    print("With matplotlib installed, these values are drawn as well.")
else:
    for name, data in values.items():
        plt.errorbar(kicks, data.evs, data.stds, marker="o", capsize=2, label=name)
    plt.plot([0.0, pi / 2], [1.0, 0.0], "k*", label="exact")
    plt.xlabel("θ")
    plt.ylabel(f"⟨Z{QUBIT}⟩ after {STEPS} steps")
    plt.legend()
    plt.savefig("utility_experiment.png", dpi=150)
    print("The plot is in utility_experiment.png.")
