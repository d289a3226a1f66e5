"""The requests of the guide on sessions and batches over REST, in their order, and what comes back."""

from __future__ import annotations

import pytest

from apis.ibm.cloud import BELL
from apis.ibm.guides import FLIPPED, IN_A_SESSION, TURNED, result, z

JOBS = {  # by what each shows: the program, its pubs, and the sizes of what comes back
    "several observables": ("estimator", [[TURNED, [z(3), z(5)], [0.5]]], [2]),
    "observables by sets of values": ("estimator", [[TURNED, [[z(3)], [z(5)]], [[0.5], [0.7]]]], [2]),
    "several pubs of an estimator": ("estimator", [[TURNED, [z(3)], [0.5]], [TURNED, [z(5)], [0.5]]], [1, 1]),
    "a circuit": ("sampler", [[BELL]], [4096]),
    "sets of values": ("sampler", [[FLIPPED, [[0.1], [0.2], [0.3]]]], [3]),
    "several pubs of a sampler": ("sampler", [[FLIPPED, [0.1]], [BELL, None, 100]], [4096, 100]),
}


@pytest.fixture(scope="module", params=["batch", "dedicated"])
def session(request, rest):
    """The id of a session that is opened as the guide opens it, and closed and ended afterwards."""
    body = {"mode": request.param, "backend": "ibm_brisbane", "instance": "hub1/group1/project1"}
    answer = rest.post("/sessions", json=body)
    assert answer.status_code == 200, answer.text
    session_id = answer.json()["id"]
    yield session_id
    assert rest.patch(f"/sessions/{session_id}", json={"accepting_jobs": False}).status_code == 204
    assert rest.delete(f"/sessions/{session_id}/close").status_code == 204
    assert not rest.get(f"/sessions/{session_id}").json()["accepting_jobs"]


@pytest.mark.parametrize("shown", JOBS)
def test_jobs_run_in_a_session_that_is_closed_afterwards(rest, session, shown):
    program, pubs, sizes = JOBS[shown]
    found = result(rest, program, {"pubs": pubs, "options": IN_A_SESSION}, session_id=session)["results"]
    assert [size(each["data"]) for each in found] == sizes


def size(data):
    """How many values or samples there are along the first axis."""
    return len(data["evs"] if "evs" in data else data["c"]["samples"])
