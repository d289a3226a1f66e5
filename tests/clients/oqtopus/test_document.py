"""The document inside oqtopus-client: what its REST layer was generated from."""

from __future__ import annotations

from clients.environments import environment
from qumulus.openapi import yaml12
from qumulus.openapi.bundle import bundle
from qumulus.openapi.differences import complaints, listed
from qumulus.openapi.jobs import REPOSITORY, apis
from references import reference
from skeleton import skeleton


def test_the_list_of_differences_is_complete() -> None:
    environment("oqtopus-client-1.3.0")
    theirs = reference("user", "oqtopus-client")
    assert theirs is not None
    (api,) = (each for each in apis() if each.name == "user")
    lists = yaml12.read((REPOSITORY / api.bundle).with_name("differences.yaml").read_bytes())
    (entry,) = (each for each in lists if each["against"] == "oqtopus-client")
    ours = skeleton(bundle(REPOSITORY / api.root))
    assert list(complaints(theirs, ours, listed(entry["differences"]))) == []
