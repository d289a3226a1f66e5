"""Noise models of layers: the rates that a device has, and those that a job brings along from a noise learner.

A primitive needs learned noise for nothing here, since the noise of the device is known. A model that says the same is taken
for it; one that says something else would have to be simulated as noise of its own, and fails the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ibm_quantum_schemas.estimator.version_0_1 import OptionsModel

from qumulus.simulation.devices import DeviceModel

from . import circuits
from .failures import invalid
from .layers import Layer
from .lindblad import Rates, gate_rates, wait_rates
from .submission import Submission
from .wire import array

NOT_CLIFFORD = frozenset({"rzz"})
_TOLERANCE = 1e-9  # of a rate: what rounding may change


def layer_rates(layer: Layer, model: DeviceModel) -> Rates:
    """The rates of all gates of a layer, which act on different qubits, and of what qubits wait for the longest of them.

    Where the device does not schedule, waiting is free.

    Raises:
        ProgramError: a gate is not a Clifford gate.
    """
    rates: Rates = {(letter, (qubit,)): 0.0 for qubit in layer.qubits for letter in "XYZ"}
    for name, qubits in sorted(layer.gates, key=lambda gate: gate[1]):
        if name in NOT_CLIFFORD:
            raise invalid(f"The noise of {name} is not learned, because it is not a Clifford gate.")
        rates |= gate_rates(model, name, qubits)
    if model.scheduled:
        busy = {qubit: model.cycles(name, qubits) for name, qubits in layer.gates for qubit in qubits}
        longest = max(busy.values(), default=0)
        for qubit in layer.qubits:
            for key, rate in wait_rates(model, qubit, longest - busy.get(qubit, 0)).items():
                rates[key] = rates.get(key, 0.0) + rate
    return rates


def by_label(rates: Rates, qubits: Sequence[int]) -> dict[str, float]:
    """Rates by Pauli strings on ``qubits``, the first one rightmost."""
    width, place = len(qubits), {qubit: index for index, qubit in enumerate(qubits)}
    found = {}
    for (letters, where), rate in rates.items():
        label = ["I"] * width
        for letter, qubit in zip(letters, where, strict=True):
            label[width - 1 - place[qubit]] = letter
        found["".join(label)] = rate
    return found


def accepted(options: OptionsModel, submission: Submission) -> list[dict[str, Any]] | None:
    """The noise model of layers that a job brings along, in the client's encoding; None where it brings none.

    Raises:
        ProgramError: it is not the noise that the device has.
    """
    given = options.resilience.layer_noise_model
    if given is None:
        return None
    layers = given if isinstance(given, Sequence) else given.value_.data
    told = [layer.model_dump(by_alias=True) for layer in layers]
    for layer in told:
        _check(layer["__value__"], submission)
    return told


def _check(layer: Mapping[str, Any], submission: Submission) -> None:
    """See that the rates of a layer are those of the device; a layer without rates says nothing."""
    if layer["error"] is None:
        return
    circuit = circuits.circuit(layer["circuit"], submission.allowance, submission.limits)
    qubits = layer["qubits"]
    if len(set(qubits)) != len(qubits) or len(qubits) != circuit.num_qubits:
        raise invalid("A layer of layer_noise_model names another number of qubits than its circuit has.")
    gates = frozenset(
        (each.name, tuple(qubits[circuit.find_bit(qubit).index] for qubit in each.qubits))
        for each in circuit.data
        if each.name != "barrier"
    )
    for name, where in gates:
        if len(where) != 2 or not submission.instructions.has(name, where):
            raise invalid(
                f"A layer of layer_noise_model has {name} on qubits {where}: layers are of the device's gates."
            )
    error = layer["error"]["__value__"]
    rates = array(error["rates"], submission.allowance, "rates of a layer").ravel().tolist()
    labels = error["generators"]["__value__"]["data"]
    known = by_label(layer_rates(Layer(gates, tuple(sorted(qubits))), submission.model), qubits)
    told = dict(zip(labels, rates, strict=False))
    same = len(labels) == len(rates) == len(told) and all(
        np.isclose(told.get(label, 0.0), known.get(label, 0.0), rtol=1e-6, atol=_TOLERANCE) for label in known | told
    )
    if not same:
        raise invalid(
            "A layer noise model of your own is not used: the amplifier 'pea' amplifies the noise that the device has. "
            "Leave layer_noise_model out, or give what the noise learner finds here."
        )
