"""oqtopus-client, unmodified, in each minor version that there is; 1.0 is of the generation that sends jobs whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

VERSIONS = ("1.0.0", "1.1.7", "1.2.0", "1.3.0")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_service_of_the_client(run: Callable[..., Any], version: str) -> None:
    said = run(f"oqtopus-client-{version}", "services.py")
    assert {"Kawasaki", "Brisbane", "qulacs"} <= set(said["devices"])
    assert said["qubits"] == 127
    noisy = said["sampled"]
    assert noisy["00"] + noisy["11"] > 800
    assert noisy.get("01", 0) + noisy.get("10", 0) > 0
    assert said["seconds"] < 1.0
    value, deviation = said["estimated"]
    assert 1.5 < value < 2.5
    assert deviation > 0
    assert {len(key) for key in said["many"]} == {4}
    assert said["divided"] == {"0": 1000, "1": 1000}
    for method in ("pseudo_inverse", "least_square"):
        counts = said[method]
        assert sum(counts.values()) == 1000
        assert counts.get("01", 0) + counts.get("10", 0) < noisy.get("01", 0) + noisy.get("10", 0)
    assert said["wrong"] == ["failed", "Line 2, column 1: gate 'hh' is not defined."]
    assert said["sse"] == ["succeeded", {"1": 300}]  # of its last job
    assert said["log"] == ["first 100", "second succeeded"]
    assert said["cancelled"] == ["cancel request accepted", "cancelled"]
    assert said["user"] or version == "1.0.0"  # which knows no users, and shows of a token only the secret
    assert not said["deletion"]
    assert said["waited"] == "succeeded"
    assert said["listed"]
    assert "400" in said["too late to cancel"]
    assert said["deleted"] == "job deleted"
    assert "404" in said["gone"]
    assert "400" in said["no device"]
    assert said["announcements"] == [1]
    assert said["announcement"] == "Welcome"
    assert said["days"] in (89, 90)
    assert said["revoked"] or version == "1.0.0"
    assert "403" in said["built in"]
