"""Every specification keeps the conventions, and each convention notices who breaks it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from qumulus.openapi import conventions
from qumulus.openapi.conventions import RULES, Specification
from qumulus.openapi.jobs import REPOSITORY, apis
from qumulus.openapi.lint import complaints

SAMPLE = Path(__file__).parent / "sample" / "oas"


@pytest.mark.parametrize("root", [*(REPOSITORY / api.root for api in apis()), SAMPLE / "root.yaml"], ids=str)
def test_a_specification_has_nothing_to_complain_about(root: Path) -> None:
    assert list(complaints(root)) == []


# rule, file, what stands there, what is put in its place, what is said about it
BROKEN = [
    ("operations_are_named", "paths/jobs.yaml", "operationId: getJob\n", "operationId: get_job\n",
     "an operation of /jobs/{jobId} has the operationId 'get_job': it needs one in camelCase."),
    ("operations_are_named", "paths/hello.yaml", "    summary: a body without a credential\n", "",
     "sayHello has no summary."),
    ("paths_say_where_they_stand", "root.yaml", "/jobs/{jobId}/result:", "/jobs/{jobId}/outcome:",
     "/jobs/{jobId}/outcome references ./paths/jobs.yaml#/root.jobId.result: it has to be"),
    ("path_parameters_are_in_camel_case", "root.yaml", "/jobs/{jobId}:", "/jobs/{job_id}:",
     "/jobs/{job_id}: job_id is not in camelCase."),
    ("definitions_are_named_after_their_file", "schemas/token.yaml", "token.Token:", "other.Token:",
     "schemas/token.yaml: other.Token has to be token.<Name>."),
    ("definitions_are_named_after_their_file", "schemas/token.yaml", "token.Token:", "token.token:",
     "schemas/token.yaml: token of token.token is not in PascalCase."),
    ("everything_is_used", "schemas/hello.yaml", "hello.Greeting:", "hello.Bye: {type: string}\nhello.Greeting:",
     "schemas/hello.yaml: nothing uses hello.Bye."),
    ("everything_is_used", "root.yaml", "  /hello:\n    $ref: ./paths/hello.yaml#/root\n", "",
     "paths/hello.yaml: nothing uses root."),
    ("security_schemes_are_defined", "root.yaml", "- Token: []", "- Tokens: []",
     "listJobs requires Tokens, which no security scheme is called."),
    ("links_lead_to_operations", "paths/jobs.yaml", "operationId: getJob\n            parameters",
     "operationId: fetchJob\n            parameters", "there is no operation 'fetchJob' to lead to."),
    ("bodies_have_examples", "paths/token.yaml", "            example:\n              access_token: qumulus-local\n", "",
     "getToken: the answer 200 has no example."),
    ("examples_are_valid", "schemas/job.yaml", "example: 1000", "example: '1000'",
     "/components/schemas/job.Sampling/properties/shots/example: '1000' is not of type 'integer'."),
    ("examples_are_valid", "schemas/job.yaml", "default: 10", "default: 1000",
     "/components/schemas/job.Limit/default: 1000 is greater than the maximum of 100."),
    ("examples_are_valid", "schemas/job.yaml", "7af020f6-2e38-4d70-8cf0-4349650ea08c", "7af0",
     "/components/schemas/job.JobId/example: '7af0' is not a 'uuid'."),
    ("examples_are_valid", "paths/jobs.yaml", "            shots: 1000\n", "            shots: 0\n",
     "/content/application/json/example/shots: 0 is less than the minimum of 1."),
    ("errors_are_declared", "paths/hello.yaml", "      '413':\n        $ref: ../schemas/error.yaml#/error.responses.TooLarge\n",
     "", "sayHello does not declare 413."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "old", "new", "sentence"), BROKEN)
def test_a_broken_convention_is_noticed(
    tmp_path: Path, rule: str, file: str, old: str, new: str, sentence: str
) -> None:
    shutil.copytree(SAMPLE, tmp_path / "oas")
    path = tmp_path / "oas" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    if "other.Token" in new or "token.token" in new:  # a name is changed with its uses
        uses = tmp_path / "oas" / "paths" / "token.yaml"
        uses.write_text(re.sub(r"token\.Token\b", new.rstrip(":"), uses.read_text()))
    said = list(getattr(conventions, rule)(Specification(tmp_path / "oas" / "root.yaml")))
    assert any(sentence in each for each in said), said


def test_every_convention_is_broken_by_some_example() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for rule, *_ in BROKEN}
