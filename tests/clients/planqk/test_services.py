"""The service clients of all three generations, unmodified, each in its own environment."""

from __future__ import annotations

import pytest


def test_the_first_generation_starts_waits_and_cancels(run):
    told = run("planqk-service-1.9.1", "first_generation.py")
    assert told["health"] == "Service is up and running"
    assert "PENDING" in told["started"]
    assert told["result"]["sum"] == 6
    assert told["referred"] == 9
    assert "SUCCEEDED" in told["status"]
    assert "SUCCEEDED" in told["final"]
    assert told["interim"] == [{"eval_time": 0.3}]
    assert "CANCELLED" in told["cancelled"]
    assert told["failed"]["detail"] == "no such city"
    assert told["unknown"] == 404
    assert told["anonymous"] == 401
    assert told["wrong"]


@pytest.mark.parametrize(
    ("client", "which"), [("planqk-service-2.12.1", "planqk"), ("qhub-service-2.0.0", "qhub")], ids=["2.12.1", "qhub"]
)
def test_later_generations_do_all_that_their_documentation_shows(run, client, which):
    told = run(client, "later_generations.py", which)
    assert told["started"] == "PENDING"
    assert told["times"][0]
    assert told["times"][1:] == [None, None]
    assert told["status"] == "SUCCEEDED"
    assert told["sum"] == 6
    assert told["embedded"] == "SUCCEEDED"
    assert sorted(told["files"]) == ["hello.txt", "output.json"]
    assert told["stream"] == told["downloaded"] == "Hello"
    assert told["logs"] == [["summing up 3", "INFO"]]
    assert told["again"] == "SUCCEEDED"
    assert told["listed"] is True
    assert told["cancelled"][0] == "CANCELLED"
    assert told["cancelled"][1] < 2
    assert told["cancel_after_the_end"] == "SUCCEEDED"
    assert told["failed"] == "no such city"
    assert told["unknown"] == 404
    assert told["anonymous"] == 401
    assert told["wrong"]
    assert told["seconds"] < 3  # and not the five seconds that a client sleeps between two looks


def test_the_newest_generation_sends_tags_and_secrets(run):
    told = run("qhub-service-2.0.0", "later_generations.py", "qhub")
    assert told["metadata"] == "SUCCEEDED"
    assert told["data"] == {"sum": 6}
    assert told["secret"] == {"length": len("tell-nobody")}
    assert told["tags"] == ["a", "b"]


def test_the_newest_generation_grants_data_pools(run):
    told = run("qhub-service-2.0.0", "later_generations.py", "qhub")
    assert told["pooled"] == {"sum": 4.0}
    assert told["pool"] == ["a.csv", "b.csv"]
    assert told["pool file"] == "1.5"
    assert told["renamed"] == "Fewer"
    assert told["pools"] == ["Fewer", "Fewer"]


def test_an_application_of_the_newest_generation_calls_what_it_has_subscribed_to(run):
    told = run("qhub-service-2.0.0", "later_generations.py", "qhub")
    assert told["by its key"] == {"sum": 3}
    assert told["not subscribed"] == 403
    assert told["subscriptions"] == ["sum"]
    assert told["application"] == "Shop"
    assert told["applications"] == []
    assert told["definition"] == "sum"
    assert told["document"] is True
    assert told["accounts"] == [told["principal"]] == ["local"]


def test_the_newest_generation_makes_a_service_and_runs_jobs_of_it(run):
    told = run("qhub-service-2.0.0", "managed_services.py")
    assert told["built"] == ["SUCCESS", True]
    assert told["saved"] == [True, "adding\n"]
    assert (told["token"], told["mine"]) == (["crn:v1:mine", False], [[], ["STANDARD"]])
    assert told["job"] == ["SUCCEEDED", '{"values":[1,2,39]}']
    assert (told["result"], told["log"]) == (42, "adding")
    assert told["found"] == [1, "SUCCEEDED"]
    assert told["again"] is True
    assert told["source"] is True
    assert told["manifest"] == ["In short", "PYTHON_TEMPLATE"]
    assert (told["free"], told["described"]) == ([False, True], "Described")
    assert (told["subscribed"], told["under it"], told["used"]) == ([True], [], [1, 2])
    assert (told["used by it"], told["beneath it"]) == ([1, True, "0"], [True])
    assert told["offered"] == ["More", "a@a.example", "PUBLISHED"]
    assert (told["price"], told["taken back"]) == (True, ["CREATED", []])


def test_personal_access_tokens_and_people_by_the_user_client(run):
    told = run("qhub-service-2.0.0", "people.py")
    assert (told["said"], told["image"]) == (["Physicist", "https://a.example"], None)
    assert told["me"] == ["local", "Local", "user@localhost"]
    assert (told["sent"], told["listed"], told["removed"]) == ("Script", ["2100-12-31"], 401)
    assert (told["default"], told["found"], told["status"]) == ("local", ["local"], "APPROVED")
    assert told["resolved"] == [["local"], "nobody", "local"]
