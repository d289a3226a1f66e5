"""IBM Quantum: the Qiskit Runtime REST API, and the account services that its client calls first."""
