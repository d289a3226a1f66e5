"""What a user of qiskit-ibm-runtime waits for: run by `ibm_client` as a process that knows the cloud by its variables alone.

Prints one JSON object: seconds by what was measured; each job is measured in turn with the client's own local mode.
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import time
import warnings
from collections.abc import Callable

from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2, fake_provider

LOCAL = {"ibm_brisbane": fake_provider.FakeBrisbane, "ibm_fez": fake_provider.FakeFez}
SHOTS = 4096
OURS, THEIRS = 24, 3  # runs of each; local mode takes seconds


def timed(action: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def bell(backend: object) -> QuantumCircuit:
    """A Bell state in the gates of a device."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return transpile(circuit, backend, optimization_level=1, seed_transpiler=1)


def in_turn(service: QiskitRuntimeService, name: str) -> dict[str, float]:
    """Medians of the same job here and in local mode, both warm."""
    backend = service.backend(name)
    circuit = bell(backend)
    here, there = SamplerV2(backend), SamplerV2(LOCAL[name]())
    here.run([circuit], shots=SHOTS).result()
    fast, slow = [], []
    for _ in range(THEIRS):
        slow.append(timed(lambda: there.run([circuit], shots=SHOTS).result()))
        fast += [timed(lambda: here.run([circuit], shots=SHOTS).result()) for _ in range(OURS // THEIRS)]
    return {"here": statistics.median(fast), "local": statistics.median(slow)}


def main() -> None:
    """Measure."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    start = time.perf_counter()
    service = QiskitRuntimeService()
    devices = len(service.backends())
    found: dict[str, object] = {"devices": devices, "backends": time.perf_counter() - start}
    if "list" not in sys.argv[1:]:
        found |= {name: in_turn(service, name) for name in LOCAL}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
