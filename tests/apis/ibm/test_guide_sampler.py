"""The requests of the guide on the sampler over REST, in their order, and what comes back."""

from __future__ import annotations

import pytest

from apis.ibm.cloud import BELL
from apis.ibm.guides import DECOUPLING, FLIPPED, TWIRLING, result


def test_a_sampler_job_gives_samples_to_read(rest):
    first, second = result(rest, "sampler", {"pubs": [[BELL], [BELL, None, 500]]})["results"]
    assert len(first["data"]["c"]["samples"]) == 4096
    assert len(second["data"]["c"]["samples"]) == 500
    assert set(second["data"]["c"]["samples"][:20]) <= {"0x0", "0x1", "0x2", "0x3"}


@pytest.mark.parametrize("options", [DECOUPLING, TWIRLING], ids=["decoupling", "twirling"])
def test_a_sampler_job_takes_the_options_of_the_guide(rest, options):
    (found,) = result(rest, "sampler", {"pubs": [[BELL]], "options": options})["results"]
    assert len(found["data"]["c"]["samples"]) == 4096


@pytest.mark.parametrize("values", [[0.5], {"theta": 0.5}])
def test_parameters_are_given_in_a_list_or_by_their_names(rest, values):
    (found,) = result(rest, "sampler", {"pubs": [[FLIPPED, values, 500]]})["results"]
    samples = found["data"]["c"]["samples"]
    assert samples.count("0x1") > 400
