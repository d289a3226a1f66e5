"""Every difference from what is emulated is listed with its reason, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qumulus.openapi import yaml12
from qumulus.openapi.bundle import bundle
from qumulus.openapi.differences import complaints, differences, listed, paths
from qumulus.openapi.jobs import REPOSITORY, Api, apis
from references import reference
from skeleton import skeleton


def file_of(api: Api) -> Path:
    return (REPOSITORY / api.bundle).with_name("differences.yaml")


def lists(api: Api) -> list[dict[str, Any]]:
    """The content of an API's `differences.yaml`: one entry for each document that it emulates.

    Where the document can't be had, ``not_compared`` says why, and the list is kept by hand. Where only code that was generated from
    it can be had, ``skeleton`` is true: what such code keeps is compared.
    """
    path = file_of(api)
    return yaml12.read(path.read_bytes()) if path.is_file() else []


LISTS = [(api, entry) for api in apis() for entry in lists(api)]
COMPARED = [(api, entry) for api, entry in LISTS if "not_compared" not in entry]


def names(entries: list[tuple[Api, dict[str, Any]]]) -> list[str]:
    return [f"{api.name}-{entry['against']}" for api, entry in entries]


@pytest.mark.parametrize("api", apis(), ids=lambda api: api.name)
def test_every_api_says_how_it_differs(api: Api) -> None:
    assert file_of(api).is_file()


@pytest.mark.parametrize(("api", "entry"), COMPARED, ids=names(COMPARED))
def test_the_list_of_differences_is_complete(api: Api, entry: dict[str, Any]) -> None:
    theirs = reference(api.name, entry["against"])
    if theirs is None:
        pytest.skip(f"the package that has {entry['against']} is not installed")
    whole = bundle(REPOSITORY / api.root)
    ours = skeleton(whole) if entry.get("skeleton") else whole
    assert list(complaints(theirs, ours, listed(entry["differences"]))) == []


@pytest.mark.parametrize(("api", "entry"), LISTS, ids=names(LISTS))
def test_every_reason_is_a_sentence(api: Api, entry: dict[str, Any]) -> None:
    reasons = [each.why for each in listed(entry["differences"])]
    for why in [*reasons, *([entry["not_compared"]] if "not_compared" in entry else [])]:
        assert len(why.split()) > 3, why
        assert why.rstrip().endswith("."), why


@pytest.mark.parametrize(("api", "entry"), LISTS, ids=names(LISTS))
def test_every_entry_speaks_of_something_that_is_there(api: Api, entry: dict[str, Any]) -> None:
    """Also where nothing is compared: a pattern without a match is a slip of the pen."""
    there = paths(bundle(REPOSITORY / api.root))
    for each in listed(entry["differences"]):
        if "not_compared" in entry:
            assert any(each.covers(path) for path in there), each.where


def document(**schema: Any) -> dict[str, Any]:
    """A document with one operation that takes a body of this schema."""
    body = {"content": {"application/json": {"schema": schema}}}
    return {"info": {"title": "A"}, "paths": {"/task": {"post": {"requestBody": body, "tags": ["a", "b"]}}}}


BODY = "POST /task > requestBody > content > application/json > schema"


def test_a_changed_limit_is_named_with_both_values() -> None:
    found = differences(document(type="integer", maximum=5), document(type="integer", maximum=6))
    assert found == {f"{BODY} > maximum": "is 6, not 5"}


def test_what_is_only_in_one_is_named_once_at_its_top() -> None:
    old = document(type="object", properties={"a": {"type": "string", "example": "x"}})
    new = document(type="object", properties={"b": {"type": "string", "enum": ["x", "y"]}})
    assert differences(old, new) == {
        f"{BODY} > properties > a": "is left out",
        f"{BODY} > properties > b": "is new",
    }


def test_a_number_and_its_text_differ() -> None:
    assert differences(document(example=1), document(example="1")) == {f"{BODY} > example": "is '1', not 1"}
    assert differences(document(example=1), document(example=True)) == {f"{BODY} > example": "is True, not 1"}


def test_a_name_for_what_stood_in_place_is_no_difference() -> None:
    named = document(**{"$ref": "#/components/schemas/task.A"})
    named["components"] = {"schemas": {"task.A": {"type": "string"}}}
    assert differences(document(type="string"), named) == {}


def test_the_order_of_words_and_parameters_is_no_difference() -> None:
    old, new = document(required=["a", "b"]), document(required=["b", "a"])
    old["paths"]["/task"]["post"]["parameters"] = [{"in": "query", "name": "a"}, {"in": "path", "name": "b"}]
    new["paths"]["/task"]["parameters"] = [{"in": "path", "name": "b"}, {"in": "query", "name": "a"}]
    assert differences(old, new) == {}


def test_what_stands_beside_a_reference_counts_with_what_it_names() -> None:
    named = document(allOf=[{"$ref": "#/components/schemas/task.A"}], default=1)
    named["components"] = {"schemas": {"task.A": {"type": "integer"}}}
    assert differences(document(type="integer", default=1), named) == {}


def test_what_was_empty_and_is_not_any_more_is_new_and_not_left_out() -> None:
    assert differences(document(), document(type="integer")) == {f"{BODY} > type": "is new"}


def test_a_schema_that_contains_itself_ends() -> None:
    itself = document(**{"$ref": "#/components/schemas/task.A"})
    itself["components"] = {"schemas": {"task.A": {"properties": {"a": {"$ref": "#/components/schemas/task.A"}}}}}
    assert differences(itself, itself) == {}


def test_a_difference_without_an_entry_and_an_entry_without_a_difference_are_both_told() -> None:
    entries = listed(
        [{"where": "* > properties > a", "why": "It is not needed here."}, {"where": ["info"], "why": "No."}]
    )
    old = document(properties={"a": {"type": "string"}}, maximum=1)
    assert list(complaints(old, document(properties={"c": {}}, maximum=2), entries)) == [
        f"{BODY} > maximum is 2, not 1, and no entry says why.",
        f"{BODY} > properties > c is new, and no entry says why.",
        "info: there is no such difference (any more).",
    ]
