"""`qumulus services`, against a running cloud."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import httpx2
import pytest
import yaml

from commands.cli import clean_environment, command, qumulus
from servers import Server, free_port

PROGRAM = """
import os
def run(data, params):
    print("summing up")
    open(os.environ["OUTPUT_DIRECTORY"] + "/hello.txt", "w").write("Hello")
    return {"sum": sum(data["values"])}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("services") / "state") as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a service."""
    service = tmp_path / "My Service"
    (service / "src").mkdir(parents=True)
    (service / "src" / "program.py").write_text(PROGRAM)
    (service / "qhub.json").write_text('{"name": "Sum of values", "description": "Sums up.", "resources": {"cpu": 1}}')
    return service


def run(server: Server, *arguments: str, status: int = 0) -> str:
    ended = qumulus("services", *arguments, QUMULUS_URL=server.url)
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout if status == 0 else ended.stderr


def test_a_folder_is_deployed_run_and_removed(server: Server, folder: Path, tmp_path: Path):
    assert f"{server.url}/services/sum-of-values" in run(server, "add", str(folder))
    (listed,) = json.loads(run(server, "list", "--json"))
    assert listed["title"] == "Sum of values"
    assert "sum-of-values" in run(server, "list")
    (tmp_path / "data.json").write_text('{"values": [1, 2]}')
    out = tmp_path / "out"
    printed = run(server, "run", "sum-of-values", "--data", f"@{tmp_path}/data.json", "--output", str(out))
    assert json.loads(printed) == {"sum": 3}
    assert (out / "hello.txt").read_text() == "Hello"
    execution = run(server, "run", "sum-of-values", "--input", '{"data": {"values": []}}', "--detached").strip()
    deadline = time.monotonic() + 60
    while "summing up" not in run(server, "logs", execution):
        assert time.monotonic() < deadline
    assert json.loads(run(server, "openapi", "sum-of-values"))["info"]["title"] == "Sum of values"
    told = json.loads(run(server, "run", "sum-of-values", "--input", '{"data": {"values": [4]}}', "--json"))
    assert (told["status"], told["result"], "hello.txt" in told["files"]) == ("SUCCEEDED", {"sum": 4}, True)
    assert run(server, "remove", "sum-of-values") == "sum-of-values is removed.\n"
    assert json.loads(run(server, "list", "--json")) == []
    assert "There is no service" in run(server, "remove", "sum-of-values", status=1)


def test_a_run_that_fails_ends_the_command_with_1(server: Server, folder: Path):
    (folder / "src" / "program.py").write_text("def run():\n    raise ValueError('no such city')")
    run(server, "add", str(folder), "--name", "failing")
    ended = qumulus("services", "run", "failing", QUMULUS_URL=server.url)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["detail"] == "no such city"
    assert "FAILED" in ended.stderr
    assert "is not JSON" in run(server, "run", "failing", "--data", "{", status=1)


WRONG = [
    ({"src/program.py": "x = 1"}, "has no function named run"),
    ({"src/program.py": "def run(:"}, "can't be read"),
    ({"src/program.py": None, "src/other.py": ""}, "has no src/program.py"),
    ({"qhub.json": '{"runtime": "DOCKER"}'}, "put a Dockerfile into its folder"),
    ({"qhub.json": '{"resources": {"gpu": {"type": "t4", "count": 1}}}'}, "GPU"),
    ({"qhub.json": "["}, "qhub.json can't be read"),
    ({"openapi.yaml": "paths: {/new: {get: {}}}"}, "GET /new is added."),
    ({"openapi.yaml": "paths: {/: {delete: {}}}"}, "DELETE / is added."),
    ({"openapi.yaml": "paths: {/: {post: {responses: {200: {}}}}}"}, "POST / is changed: it answers 200."),
    (
        {"openapi.yaml": "paths: {/: {get: {parameters: [{name: page, in: query}]}}}"},
        "GET / is changed: it takes page.",
    ),
]


@pytest.mark.parametrize(("files", "reason"), WRONG, ids=[reason for _, reason in WRONG])
def test_what_is_no_service_is_refused_with_the_reason(server: Server, folder: Path, files, reason: str):
    for name, content in files.items():
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(content)
    assert reason in run(server, "add", str(folder), "--name", "wrong", status=1)
    assert "wrong" not in [service["name"] for service in json.loads(run(server, "list", "--json"))]


def test_the_services_own_words_and_schemas_are_in_its_description(server: Server, folder: Path):
    (folder / "openapi.yaml").write_text(
        """
        info: {title: Summing, description: It sums., version: '3'}
        paths: {/: {post: {summary: Sum up}}}
        components:
          schemas:
            inputData: {type: object, properties: {values: {type: array, items: {type: number}}}, required: [values]}
            ResultResponse: {type: object, properties: {sum: {type: number}}}
            Extra: {type: string}
        """
    )
    (folder / "qhub.json").write_text('{"name": "Described", "checkInput": true}')
    run(server, "add", str(folder))
    document = json.loads(run(server, "openapi", "described"))
    assert document["info"] == {"title": "Summing", "description": "It sums.", "version": "3"}
    assert document["paths"]["/"]["post"]["summary"] == "Sum up"
    schemas = document["components"]["schemas"]
    assert schemas["InputData"] == {"$ref": "#/components/schemas/inputData"}
    assert set(schemas["ResultResponse"]["properties"]) == {"sum", "_links", "_embedded"}
    assert "Extra" in schemas
    assert json.loads(run(server, "run", "described", "--data", '{"values": [1.5]}')) == {"sum": 1.5}
    refused = run(server, "run", "described", "--data", '{"values": ["x"]}', status=1)
    assert "data.values.0: 'x' is not of type 'number'" in refused


def test_packages_are_installed_into_an_environment_of_the_services_own(server: Server, folder: Path):
    (folder / "requirements.txt").write_text("# what it needs\nidna==3.10\n")
    (folder / "src" / "program.py").write_text("import idna\ndef run():\n    return {'version': idna.__version__}")
    ended = qumulus("services", "add", str(folder), "--name", "packaged", QUMULUS_URL=server.url, seconds=180)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(run(server, "run", "packaged")) == {"version": "3.10"}
    (folder / "requirements.txt").write_text("no-such-package-of-anybody==99\n")
    ended = qumulus("services", "add", str(folder), "--name", "impossible", QUMULUS_URL=server.url, seconds=180)
    assert ended.returncode == 1
    assert "could not be installed" in ended.stderr


def test_a_folder_without_files_is_refused_with_a_hint(server: Server, tmp_path: Path):
    assert "has no files: name the folder of the service, with src/program.py in it." in run(
        server, "add", str(tmp_path), status=1
    )


def test_a_folder_with_too_many_files_is_refused_before_they_are_read(server: Server, folder: Path):
    for number in range(10_000):
        (folder / f"{number}.txt").touch()
    assert "has more than 10,000 files: name the folder of the service alone." in run(
        server, "add", str(folder), status=1
    )


def test_the_template_is_a_valid_description(server: Server, folder: Path):
    assert json.loads(run(server, "template", "--json"))["openapi"].startswith("3.")
    (folder / "openapi.yaml").write_text(run(server, "template"))
    run(server, "add", str(folder), "--name", "templated")


def test_a_served_folder_is_deployed_anew_when_it_changes_and_loses_no_execution(folder: Path, tmp_path: Path):
    port = free_port()
    process = subprocess.Popen(
        command("services", "serve", str(folder), "--port", str(port)),
        env=clean_environment() | {"QUMULUS_HOME": str(tmp_path / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "Bearer qumulus-local"})

        def result() -> dict:
            execution = http.post("/", json={"data": {"values": [1, 2]}}).json()["id"]
            while http.get(f"/{execution}").json()["status"] not in ("SUCCEEDED", "FAILED"):
                time.sleep(0.05)
            return http.get(f"/{execution}/result").json()

        assert result()["sum"] == 3
        (folder / "src" / "program.py").write_text(PROGRAM.replace('{"sum"', '{"total"'))
        second = process.stdout.readline()
        assert "version" in second
        assert second != first
        assert result()["total"] == 3
        assert len(http.get("/").json()) == 2
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) is not None


SIGNATURE = """
from __future__ import annotations
from dataclasses import dataclass
from typing import Literal, Optional
from pydantic import BaseModel, Field

