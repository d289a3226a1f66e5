"""The requests of the guide on the estimator over REST, in their order, and what comes back."""

from __future__ import annotations

import pytest

from apis.ibm.guides import DECOUPLING, TURNED, TWIRLING, result, z

EXTRAPOLATED = {
    "resilience": {
        "measure_mitigation": True,
        "zne_mitigation": True,
        "zne": {"extrapolator": ["exponential", "linear"], "noise_factors": [1, 3, 5]},
    }
}


def test_an_estimator_job_gives_expectation_values_to_read(rest):
    params = {"pubs": [[TURNED, [z(3), z(3)], [0.5]]], "options": DECOUPLING, "resilience_level": 1}
    (found,) = result(rest, "estimator", params)["results"]
    assert [round(value) for value in found["data"]["evs"]] == [-1, -1]
    assert len(found["data"]["stds"]) == 2


@pytest.mark.parametrize(
    "options", [EXTRAPOLATED, DECOUPLING, TWIRLING], ids=["extrapolation", "decoupling", "twirling"]
)
def test_an_estimator_job_takes_the_options_of_the_guide(rest, options):
    observable = {**z(3), **dict.fromkeys(z(5), 2.0)}
    (found,) = result(rest, "estimator", {"pubs": [[TURNED, observable, [0.5]]], "options": options})["results"]
    assert found["data"]["evs"] == pytest.approx(1.0, abs=0.5)  # seven standard deviations: it has no seed
    assert found["data"]["stds"] > 0


@pytest.mark.parametrize("values", [[0.5], {"theta": 0.5}])
def test_parameters_are_given_in_a_list_or_by_their_names(rest, values):
    (found,) = result(rest, "estimator", {"pubs": [[TURNED, z(3), values]]})["results"]
    assert found["data"]["evs"] == pytest.approx(-1.0, abs=0.5)
