"""What the contract refuses at start-up, and what it does with requests."""

from __future__ import annotations

import inspect
import runpy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from qumulus.openapi.contract import ContractError, Document, Operations, serve
from qumulus.openapi.contract.serving import QuickRoute

HANDLERS = Path(__file__).parent / "sample" / "handlers.py"
JOB = "7af020f6-2e38-4d70-8cf0-4349650ea08c"
KNOWN = {"x-token": "known"}
SAMPLING = b'{"kind": "sampling", "shots": 5, "deviceName": "Kawasaki"}'


@pytest.fixture(scope="module")
def good(sample: ModuleType) -> SimpleNamespace:
    """The sample's handlers."""
    return SimpleNamespace(**runpy.run_path(str(HANDLERS)))


@pytest.fixture(scope="module")
def client(good: SimpleNamespace) -> TestClient:
    return TestClient(good.create(), raise_server_exceptions=False)


def refusals(good: SimpleNamespace, **changed: Any) -> list[str]:
    """What start-up says when some handlers are replaced, or left out with None."""
    operation = Operations()
    for name, handler in good.operation.handlers:
        if (chosen := changed.pop(name, handler)) is not None:
            operation(name)(chosen)
    for name, handler in changed.items():
        operation(name)(handler)
    with pytest.raises(ContractError) as raised:
        serve(FastAPI(), good.DOCUMENT, operation, errors=good.ERRORS, read_elsewhere={"API-Version"})
    return raised.value.sentences


def altered(handler: Any, **parameters: Any) -> Any:
    """``handler`` with other annotations, or with other defaults where a value is given as (annotation, default)."""
    old = inspect.signature(handler, eval_str=True)
    kept = [each for name, each in old.parameters.items() if name not in parameters]
    made = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in parameters.items()
        if name != "returns"
    ]
    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in kept]
    returns = parameters.get("returns", (old.return_annotation, None))[0]

    def other(**arguments: Any) -> Any:
        return handler(**arguments)

    vars(other)["__signature__"] = inspect.Signature([*keyword, *made], return_annotation=returns)
    return other


NOTHING = inspect.Parameter.empty


def test_all_differences_are_in_one_list(good: SimpleNamespace) -> None:
    wrong = altered(good.list_jobs, limit=(int, 5))
    assert refusals(good, getJob=None, dropJob=good.delete_job, listJobs=wrong) == [
        "dropJob: has a handler, <run_path>.delete_job, but is not declared.",
        "getJob: is declared, but has no handler.",
        "listJobs: defaults limit to 5, not 10.",
        "listJobs: takes limit as int, not Limit.",
    ]


def test_two_handlers_of_one_operation(good: SimpleNamespace) -> None:
    second = Operations()
    second("getJob")(good.get_job)
    with pytest.raises(ContractError, match="getJob: has two handlers"):
        serve(FastAPI(), good.DOCUMENT, good.operation, second, errors=good.ERRORS, read_elsewhere={"API-Version"})


def test_a_body_of_another_type(good: SimpleNamespace) -> None:
    wrong = altered(good.post_job, body=(dict, NOTHING))
    assert refusals(good, postJob=wrong) == ["postJob: takes the body as dict, not Operation."]


def test_a_body_that_nobody_takes(good: SimpleNamespace) -> None:
    wrong = altered(good.say_hello, body=(str, NOTHING))
    del wrong.__signature__
    wrong.__signature__ = inspect.Signature(return_annotation=str)
    assert refusals(good, sayHello=wrong) == ["sayHello: does not take the body."]


def test_a_parameter_that_is_not_declared(good: SimpleNamespace) -> None:
    wrong = altered(good.get_latest, offset=(int, 0))
    assert refusals(good, getLatest=wrong) == ["getLatest: takes offset, which is not declared."]


def test_a_declared_parameter_that_is_not_taken(good: SimpleNamespace) -> None:
    with pytest.raises(ContractError, match="listJobs: does not take api_version, which is declared"):
        serve(FastAPI(), good.DOCUMENT, good.operation, errors=good.ERRORS)


def test_a_parameter_that_is_read_elsewhere_and_declared_nowhere(good: SimpleNamespace) -> None:
    with pytest.raises(ContractError, match="Api-Age: is read elsewhere, but no operation declares it"):
        serve(FastAPI(), good.DOCUMENT, good.operation, errors=good.ERRORS, read_elsewhere={"API-Version", "Api-Age"})


def test_a_default_where_there_is_none(good: SimpleNamespace) -> None:
    wrong = altered(good.get_job, job_id=(good.JobId, good.KNOWN))
    assert refusals(good, getJob=wrong) == [f"getJob: defaults job_id to {good.KNOWN!r}, but it is required."]


