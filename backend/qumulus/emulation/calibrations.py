"""Calibrations of a device that follow each other: each drifts away from the real one, within the spread of the real data.

The logarithm of every coherence time and error goes up and down around its real value, as a walk that remembers where it was from one
calibration to the next and returns in the end (an Ornstein-Uhlenbeck process). Its size is a part of the spread that the same figure has over
the qubits or gates of the device; no figure leaves the range of the real ones, but those of qubits that go bad.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp, log, sqrt
from statistics import quantiles
from typing import Any
from uuid import UUID, uuid5

from qumulus.core.devices import Calibration
from qumulus.core.errors import WrongState

NAMESPACE = UUID("6f1c8a53-0f3c-5a7e-9d0e-5b6d2a2f4c11")
MEMORY = 0.7  # how much of its distance from the real value a figure keeps from one calibration to the next
PART = 0.35  # of the spread over a device, that a figure varies by in time
TIMES, READOUT = ("T1", "T2"), ("prob_meas0_prep1", "prob_meas1_prep0")
BAD_TIMES, BAD_READOUT, BAD_GATES, WORST = 0.1, 0.4, 20.0, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSetting:
    """How calibrations follow each other."""

    number: int = 7
    every_hours: float = 24.0
    drift: float = 1.0  # times the usual size; 0 repeats the real calibration
    seed: int = 0
    bad_qubits: Mapping[int, int] = field(default_factory=dict)  # since which calibration, counted from 1


def series(base: Calibration, setting: SeriesSetting, begins_at: datetime) -> tuple[Calibration, ...]:
    """Return the calibrations that follow ``base``, the first of them at ``begins_at``.

    Raises:
        WrongState: the device has no qubit that is to go bad.
    """
    size = len(base.properties["qubits"])
    if unknown := [qubit for qubit in setting.bad_qubits if qubit >= size]:
        raise WrongState(
            f"{base.device} has {size} qubits, counted from 0, and no qubit {unknown[0]}: name another one."
        )
    walks, text = _Walks(base, setting), json.dumps(dict(base.properties))  # a text is copied ten times as fast
    return tuple(
        _drifted(
            base,
            json.loads(text),
            setting,
            walks.next(),
            number,
            begins_at + (number - 1) * timedelta(hours=setting.every_hours),
        )
        for number in range(1, setting.number + 1)
    )


@dataclass(frozen=True, slots=True)
class _Figure:
    """One value of a document, where it stands and whom it belongs to."""

    holder: dict[str, Any]
    name: str
    qubits: tuple[int, ...]

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        """What varies together: all gates on the same qubits."""
        return self.name, self.qubits


def _figures(properties: Mapping[str, Any]) -> Iterator[_Figure]:
    """Yield what drifts: coherence times, readout and gate errors that are known and not those of a broken gate."""
    for qubit, parameters in enumerate(properties["qubits"]):
        for each in parameters:
            if each["name"] in (*TIMES, *READOUT) and each["value"] > 0:
                yield _Figure(each, each["name"], (qubit,))
    for gate in properties["gates"]:
        for each in gate["parameters"]:
            if each["name"] == "gate_error" and 0 < each["value"] < WORST:
                yield _Figure(each, f"gate_error {len(gate['qubits'])}", tuple(sorted(gate["qubits"])))


class _Walks:
    """The distance of every figure from its real value, from one calibration to the next."""

    def __init__(self, base: Calibration, setting: SeriesSetting) -> None:
        values: dict[str, list[float]] = {}
        for figure in _figures(base.properties):
            values.setdefault(figure.name, []).append(log(figure.holder["value"]))
        self.ranges = {name: (min(logs), max(logs)) for name, logs in values.items()}
        self._sizes = {name: setting.drift * PART * _spread(logs) for name, logs in values.items()}
        self._keys = sorted({figure.key for figure in _figures(base.properties)})
        self._drawn = random.Random(f"calibrations {setting.seed} {base.device}")  # noqa: S311  repeated, not secret
        self._at = dict.fromkeys(self._keys, 0.0)

    def next(self) -> _Walks:
        """Take a step."""
        for name, qubits in self._keys:
            step = sqrt(1 - MEMORY**2) * self._sizes[name] * self._drawn.gauss(0.0, 1.0)
            self._at[name, qubits] = MEMORY * self._at[name, qubits] + step
        return self

    def value(self, figure: _Figure) -> float:
        """Return what a figure is now."""
        lowest, highest = self.ranges[figure.name]
        return exp(min(highest, max(lowest, log(figure.holder["value"]) + self._at[figure.key])))


def _spread(values: list[float]) -> float:
    """Return the standard deviation that a normal distribution with the same quartiles has: outliers do not count."""
    if len(values) < 2:
        return 0.1
    lower, _, upper = quantiles(values, n=4)
    return (upper - lower) / 1.349


def _drifted(
    base: Calibration, properties: dict[str, Any], setting: SeriesSetting, walks: _Walks, number: int, at: datetime
) -> Calibration:
    """Return the calibration that ``properties``, a copy of those of ``base``, drift to."""
    bad = {qubit for qubit, since in setting.bad_qubits.items() if number >= since}
    for figure in _figures(properties):
        value = walks.value(figure)
        figure.holder["value"] = _worse(figure.name, value) if bad.intersection(figure.qubits) else value
        figure.holder["date"] = at.isoformat()
    for parameters in properties["qubits"]:
        _consistent({each["name"]: each for each in parameters})
    properties["last_update_date"] = at.isoformat()
    told = json.dumps([base.id, properties], sort_keys=True)
    name = f"{base.device} {hashlib.sha256(told.encode()).hexdigest()}"
    return Calibration(id=str(uuid5(NAMESPACE, name)), device=base.device, at=at, properties=properties)


def _worse(name: str, value: float) -> float:
    """Return the figure of a qubit that has gone bad, or of a gate on it."""
    if name in TIMES:
        return value * BAD_TIMES
    return max(value, BAD_READOUT) if name in READOUT else min(WORST, value * BAD_GATES)


def _consistent(parameters: Mapping[str, dict[str, Any]]) -> None:
    """Keep T2 below 2 T1, and the readout error the mean of its two kinds."""
    if "T1" in parameters and "T2" in parameters:
        parameters["T2"]["value"] = min(parameters["T2"]["value"], 2 * parameters["T1"]["value"])
    if "readout_error" in parameters and all(kind in parameters for kind in READOUT):
        parameters["readout_error"]["value"] = sum(parameters[kind]["value"] for kind in READOUT) / 2
