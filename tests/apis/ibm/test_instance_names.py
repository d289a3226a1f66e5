"""What stands for an instance."""

from __future__ import annotations

import pytest

from qumulus.apis.ibm.instances import CRN, LOCAL_CRN, NAMING, TEST_CRN
from qumulus.core.errors import InvalidRequest


def test_a_crn_stands_for_itself():
    crn = "crn:v1:bluemix:public:quantum-computing:eu-de:a/0123:4567-89::"
    found = NAMING.called(crn)
    assert (found.crn, found.region, found.name) == (crn, "eu-de", "4567-89")


@pytest.mark.parametrize("crn", [LOCAL_CRN, TEST_CRN])
def test_the_built_in_instances_have_crns_of_the_same_form(crn):
    assert NAMING.called(crn).crn == crn


def test_a_name_has_the_same_crn_on_every_machine():
    assert NAMING.called("my lab").crn == NAMING.called("my lab").crn
    assert NAMING.called("my lab").crn != NAMING.called("my other lab").crn
    assert CRN.fullmatch(NAMING.called("my lab").crn)
    assert NAMING.called("my lab").name == "my lab"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "crn:",
        "crn:v1:bluemix:public:cloudant:us-south:a/1:2::",
        LOCAL_CRN + "more",
        "x" * 256,
        "a\nb",
        LOCAL_CRN[:-1],
    ],
)
def test_what_is_neither_is_refused_with_an_example(text):
    with pytest.raises(InvalidRequest, match="is no instance: say a name, or a CRN such as crn:v1:"):
        NAMING.called(text)