def test_no_default_where_there_is_one(good: SimpleNamespace) -> None:
    wrong = altered(good.list_jobs, include_mocks=(bool, NOTHING))
    assert refusals(good, listJobs=wrong) == [
        "listJobs: requires include_mocks, but it is optional, with the default False."
    ]


def test_another_return_type(good: SimpleNamespace) -> None:
    assert refusals(good, getJob=altered(good.get_job, returns=(dict, None))) == ["getJob: returns dict, not Job."]


def test_no_return_type(good: SimpleNamespace) -> None:
    wrong = altered(good.get_job, returns=(inspect.Signature.empty, None))
    assert refusals(good, getJob=wrong) == ["getJob: returns nothing in particular (it has no annotation), not Job."]


def test_a_schema_without_a_name(sample: ModuleType, good: SimpleNamespace) -> None:
    document = Document("sample_models")
    document.content["paths"]["/jobs"]["get"]["parameters"][0]["schema"] = {"type": "integer", "minimum": 1}
    with pytest.raises(ContractError, match="listJobs: limit has a schema without a name: make it a component"):
        serve(FastAPI(), document, good.operation, errors=good.ERRORS, read_elsewhere={"API-Version"})


def test_apps_of_one_document_share_its_routes(good: SimpleNamespace) -> None:
    apps = [good.create(), good.create()]
    assert [TestClient(app).get("/jobs", headers=KNOWN).status_code for app in apps] == [200, 200]
    first, second = ([id(route) for route in app.routes if isinstance(route, QuickRoute)] for app in apps)
    assert first == second != []


def test_query_values_are_read_leniently(client: TestClient) -> None:
    query = {
        "include_mocks": "True",
        "createdAfter": "2024-01-02T03:04:05+0000",
        "jobState": "done",
        "tags": ["a", "b"],
    }
    said = [job["deviceName"] for job in client.get("/jobs", headers=KNOWN, params=query).json()]
    assert said[0] == "limit=10"
    assert said[1].endswith("'done'>")
    assert said[2] == "tags=['a', 'b']"
    assert said[3].startswith("after=datetime.datetime(2024, 1, 2, 3, 4, 5")
    assert said[4] == "mocks=True"


def test_a_query_value_out_of_its_limits(client: TestClient) -> None:
    answer = client.get("/jobs", headers=KNOWN, params={"limit": 101})
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "The request is not as declared: limit: input should be less than or equal to 100."
    }


def test_a_list_in_the_query_has_its_limits(client: TestClient) -> None:
    assert client.get("/jobs", headers=KNOWN, params={"tags": list("abcd")}).status_code == 400


def test_a_discriminated_body_reaches_its_model(client: TestClient) -> None:
    answer = client.post("/jobs", headers=KNOWN, content=SAMPLING)
    assert (answer.status_code, answer.headers["location"]) == (201, f"/jobs/{JOB}")
    assert answer.json() == {"job_id": JOB, "deviceName": "Sampling"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'{"kind": "sampling", "shots": "5", "deviceName": "Kawasaki"}',
        b'{"kind": "sampling", "shots": 5, "device_name": "Kawasaki"}',
        b'{"kind": "sampling", "shots": 1e400, "deviceName": "Kawasaki"}',
        b'{"kind": "sampling", "shots": 5, "deviceName": null}',
        b'{"kind": "sampling", "shots": 5, "deviceName": "\xff"}',
        b'{"kind": "sampling", "shots": 5, "deviceName": "\\ud800"}',
        b'{"kind": "sampling", "shots": 5, "deviceName": "\\u0000"}',
        b'{"kind": "sampling", "shots": 5, "deviceName": "a", "options": {"\\u0000": 1}}',
        b'{"kind": "sampling", "shots": 5, "deviceName": "a", "options": {"x": NaN}}',
        b'{"kind": "sampling", "shots": 5, "deviceName": "a", "options": {"x": -Infinity}}',
        b'{"kind": "sampling", "shots": 5, "deviceName": "a", "x": ' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"kind": "other"}',
    ],
)
def test_a_body_that_is_not_as_declared(client: TestClient, body: bytes) -> None:
    answer = client.post("/jobs", headers=KNOWN, content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].endswith(".")


def test_an_integer_with_thousands_of_digits(good: SimpleNamespace) -> None:
    roomy = TestClient(good.create(body_limit=10_000), raise_server_exceptions=False)
    digits = {length: b'{"x": ' + b"9" * length + b"}" for length in (900, 5000)}
    json = {"content-type": "application/json"}
    assert roomy.post("/hello", content=digits[900], headers=json).status_code == 200
    assert roomy.post("/hello", content=digits[5000], headers=json).status_code == 400