print("imported")

class City(BaseModel):
    name: str = Field(description="What it is called")
    inhabitants: int = Field(ge=0)

@dataclass
class Tour:
    length: float
    cities: list[str]

def run(cities: list[City], method: Literal["exact", "annealing"] = "exact", seed: Optional[int] = None) -> Tour:
    \"\"\"Find a short tour.\"\"\"
"""


def test_a_description_is_written_from_the_signature(folder: Path):
    (folder / "src" / "program.py").write_text(SIGNATURE)
    (folder / "qhub.json").write_text('{"name": "Tours"}')
    document = yaml.safe_load(qumulus("services", "openapi", str(folder)).stdout)
    assert document["info"]["title"] == "Tours"
    assert document["info"]["description"] == "Find a short tour."
    schemas = document["components"]["schemas"]
    body = schemas["RequestBody"]
    assert body["properties"]["cities"] == {"type": "array", "items": {"$ref": "#/components/schemas/City"}}
    assert body["properties"]["method"] == {"type": "string", "enum": ["exact", "annealing"], "default": "exact"}
    assert body["required"] == ["cities"]
    assert schemas["City"]["properties"]["inhabitants"]["minimum"] == 0
    result = schemas["ResultResponse"]
    assert set(result["properties"]) == {"length", "cities", "_links", "_embedded"}
    assert result["required"] == ["length", "cities"]
    assert list(document["paths"]["/"]) == ["get", "post"]


def test_what_is_written_from_the_signature_is_taken_as_the_services_own(server: Server, folder: Path):
    (folder / "src" / "program.py").write_text(SIGNATURE + "    return Tour(1.0, [each.name for each in cities])\n")
    (folder / "qhub.json").write_text('{"name": "Tours", "checkInput": true}')
    (folder / "openapi.yaml").write_text(qumulus("services", "openapi", str(folder)).stdout)
    run(server, "add", str(folder))
    body = '{"cities": [{"name": "Ulm", "inhabitants": 1}]}'
    assert json.loads(run(server, "run", "tours", "--input", body)) == {"length": 1.0, "cities": ["Ulm"]}
    assert "not as the service describes it" in run(server, "run", "tours", "--input", '{"cities": 7}', status=1)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nothing_like_it\ndef run(): pass", "No module named 'nothing_like_it'"),
        ("def run(city: City): pass", "'City' is not defined"),
        ("def walk(): pass", "has no function named run"),
    ],
)
def test_a_program_that_can_not_be_described_says_why(folder: Path, source: str, words: str):
    (folder / "src" / "program.py").write_text(source)
    ended = qumulus("services", "openapi", str(folder))
    assert ended.returncode == 1
    assert words in ended.stderr
