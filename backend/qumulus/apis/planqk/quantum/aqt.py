"""Circuits of AQT's cloud (`quantum_circuit` jobs) for `aqt.sim.ideal`; counts with the last bit first."""

from __future__ import annotations

from .formats import Format

FORMAT = Format("AQT_JOB_INPUT_V1")