def test_words_for_infinity_inside_a_text_are_only_text(client: TestClient) -> None:
    body = SAMPLING.replace(b"Kawasaki", b"NaN Infinity \\\\u0000")
    assert client.post("/jobs", headers=KNOWN, content=body).status_code == 201


@pytest.mark.parametrize("address", ["/jobs?tags=a%00b", "/jobs?tags%00=b"])
def test_an_address_with_nul_is_refused(client: TestClient, address: str) -> None:
    answer = client.get(address, headers=KNOWN)
    assert answer.status_code == 400
    assert answer.json() == {"detail": "The address has the character NUL (%00): leave it out."}


def test_a_body_over_the_limit_is_refused_while_it_is_read(client: TestClient) -> None:
    chunks = (b"x" * 100 for _ in range(11))
    answer = client.put("/upload", headers=KNOWN, content=chunks)
    assert answer.status_code == 413
    assert answer.json() == {"detail": "The body is larger than the 1000 bytes that this server takes."}


def test_an_announced_length_over_the_limit_is_refused_before(client: TestClient) -> None:
    assert client.put("/upload", content=b"x" * 1001).status_code == 413


def test_a_body_without_a_credential_is_taken_as_json_only(client: TestClient) -> None:
    plain = client.post("/hello", content=b"{}", headers={"content-type": "text/plain"})
    assert plain.status_code == 415
    assert plain.json() == {"detail": "The body must be sent with the header Content-Type: application/json."}
    assert client.post("/hello", content=b"{}").status_code == 415
    assert (
        client.post("/hello", content=b"{}", headers={"content-type": "application/json; charset=utf-8"}).text
        == "Hello!"
    )


def test_who_may_not_call_is_told_before_the_body_is_read(client: TestClient) -> None:
    answer = client.post("/jobs", content=b"{")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Send a known token in the header x-token."}


def test_forms_are_read_by_field(client: TestClient) -> None:
    answer = client.post("/token", data={"grant_type": "apikey", "lifetime": "60"})
    assert answer.json() == {"access_token": "apikey 60"}
    assert client.post("/token", data={"lifetime": "60"}).status_code == 400


def test_a_form_of_thousands_of_fields_is_refused(good: SimpleNamespace) -> None:
    roomy = TestClient(good.create(body_limit=100_000), raise_server_exceptions=False)
    answer = roomy.post("/token", data={f"field{number}": "" for number in range(1001)})
    assert (answer.status_code, answer.json()) == (400, {"detail": "The form has more than 1000 fields."})


def test_bytes_go_in_and_out_unchanged(client: TestClient) -> None:
    answer = client.put("/upload", content=b"\x00\xff")
    assert (answer.content, answer.headers["content-type"]) == (b"\x00\xff", "application/octet-stream")


def test_a_fixed_segment_comes_before_a_parameter(client: TestClient) -> None:
    assert client.get("/jobs/latest").status_code == 500  # getLatest, and not a bad id


def test_a_mistake_of_the_server_shows_nothing_of_its_inside(client: TestClient) -> None:
    answer = client.get("/jobs/latest")
    assert answer.status_code == 500
    assert answer.json() == {
        "message": "The server made a mistake and wrote it to its log: send the request again, or report it with the log."
    }


def test_an_error_without_a_declared_status_is_a_mistake(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/jobs/11111111-2e38-4d70-8cf0-4349650ea08c/result")
    assert answer.status_code == 500
    assert "getResult declares no status for NoResult" in caplog.text


def test_errors_of_the_core_get_the_declared_status(client: TestClient) -> None:
    answer = client.get("/jobs/11111111-2e38-4d70-8cf0-4349650ea08c", headers=KNOWN)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is no job with the id '11111111-2e38-4d70-8cf0-4349650ea08c'."}


def test_no_content_has_no_body(client: TestClient) -> None:
    answer = client.delete(f"/jobs/{JOB}", headers=KNOWN)
    assert (answer.status_code, answer.content) == (204, b"")


def test_rendered_bytes_are_sent_once(client: TestClient) -> None:
    first = client.get(f"/jobs/{JOB}/result")
    assert first.json() == {"counts": {"00": 1}}
    again = client.get(f"/jobs/{JOB}/result", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_another_method_is_told_every_method_of_the_path(client: TestClient) -> None:
    answer = client.patch(f"/jobs/{JOB}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET"
    assert answer.json() == {"detail": f"/jobs/{JOB} takes DELETE, GET, not PATCH."}


def test_an_unknown_path_is_answered_in_the_form_of_the_api(client: TestClient) -> None:
    assert client.get("/nowhere").json() == {"detail": "There is nothing at /nowhere: see /docs for what there is."}
    assert client.get("/jobs/", headers=KNOWN).status_code == 404
