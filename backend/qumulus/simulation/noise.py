"""The noise of a calibration in closed form.

The model is the one of the local mode of `qiskit-ibm-runtime` (its snapshots) and of `NoiseModel.from_backend` of
`qiskit-aer`: every calibrated operation is followed by an error channel

    E = relaxation(T1, T2, length) ∘ depolarizing(p),

each measurement is misread with the calibrated probabilities, and delays relax. All of it is known from a few numbers of
the calibration, so no optimiser, no Kraus decomposition and no model of the whole device is needed. Matrices are Pauli
transfer matrices as in `transfer`; times are in seconds. There is no thermal excitation (the snapshots are simulated at
zero temperature), no crosstalk and no coherent error. How long qubits wait for each other is not said here but by
`schedule`; what a wait does to them is the same relaxation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, sqrt
from typing import Any
from zlib import crc32

import numpy as np

from .seeds import Seed, generator
from .transfer import PAULIS, ROTATIONS, Matrix, from_unitary

_MEASUREMENTS = frozenset({"measure", "measure_2"})
_READ_OUT = _MEASUREMENTS | {"reset", "reset_2"}
_NOT_CLIFFORD = frozenset({"rzz"})  # of the devices' gates on two qubits
COHERENT = {"x": "X", "sx": "X", "rx": "X", "ecr": "ZX", "cx": "ZX", "cz": "ZZ", "rzz": "ZZ"}
"""The axes about which gates turn, and turn too far where a share of their error is coherent."""

COHERENT_SHARE = 0.3
"""Of a gate's calibrated infidelity: the part that is coherent on the `twin` of a device."""

