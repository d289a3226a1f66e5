"""What a result says of several runs that made it."""

from __future__ import annotations

from qumulus.simulation.reports import combined

EXACT = {"method": "dense", "engine": "qumulus", "approximation": None, "accuracy": {}, "seconds": 1.0, "seed": 7}
TWIRLED = {
    "method": "stabilizer",
    "engine": "stim",
    "approximation": "noise twirled to Pauli errors",
    "accuracy": {"longest_gate_over_t1": 0.1, "warning": "twirled"},
    "seconds": 2.0,
    "seed": 8,
}
WORSE = {**TWIRLED, "accuracy": {"longest_gate_over_t1": 0.2, "warning": "twirled more"}}


def test_one_run_is_told_as_it_is():
    assert combined([TWIRLED]) == TWIRLED
    assert combined([]) == {}


def test_no_method_and_no_approximation_of_any_run_is_left_out():
    told = combined([EXACT, TWIRLED])
    assert told["method"] == "dense; stabilizer"
    assert told["engine"] == "qumulus; stim"
    assert told["approximation"] == "noise twirled to Pauli errors"


def test_the_worst_figures_and_all_warnings_count():
    told = combined([TWIRLED, WORSE, TWIRLED])
    assert told["accuracy"] == {"longest_gate_over_t1": 0.2, "warning": "twirled; twirled more"}
    assert told["method"] == "stabilizer"
    assert told["seconds"] == 6.0


def test_what_needed_no_run_is_left_out():
    assert combined([{"seed": 7, "seconds": 0.0}, EXACT]) == EXACT
    assert combined([{"seed": 7, "seconds": 0.0}]) == {"seed": 7, "seconds": 0.0}
