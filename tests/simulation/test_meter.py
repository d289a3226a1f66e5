"""What a run says of the memory and the time that it takes."""

from __future__ import annotations

import json

import pytest

from qumulus.core.programs import Limits, Program
from qumulus.simulation.worker import run

GHZ = 'OPENQASM 3; include "stdgates.inc"; qubit[3] q; bit[3] c; h q[0]; cx q[0], q[1]; cx q[1], q[2]; c = measure q;'


def silent(_text: str, *_: object) -> None:
    """What a worker does with the log."""


def program(code: str = GHZ, device: str = "brisbane") -> Program:
    payload = json.dumps({"code": code}).encode()
    return Program(job_id="j", kind="openqasm", payload=payload, device=device, shots=100, seed=1, limits=Limits())


def test_memory_is_asked_for_before_the_method_runs_by_its_estimate():
    asked: list[int] = []
    assert run(program(), silent, asked.append).succeeded
    assert len(asked) == 1
    assert 0 < asked[0] < 1 << 20


def test_who_gives_no_memory_runs_nothing():
    class Killed(BaseException):
        pass

    def refuse(_needed: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        run(program(), silent, refuse)


@pytest.mark.parametrize("device", ["brisbane", "qulacs"])
def test_the_parts_of_a_run_add_up_to_it(device):
    def apart() -> float:
        outcome = run(program(device=device), silent)
        timings = outcome.metadata["timings"]
        assert list(timings) == ["prepared", "simulated", "encoded"]
        assert all(seconds > 0 for seconds in timings.values())
        return abs(sum(timings.values()) - outcome.run_seconds) / outcome.run_seconds

    # More than once where something else on the machine comes in between.
    assert any(apart() < 0.2 for _ in range(20))


def test_a_program_that_can_not_be_read_was_never_simulated():
    outcome = run(program("nonsense"), silent)
    assert not outcome.succeeded
    assert outcome.metadata["timings"]["simulated"] == 0
