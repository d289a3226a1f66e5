"""A variational eigensolver in a session: the energy of the hydrogen molecule, with the noise of a device.

qumulus run -- python examples/vqe_in_a_session.py

The Hamiltonian is that of H2 at 0.735 Å on two qubits (parity mapping); its lowest energy without the repulsion of the nuclei is -1.8573
hartree.
"""

from qiskit import transpile
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import EstimatorV2, QiskitRuntimeService, Session
from scipy.optimize import minimize

HAMILTONIAN = SparsePauliOp.from_list(
    [("II", -1.052373), ("IZ", 0.397937), ("ZI", -0.397937), ("ZZ", -0.011280), ("XX", 0.180931)]
)
EXACT = -1.857275
STEPS = 40

backend = QiskitRuntimeService().backend("ibm_fez")
isa = transpile(efficient_su2(2, reps=1), backend, optimization_level=3, seed_transpiler=7)
observable = HAMILTONIAN.apply_layout(isa.layout)

with Session(backend=backend) as session:
    estimator = EstimatorV2(mode=session, options={"resilience_level": 1, "default_precision": 0.01})

    def energy(angles):
        """The energy at these angles, as the device reads it."""
        return float(estimator.run([(isa, observable, angles)]).result()[0].data.evs)

    found = minimize(energy, [0.1] * isa.num_parameters, method="COBYLA", options={"maxiter": STEPS, "rhobeg": 0.6})
    print(f"{found.nfev} jobs in session {session.session_id}")
    print(f"energy {found.fun:.3f}, exact {EXACT:.3f} hartree")
