"""Simulation: from a circuit and a device's calibration to shots and expectation values.

Runs in worker processes only. It is the one part of Qumulus that imports qiskit; the serving process never imports it.

States are real vectors of Pauli expectation values, and every gate with its noise is a real matrix on them
(`transfer`). The noise of a calibration is known in closed form (`noise`), so one evolution gives the exact
distribution of all shots (`dense`, `branches`), and shots are drawn from it.
"""

import os

# Workers are the parallelism: one thread each, also because a sum over threads may differ in its last bit.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Qiskit's transpiler otherwise starts a pool of threads, which takes longer than most circuits and forbids to fork helpers.
os.environ.setdefault("QISKIT_IN_PARALLEL", "TRUE")

# A person's own settings of Qiskit, such as how far circuits are optimized, are for their programs: a cloud does not know them.
os.environ.setdefault("QISKIT_IGNORE_USER_SETTINGS", "TRUE")
