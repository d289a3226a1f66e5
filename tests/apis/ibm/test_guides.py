"""The requests of the guides on the REST API, in their order: a session token, primitives, sessions and batches, and what comes back."""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest

from apis.ibm.cloud import BELL, FINAL, TEST_CRN

FLIPPED = 'OPENQASM 3.0; include "stdgates.inc"; bit[1] c; input float theta; x $3; rz(theta) $3; c[0] = measure $3;'


@pytest.fixture
def rest(server):
    """A plain HTTP client at upstream's address, with the headers that the guides name and no version."""
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": "qumulus-local"}
    token = httpx2.post(f"{server.url}/identity/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Service-CRN": TEST_CRN, "Content-Type": "application/json"}
    with httpx2.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=30) as client:
        yield client


def result(rest: httpx2.Client, program: str, params: dict[str, Any], **members: Any) -> Any:
    """The result of a job, fetched as the guides fetch it."""
    body = {"program_id": program, "backend": "ibm_brisbane", "params": params, **members}
    answer = rest.post("/jobs", json=body)
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["id"]
    deadline = time.monotonic() + 60
    while (state := rest.get(f"/jobs/{job_id}").json()["state"])["status"] not in FINAL:
        assert time.monotonic() < deadline, state
    assert state["status"] == "Completed", state
    return rest.get(f"/jobs/{job_id}/results").json()


def test_a_sampler_job_gives_samples_to_read(rest):
    first, second = result(rest, "sampler", {"pubs": [[BELL], [BELL, None, 500]]})["results"]
    assert len(first["data"]["c"]["samples"]) == 4096
    assert len(second["data"]["c"]["samples"]) == 500
    assert set(second["data"]["c"]["samples"][:20]) <= {"0x0", "0x1", "0x2", "0x3"}


@pytest.mark.parametrize("values", [[0.5], {"theta": 0.5}])
def test_parameters_are_given_in_a_list_or_by_their_names(rest, values):
    (found,) = result(rest, "sampler", {"pubs": [[FLIPPED, values, 500]]})["results"]
    samples = found["data"]["c"]["samples"]
    assert samples.count("0x1") > 400


@pytest.mark.parametrize(
    "options",
    [
        {
            "dynamical_decoupling": {
                "enable": True,
                "sequence_type": "XpXm",
                "extra_slack_distribution": "middle",
                "scheduling_method": "alap",
            }
        },
        {
            "twirling": {
                "enable_gates": True,
                "enable_measure": True,
                "num_randomizations": "auto",
                "shots_per_randomization": "auto",
                "strategy": "active-accum",
            }
        },
        {"transpilation": {"optimization_level": 1}},
    ],
    ids=["decoupling", "twirling", "transpilation"],
)
def test_a_sampler_job_takes_the_options_of_the_guides(rest, options):
    (found,) = result(rest, "sampler", {"pubs": [[BELL]], "options": options})["results"]
    assert found["data"]["c"]["samples"]


def test_an_estimator_job_gives_expectation_values_to_read(rest):
    observable = {"I" * 123 + "ZIII": 1.0}
    params = {
        "pubs": [[FLIPPED.partition("c[0]")[0], [observable, observable], [0.5]]],
        "options": {"dynamical_decoupling": {"enable": True}},
        "resilience_level": 1,
    }
    (found,) = result(rest, "estimator", params)["results"]
    assert [round(value) for value in found["data"]["evs"]] == [-1, -1]
    assert len(found["data"]["stds"]) == 2


@pytest.mark.parametrize("mode", ["batch", "dedicated"])
def test_jobs_run_in_a_session_that_is_closed_afterwards(rest, mode):
    answer = rest.post("/sessions", json={"mode": mode, "backend": "ibm_brisbane", "instance": TEST_CRN, "max_ttl": 60})
    assert answer.status_code == 200, answer.text
    session_id = answer.json()["id"]
    assert result(rest, "sampler", {"pubs": [[BELL]]}, session_id=session_id)["results"]
    assert rest.patch(f"/sessions/{session_id}", json={"accepting_jobs": False}).status_code == 204
    assert rest.delete(f"/sessions/{session_id}/close").status_code == 204
    assert not rest.get(f"/sessions/{session_id}").json()["accepting_jobs"]
