"""The unmodified clients of Qiskit Serverless and of the functions catalogue, under `qumulus run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.environments import environment
from servers import Server

SCRIPT = Path(__file__).parent / "scripts" / "functions.py"
SECONDS = 300


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the script found; it is told of the cloud by the variables that `qumulus env ibm` prints, and by no others."""
    folder = tmp_path_factory.mktemp("functions")
    with Server(folder / "state") as server:
        command = [sys.executable, "-m", "qumulus", "env", "ibm", "--url", server.url]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        exports = (line.removeprefix("export ") for line in printed if line.startswith("export "))
        variables = dict(line.split("=", 1) for line in exports)
        done = subprocess.run(
            [environment("qiskit-serverless"), SCRIPT],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
        )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}\n{server.output()[-3000:]}"
    return json.loads(done.stdout)


def test_a_function_is_uploaded_with_what_is_said_of_it(found):
    assert found["uploaded"] == ["bell-pairs", "main.py", "Bell"]
    assert found["listed"] == ["bell-pairs", "broken", "slow"]


def test_a_function_runs_its_circuits_here_and_saves_what_it_found(found):
    assert found["status"] == "DONE"
    assert (found["shots"], found["likely"], found["same_circuit"]) == (200, True, True)
    assert (found["doubled"], found["squares"], found["variable"]) == (42, [1, 4, 9], "here")
    assert found["runtime_jobs"] is True
    assert "shots 200" in found["log"]


def test_a_function_finds_the_files_that_were_uploaded_for_it(found):
    assert (found["files"], found["downloaded"], found["data"]) == (["data.csv"], "a,b", "a,b")
    assert (found["deleted"], found["left"]) == ("Requested file was deleted.", [])


def test_a_function_that_fails_says_why(found):
    assert "no such luck" in found["error"]
    assert found["broken"] == ["ERROR", True]


def test_a_function_is_cancelled_while_it_runs(found):
    assert found["stopped"].startswith("Job has been stopped. ")
    assert "untime job" in found["stopped"]  # which may have ended
    assert found["cancelled"] == "CANCELED"
    assert found["jobs"] == ["CANCELED", "ERROR", "DONE"]
    assert found["of_function"] == 1


def test_functions_of_vendors_are_listed_and_say_that_they_are_not_here(found):
    assert "q-ctrl" in found["vendors"]
    assert "ibm/circuit-function is a program of its vendor and runs at IBM only: it is not here." in found["theirs"]


def test_a_provider_keeps_files_for_all_runs_of_its_function(found):
    assert found["provider_files"] == [["table.csv"], []]
    assert (found["provider_file"], found["table"]) == ("1,2", "1,2")
    assert found["deleted_theirs"] == "Requested file was deleted."


def test_arguments_are_held_against_the_schema_of_a_function(found):
    assert found["valid"] == {"valid": True}
    assert "'many' is not of type 'integer'" in found["invalid"]


def test_a_user_of_a_providers_function_reads_what_is_meant_for_users_and_the_provider_the_rest(found):
    assert found["logs"] == ["INFO: for you\n", "INFO: for us\nfor nobody in particular\n"]


def test_a_function_tells_of_an_error_and_the_job_lists_it_among_what_happened(found):
    assert "4001" in found["told"]
    assert "no electrons" in found["told"]
    statuses = [data.get("status") for kind, data in found["events"] if kind == "STATUS_CHANGE"]
    assert statuses == ["QUEUED", "RUNNING", "FAILED"]
    assert found["errors"] == ["4001"]


def test_a_provider_sees_the_jobs_of_its_functions_and_users_find_these_in_the_catalogue(found):
    assert found["provider_jobs"] == ["ERROR", "DONE"]
    assert found["of_catalog"] == 2
    assert found["in_catalog"] == ["ours"]
