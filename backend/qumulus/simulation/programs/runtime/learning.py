"""How often circuits are executed to learn the noise of layers, as the service does it: here the noise is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from qiskit.circuit import QuantumCircuit

from qumulus.simulation.devices import DeviceModel

from .layers import Layer
from .usage import Load, duration

BASES = 9
"""In so many bases each depth of a layer of gates is measured; see the client's ``LayerNoiseLearningOptions``."""


def learning_loads(
    layers: Iterable[Layer], depths: Sequence[int], shots: int, model: DeviceModel, *, reset: bool = True
) -> Iterator[Load]:
    """The circuits that learn layers, each of them twice a pair, with ``shots`` in each configuration.

    A layer without gates is measured once.
    """
    read = duration(QuantumCircuit(), model, {}, reset=reset, read=True)
    for layer in layers:
        once = max((model.cycles(name, qubits) for name, qubits in layer.gates), default=0) * model.cycle
        for depth in depths if layer.gates else ():
            yield Load(BASES * shots, 2 * depth * once + read)
        if not layer.gates:
            yield Load(shots, read)
