"""The account services of IBM Cloud that the client calls before it reaches the Qiskit Runtime API."""
