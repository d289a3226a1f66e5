"""Measure a device as an experimenter does: T1 and the error per gate, and compare both with the calibration.

pip install qiskit-experiments
qumulus run -- python examples/t1_and_rb.py
"""

import numpy as np
from qiskit_experiments.library import T1, StandardRB
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

QUBIT = 0
backend = QiskitRuntimeService().backend("ibm_brisbane")
properties = backend.properties()
sampler = SamplerV2(backend)

calibrated = properties.t1(QUBIT)
t1 = T1([QUBIT], np.linspace(1e-6, 3 * calibrated, 20), backend=backend).run(sampler=sampler, shots=2000)
found = t1.block_for_results().analysis_results("T1", dataframe=False).value
print(f"T1: {found.n * 1e6:.0f} ± {found.s * 1e6:.0f} µs, calibrated {calibrated * 1e6:.0f} µs")

benchmarking = StandardRB([QUBIT], [1, 50, 100, 200, 400, 800], num_samples=4, seed=7, backend=backend)
rb = benchmarking.run(sampler=sampler, shots=2000).block_for_results()
error = rb.analysis_results("EPC", dataframe=False).value
print(f"error per Clifford gate: {error.n:.2e} ± {error.s:.1e}, of one sx {properties.gate_error('sx', QUBIT):.2e}")
