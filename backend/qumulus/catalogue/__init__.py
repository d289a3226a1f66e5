"""Devices as data: the calibrated snapshots in the qiskit-ibm-runtime package, ideal simulators, and what was added.

The package is located and its files are read; it is never imported, so that the serving process stays light. Lists are
answered from a small index that is generated from the snapshots and committed (`python -m qumulus.catalogue`).
"""

from .added import AddedCatalogue, CombinedCatalogue, SentDevice
from .catalogue import SnapshotCatalogue
from .fleet import FleetCatalogue
from .imports import Imports
from .mocks import MockedCatalogue

__all__ = [
    "AddedCatalogue",
    "CombinedCatalogue",
    "FleetCatalogue",
    "Imports",
    "MockedCatalogue",
    "SentDevice",
    "SnapshotCatalogue",
]
