"""The Qiskit Runtime REST API, as qiskit-ibm-runtime uses it."""