_BROKEN = 0.1  # a calibrated error from which on a gate does not work
_HALF = 0.5
_SI = {"ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9}


def relaxation(t1: float, t2: float, duration: float) -> Matrix:
    """Relaxation of one qubit towards |0⟩ for ``duration``; shape (4, 4).

        R = diag(1, e^(−t/T2), e^(−t/T2), e^(−t/T1)),   R_ZI = 1 − e^(−t/T1),   T2 ≤ 2 T1

    A longer T2 than 2 T1 is unphysical and counts as 2 T1. Either time may be infinite.

    Raises:
        ValueError: a time is not positive, or the duration is negative.
    """
    if not (t1 > 0 and t2 > 0 and duration >= 0):
        raise ValueError(f"T1 = {t1} and T2 = {t2} must be positive and the duration {duration} not negative.")
    longitudinal = np.exp(-duration / t1)
    transverse = np.exp(-duration / min(t2, 2 * t1))
    matrix = np.diag([1.0, transverse, transverse, longitudinal])
    matrix[3, 0] = 1.0 - longitudinal
    return matrix


def depolarizing(strength: float, n_qubits: int) -> Matrix:
    """Λ(ρ) = (1 − p) ρ + p tr(ρ) I/2^n, that is R = diag(1, 1 − p, …, 1 − p); shape (4^n, 4^n)."""
    diagonal = np.full(4**n_qubits, 1.0 - strength)
    diagonal[0] = 1.0
    return np.diag(diagonal)


def average_fidelity(matrix: Matrix) -> float:
    """F = (d F_p + 1) / (d + 1) of a channel against the identity, with F_p = tr R / d² and d = 2^n."""
    dimension = np.sqrt(matrix.shape[0])
    return float((np.trace(matrix) / dimension + 1.0) / (dimension + 1.0))


def depolarizing_strength(error: float, fidelity: float, n_qubits: int) -> float:
    """The p for which depolarizing, then a relaxation of average fidelity F, has the average infidelity ``error``.

        p = d (e − (1 − F)) / (d F − 1),   e ≤ d/(d + 1),   0 ≤ p ≤ d²/(d² − 1),   d = 2^n

    p is 0 where relaxation alone is already worse than the calibrated error. Broken gates report e = 1; the caps give
    them the strongest depolarizing channel there is.
    """
    dimension = 2**n_qubits
    infidelity = 1.0 - fidelity
    if error <= infidelity:
        return 0.0
    capped = min(error, dimension / (dimension + 1))
    return min(dimension * (capped - infidelity) / (dimension * fidelity - 1), dimension**2 / (dimension**2 - 1))


def over_rotation(name: str, infidelity: float, seed: Seed) -> Matrix:
    """The rotation of a gate that turns too far, or not far enough, with the sign that the seed gives; shape (4^n, 4^n).

    exp(−i θ P/2) has the average infidelity d/(d + 1) sin²(θ/2),   P one of X, ZX and ZZ
    """
    axis, dimension = COHERENT[name], 2 if COHERENT[name] == "X" else 4
    sine = sqrt(min(1.0, infidelity * (dimension + 1) / dimension)) * (1 if generator(seed).random() < _HALF else -1)
    paulis = [PAULIS["IXYZ".index(letter)] for letter in axis]
    pauli = paulis[0] if len(paulis) == 1 else np.kron(*paulis)
    return from_unitary(sqrt(1.0 - sine**2) * np.eye(dimension) - 1j * sine * pauli)


@dataclass(frozen=True, slots=True)
class GateCalibration:
    """What a calibration says of one gate on certain qubits: its length in seconds and its average infidelity."""

    length: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """The noise of one calibration of one device. Channels are computed when first asked for and kept.

    ``t1`` and ``t2`` have shape (n,), in seconds, infinite where the calibration has none. ``confusion`` has shape
    (n, 2, 2): confusion[q, r, t] is the probability of reading r on qubit q that is in the state t.
    """

    t1: Matrix
    t2: Matrix
    confusion: Matrix
    gates: Mapping[tuple[str, tuple[int, ...]], GateCalibration]
    twirled_gates: bool = False
    twirled_measurements: bool = False
    amplification: float = 1.0  # of the errors of twirled gates
    readout_lengths: Mapping[int, float] = field(default_factory=dict)  # seconds, by qubit, where they are calibrated
    twirled_waits: bool = False  # what qubits suffer while they wait for others is twirled with the gates
    coherent_share: float = 0.0  # of what a gate errs beyond relaxation; see `twin`
    character: int = 0  # the seed of what the coherent errors are
    detunings: tuple[float, ...] = ()  # of the qubits' frequencies, in radians a second; none: all are as calibrated
    _channels: dict[tuple[str, tuple[int, ...]], Matrix | None] = field(default_factory=dict)

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> Noise:
        """Read the calibration document of the Qiskit Runtime API (``/backends/{id}/properties``)."""
        qubits = [calibrated_values(entries) for entries in properties["qubits"]]
        return cls(
            t1=np.array([qubit.get("T1", inf) for qubit in qubits]),
            t2=np.array([qubit.get("T2", inf) for qubit in qubits]),
            confusion=np.array([_confusion(qubit) for qubit in qubits]),
            gates={
                (gate["gate"], tuple(gate["qubits"])): GateCalibration(
                    values.get("gate_length", 0.0), values.get("gate_error", 0.0)
                )
                for gate in properties["gates"]
                for values in [calibrated_values(gate["parameters"])]
            },
            readout_lengths={
                place: qubit["readout_length"] for place, qubit in enumerate(qubits) if "readout_length" in qubit
            },
        )

    def length(self, name: str, qubits: tuple[int, ...]) -> float:
        """How long an operation lasts on physical ``qubits``, in seconds; 0 where no calibration says it.

        A measurement or a reset without a length of its own lasts as long as the readout of its qubit.
        """
        calibration = self.gates.get((name, qubits))
        if calibration is not None and calibration.length:
            return calibration.length
        return self.readout_lengths.get(qubits[0], 0.0) if name in _READ_OUT else 0.0

    def channel(self, name: str, qubits: tuple[int, ...]) -> Matrix | None:
        """The error channel that follows the operation ``name`` on physical ``qubits``; None where it is ideal.

        Shape (4^k, 4^k), the first qubit the most significant. On measurements, which newer calibrations list among the
        gates, the channel acts before the reading.
        """
        key = (name, qubits)
        if key not in self._channels:
            calibration = self.gates.get(key)
            error = self._error(name, qubits, calibration) if calibration else None
            self._channels[key] = error if error is None or not self._is_twirled(key) else self._averaged(key, error)
        return self._channels[key]

    def twirled(self, *, gates: bool, measurements: bool, amplification: float = 1.0, waits: bool = False) -> Noise:
        """The average over all Pauli twirls of the Clifford gates on two qubits, of the measurements, or of both.

        Twirling leaves the diagonal of a channel's transfer matrix. A measurement with an X before it and a flip after
        it, or neither, misreads 0 and 1 with the same probability, the mean of both. The errors of twirled gates may be
        amplified: a Pauli channel whose generator has the rates r gets the rates r · ``amplification``. With ``waits``,
        qubits that wait for others are twirled with the gates, and what they suffer is amplified as well.
        """
        mean = (self.confusion + self.confusion[:, ::-1, ::-1]) / 2
        return replace(
            self,
            confusion=mean if measurements else self.confusion,
            twirled_gates=gates,
            twirled_measurements=measurements,
            amplification=amplification,
            twirled_waits=gates and waits,
            _channels={},
        )

    def with_coherent_errors(self, character: int) -> Noise:
        """The same with a part of each gate's error coherent, as the seed of a device's character says; see `twin`."""
        return replace(self, coherent_share=COHERENT_SHARE, character=character, _channels={})

    def _averaged(self, key: tuple[str, tuple[int, ...]], error: Matrix) -> Matrix:
        fidelities = np.diag(error)
        return np.diag(fidelities if key[0] in _MEASUREMENTS else fidelities.clip(0.0) ** self.amplification)

    def _is_twirled(self, key: tuple[str, tuple[int, ...]]) -> bool:
        name, qubits = key
        if name in _MEASUREMENTS:
            return self.twirled_measurements
        return self.twirled_gates and len(qubits) == 2 and name not in _NOT_CLIFFORD

    def _error(self, name: str, qubits: tuple[int, ...], calibration: GateCalibration) -> Matrix | None:
        """relaxation ∘ depolarizing of one calibrated gate, after a rotation too far if a share is coherent; None if it is nothing."""
        relax = np.ones((1, 1))
        for qubit in qubits:
            relax = np.kron(relax, relaxation(self.t1[qubit], self.t2[qubit], calibration.length))
        fidelity = average_fidelity(relax)
        if self.coherent_share and name in COHERENT and calibration.error < _BROKEN:
            coherent = self.coherent_share * max(0.0, calibration.error - (1.0 - fidelity))
            strength = depolarizing_strength(calibration.error - coherent, fidelity, len(qubits))
            turned = over_rotation(name, coherent, (self.character, crc32(name.encode()), *qubits))
            return relax @ depolarizing(strength, len(qubits)) @ turned
        strength = depolarizing_strength(calibration.error, fidelity, len(qubits))
        if strength == 0.0 and calibration.length == 0.0:
            return None
        return relax @ depolarizing(strength, len(qubits))

    def relaxation(self, qubit: int, duration: float) -> Matrix:
        """What a delay of ``duration`` seconds does to a physical qubit; shape (4, 4)."""
        relax = relaxation(self.t1[qubit], self.t2[qubit], duration)
        return relax @ ROTATIONS["rz"](self.detunings[qubit] * duration) if self.detunings else relax

    def waiting(self, qubit: int, duration: float) -> Matrix:
        """What a qubit suffers that waits for others for ``duration`` seconds; shape (4, 4).

        It is relaxation, or its diagonal where waiting qubits are twirled; amplified, as if the wait were longer.
        """
        if not self.twirled_waits:
            return self.relaxation(qubit, duration)
        return np.diag(np.diag(self.relaxation(qubit, duration * self.amplification)))


def calibrated_values(entries: list[Mapping[str, Any]]) -> dict[str, float]:
    """Name to value of a list of calibration entries, in seconds and hertz. Entries without a value are left out."""
    return {
        entry["name"]: entry["value"] * _SI.get(entry["unit"], 1.0) for entry in entries if entry["value"] is not None
    }


def _confusion(qubit: Mapping[str, float]) -> Matrix:
    """The matrix of reading r in the state t; from both calibrated probabilities, else from their mean."""
    mean = qubit.get("readout_error", 0.0)
    one_from_zero, zero_from_one = qubit.get("prob_meas1_prep0"), qubit.get("prob_meas0_prep1")
    if one_from_zero is None or zero_from_one is None:
        one_from_zero = zero_from_one = mean
    return np.array([[1.0 - one_from_zero, zero_from_one], [one_from_zero, 1.0 - zero_from_one]])
