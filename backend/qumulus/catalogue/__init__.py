"""Devices as data: the calibrated snapshots in the qiskit-ibm-runtime package, and one ideal simulator.

The package is located and its files are read; it is never imported, so that the serving process stays light. Lists are
answered from a small index that is generated from the snapshots and committed (`python -m qumulus.catalogue`).
"""

from .catalogue import SnapshotCatalogue

__all__ = ["SnapshotCatalogue"]
