"""quri-parts-oqtopus, unmodified."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CLIENT = "quri-parts-oqtopus-1.1.5"
EARLIER = ("quri-parts-oqtopus-0.1.2", "quri-parts-oqtopus-1.0.3")


def test_sampling_estimation_several_programs_and_devices(run: Callable[..., Any]) -> None:
    said = run(CLIENT, "quri.py")
    noisy = said["sampled"]  # outcomes are numbers there
    assert sum(noisy.values()) == 1000
    assert noisy["0"] + noisy["3"] > 800
    assert noisy.get("1", 0) + noisy.get("2", 0) > 0
    assert said["retrieved"] == "succeeded"
    assert set(said["qasm"]) == {"0", "3"}
    assert {index: sum(counts.values()) for index, counts in said["many"].items()} == {"0": 1000, "1": 1000}
    assert said["estimated"] == [3.0, 0.0]
    assert said["program"] == {"1": 300}  # of its last job
    assert said["log"]
    assert said["kinds"] == "OqtopusSseJob"
    assert said["cancelled"] == "cancelled"
    assert {"Kawasaki", "qulacs"} <= set(said["devices"])
    assert said["device"] == 127


@pytest.mark.parametrize("earlier", EARLIER)
def test_versions_that_send_jobs_whole_find_them_whole(run: Callable[..., Any], earlier: str) -> None:
    said = run(earlier, "quri_earlier.py")
    assert sum(said["sampled"].values()) == 1000
    assert said["sampled"]["0"] + said["sampled"]["3"] > 800
    assert said["retrieved"] == ["succeeded", "Kawasaki", "Bell"]
    assert {index: sum(counts.values()) for index, counts in said["many"].items()} == {"0": 1000, "1": 1000}
    assert said["estimated"] == [3.0, 0.0]
    assert said["program"] == {"1": 300}  # of its last job
    assert said["log"] == ["first 100", "second succeeded"]
    assert said["cancelled"] == "cancelled"
    assert {"Kawasaki", "qulacs"} <= set(said["devices"])
