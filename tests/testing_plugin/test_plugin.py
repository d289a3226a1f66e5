"""The pytest plugin in projects of somebody else's, each in an environment of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from clients.environments import environment
from qumulus.control.administration import Administration
from testing_plugin.projects import installed, run_tests

CLOUD = """
import json, urllib.request

def submit(cloud, device="qulacs"):
    body = {"device": device, "n_shots": 10, "code": "OPENQASM 3; qubit q; bit c; h q; c = measure q;"}
    request = urllib.request.Request(cloud.url + "/task", json.dumps(body).encode(), {"content-type": "application/json"})
    return json.loads(urllib.request.urlopen(request).read())["task_id"]

def total(cloud):
    return cloud.administer("GET", "/jobs")["total"]
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def python() -> Path:
    """With the clients of OQTOPUS and PLANQK."""
    return environment("plugin-others")


@pytest.fixture
def project(tmp_path, python, site):
    def run(tests: str, *arguments: str, **more: str):
        (tmp_path / "test_sample.py").write_text(CLOUD + tests)
        return run_tests(python, site, tmp_path, *arguments, **more)

    return run


def outcomes(ended) -> dict[str, int]:
    found = re.findall(r"(\d+) (passed|failed|error|errors|skipped)", ended.stdout.splitlines()[-1])
    return {word: int(number) for number, word in found}


def test_one_cloud_serves_the_whole_session(project):
    ended = project("""
seen = []
def test_a(quantum_cloud):
    submit(quantum_cloud)
    seen.append(quantum_cloud.url)
def test_b(quantum_cloud):
    assert seen == [quantum_cloud.url]
    assert total(quantum_cloud) == 1
""")
    assert outcomes(ended) == {"passed": 2}, ended.stdout


@pytest.mark.parametrize("way", ["flag", "setting"])
def test_each_test_finds_a_fresh_cloud_where_that_is_wanted(project, tmp_path, way):
    if way == "setting":
        (tmp_path / "pytest.ini").write_text("[pytest]\nqumulus_fresh = true\n")
    tests = """
def test_a(quantum_cloud):
    quantum_cloud.set_device("osaka", online=False)
    submit(quantum_cloud)
def test_b(quantum_cloud):
    assert total(quantum_cloud) == 0
    assert quantum_cloud.administer("GET", "/devices/osaka")["settings"]["online"]
"""
    ended = project(tests, *(["--qumulus-fresh"] if way == "flag" else []))
    assert outcomes(ended) == {"passed": 2}, ended.stdout


def test_each_worker_of_xdist_has_its_own_cloud(project):
    ended = project(
        """
import os, pathlib, pytest
@pytest.mark.parametrize("number", range(4))
def test_a(quantum_cloud, number):
    submit(quantum_cloud)
    pathlib.Path("urls").open("a").write(os.environ["PYTEST_XDIST_WORKER"] + " " + quantum_cloud.url + "\\n")
def test_b(quantum_cloud):
    assert total(quantum_cloud) <= 4
""",
        *("-n", "2", "--dist", "load"),
    )
    assert outcomes(ended) == {"passed": 5}, ended.stdout


def test_workers_share_a_server_with_a_namespace_each(project, live_server):
    ended = project(
        """
import os, pytest
@pytest.mark.parametrize("number", range(4))
def test_a(quantum_cloud, number):
    submit(quantum_cloud)
    assert os.environ["PYTEST_XDIST_WORKER"] in quantum_cloud.url
    assert total(quantum_cloud) <= 4
    quantum_cloud.fault("device-paused", device="perth")
    assert len(quantum_cloud.emulator.faults()) == 1
def test_b(quantum_environment):
    with urllib.request.build_opener().open("https://quantum.cloud.ibm.com/api/v1/versions") as answer:
        assert json.loads(answer.read())["versions"]
""",
        *("-n", "2", "--dist", "load", "--qumulus-url", live_server.url),
    )
    assert outcomes(ended) == {"passed": 5}, ended.stdout
    assert Administration(live_server.url)("GET", "/namespaces") == {"namespaces": []}


NAMESPACES = """
import os, pytest
from qumulus.testing import CloudRefused

left = []

def test_a(quantum_cloud):
    first = submit(quantum_cloud)
    kept = quantum_cloud.snapshot()
    with_it, empty = quantum_cloud.namespace(fork=True), quantum_cloud.namespace("mine")
    assert (total(with_it), total(empty)) == (1, 0)
    second = submit(with_it)
    with_it.fault("error", operation="getHello", status=418)
    assert (total(quantum_cloud), total(with_it)) == (1, 2)
    assert quantum_cloud.emulator.faults() == []
    with_it.restore(kept)
    assert [job["id"] for job in with_it.administer("GET", "/jobs")["jobs"]] == [first]
    assert total(quantum_cloud.namespace(snapshot=kept)) == 1
    token = empty.environment(os.environ)["OQTOPUS_API_TOKEN"]
    assert token == "mine~local.qumulus-local"
    left.extend([kept, "mine"])

def test_b(quantum_cloud):
    kept, name = left
    with pytest.raises(CloudRefused, match="no snapshot"):
        quantum_cloud.namespace(snapshot=kept)
    assert total(quantum_cloud.namespace(name)) == 0
    with pytest.raises(CloudRefused, match="There is a namespace mine already"):
        quantum_cloud.namespace(name)

@pytest.fixture(scope="module", autouse=True)
def for_all(quantum_cloud):
    quantum_cloud.namespace("for-all")
"""


def test_a_test_has_further_clouds_and_kept_states_until_it_ends(project):
    ended = project(NAMESPACES)
    assert outcomes(ended) == {"passed": 2}, ended.stdout


def test_so_it_has_in_a_server_that_runs_already(project, live_server):
    ended = project(NAMESPACES, "--qumulus-url", live_server.url)
    assert outcomes(ended) == {"passed": 2}, ended.stdout
    assert Administration(live_server.url)("GET", "/namespaces") == {"namespaces": []}
    assert Administration(live_server.url).snapshots() == []


def test_a_job_that_waits_in_a_further_cloud_is_told_of_as_well(project):
    ended = project("""
def test_a(quantum_cloud):
    other = quantum_cloud.namespace()
    other.clock.stand("2026-03-02T08:00:00Z")
    other.queue("qulacs", recorded=[{"after_seconds": 0, "run_seconds": 60}])
    submit(other)
    assert False
""")
    assert outcomes(ended) == {"failed": 1}
    assert "It waits: the clock of the cloud stands at 2026-03-02 08:00:00 UTC" in ended.stdout


def test_a_server_that_is_not_there_is_a_sentence(project):
    ended = project("def test_a(quantum_cloud): pass", "--qumulus-url", "http://127.0.0.1:1")
    assert "No namespace can be had at http://127.0.0.1:1" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_a_device_can_be_made_to_keep_jobs_waiting(project):
    ended = project("""
def test_a(quantum_cloud):
    quantum_cloud.set_device("qulacs", least_queue_seconds=600)
    job = submit(quantum_cloud)
    assert quantum_cloud.administer("GET", "/jobs/" + job)["state"] == "queued"
def test_b(quantum_cloud):
    from qumulus.testing import CloudRefused
    import pytest
    with pytest.raises(CloudRefused, match="There is no device named 'nowhere'"):
        quantum_cloud.set_device("nowhere", online=False)
""")
    assert outcomes(ended) == {"passed": 2}, ended.stdout


def test_code_under_test_finds_the_cloud_by_itself(project):
    ended = project("""
import os, ssl
def test_a(quantum_environment):
    with urllib.request.urlopen("https://quantum.cloud.ibm.com/api/v1/versions") as answer:
        assert json.loads(answer.read())["versions"]
    assert os.environ["OQTOPUS_URL"].startswith("http://127.0.0.1:")
def test_b():
    assert "HTTPS_PROXY" not in os.environ or "127.0.0.1" not in os.environ["HTTPS_PROXY"]
""")
    assert outcomes(ended) == {"passed": 2}, ended.stdout


def test_a_client_that_is_not_installed_is_named(project):
    ended = project("def test_a(ibm_service): pass")
    assert "ibm_service needs the package qiskit-ibm-runtime: install it beside the tests." in ended.stdout
    assert "Traceback" not in ended.stdout


def test_a_server_that_is_not_installed_is_asked_for_with_the_setting_that_names_it(project):
    ended = project("def test_a(quantum_cloud): pass", command="")
    assert "name it by qumulus_command = /path/to/qumulus" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_a_command_that_is_none_is_a_sentence(project):
    ended = project("def test_a(quantum_cloud): pass", command="/no/such/qumulus")
    assert "/no/such/qumulus can't be started: No such file or directory." in ended.stdout


def test_tests_that_need_no_cloud_start_none(project):
    ended = project("def test_a(): pass", command="/no/such/qumulus")
    assert outcomes(ended) == {"passed": 1}


def test_a_planqk_service_is_deployed_and_run(project, tmp_path):
    source = tmp_path / "Sum of Values" / "src"
    source.mkdir(parents=True)
    (source / "program.py").write_text("def run(values: list):\n    return {'sum': sum(values)}\n")
    ended = project("""
def test_a(planqk_service):
    execution = planqk_service("Sum of Values").run({"values": [1, 2, 39]})
    execution.wait_for_final_state(timeout=60, wait=0.1)
    assert execution.result()["sum"] == 42
""")
    assert outcomes(ended) == {"passed": 1}, ended.stdout


def test_an_oqtopus_client_is_there_already_pointed_at_the_cloud(project):
    ended = project("""
from oqtopus_client import OqtopusJobSpec
def test_a(oqtopus_client):
    program = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
    result = oqtopus_client.run_sampling(OqtopusJobSpec.sampling(device_id="qulacs", program=program, shots=100))
    assert sum(result.get_counts().values()) == 100
""")
    assert outcomes(ended) == {"passed": 1}, ended.stdout


def test_a_recording_answers_in_a_test(project, tmp_path):
    answer = {
        "status": 200,
        "answer_headers": {"content-type": "application/json"},
        "answer": {"json": {"message": "recorded"}},
    }
    asked = {"method": "GET", "path": "/hello", "headers": {}, "body": None}
    (tmp_path / "said.jsonl").write_text(json.dumps(asked | answer) + "\n")
    ended = project("""
def test_a(recorded_cloud):
    url = recorded_cloud("said.jsonl").url
    assert json.loads(urllib.request.urlopen(url + "/hello").read()) == {"message": "recorded"}
""")
    assert outcomes(ended) == {"passed": 1}, ended.stdout


def example() -> str:
    """The example of the documentation."""
    page = (Path(__file__).parents[2] / "docs" / "zero-change.md").read_text()
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]


def test_the_example_of_the_documentation_passes_with_ibms_client_alone(tmp_path, site):
    (tmp_path / "test_sample.py").write_text(
        example() + "\n\ndef test_again(ibm_service, quantum_cloud):\n"
        "    assert ibm_service.jobs() == []\n    assert quantum_cloud.instance == ibm_service.active_instance()\n"
    )
    ended = run_tests(environment("plugin-ibm"), site, tmp_path, "--qumulus-fresh")
    assert outcomes(ended) == {"passed": 2}, ended.stdout


def test_what_a_test_sets_is_undone_after_it(project):
    ended = project("""
import pytest

@pytest.fixture(scope="module", autouse=True)
def all_tests_have(quantum_cloud):
    quantum_cloud.fault("error", operation="getHelloName", status=418)

def test_a(quantum_cloud):
    quantum_cloud.set_device("osaka", online=False, message="Away")
    fault = quantum_cloud.fault("error", operation="getHello", status=503)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(quantum_cloud.url + "/hello")
    assert (fault.seen, fault.hits) == (1, 1)

def test_b(quantum_cloud):
    assert urllib.request.urlopen(quantum_cloud.url + "/hello").status == 200
    assert quantum_cloud.administer("GET", "/devices/osaka")["settings"]["online"]
    assert [fault.rule["status"] for fault in quantum_cloud.emulator.faults()] == [418]

def test_c(quantum_cloud):
    with quantum_cloud.fault("slow", seconds=0, dry_run=True) as fault:
        urllib.request.urlopen(quantum_cloud.url + "/hello")
    assert fault.hits == 1
    assert len(quantum_cloud.emulator.faults()) == 1
""")
    assert outcomes(ended) == {"passed": 3}, ended.stdout


def test_a_job_that_waits_for_a_device_that_is_offline_fails_its_test_instead_of_hanging(project, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nqumulus_patience = 3\n")
    ended = project("""
import time
def test_a(quantum_cloud):
    job = submit(quantum_cloud)
    quantum_cloud.fault("device-paused", device="perth")
    body = {"program_id": "sampler", "backend": "ibm_perth", "params": {"pubs": []}}
    headers = {"Authorization": "Bearer x", "Service-CRN": quantum_cloud.instance, "content-type": "application/json"}
    request = urllib.request.Request(quantum_cloud.url + "/api/v1/jobs", json.dumps(body).encode(), headers)
    urllib.request.urlopen(request)
    while True:
        time.sleep(0.1)
def test_b(quantum_cloud):
    fault = quantum_cloud.fault("error", operation="getHello")
    urllib.request.urlopen(quantum_cloud.url + "/hello")
""")
    assert outcomes(ended) == {"failed": 2}, ended.stdout
    waits = "It waits: device perth takes no jobs now (It is paused, by a fault of the emulator)."
    assert waits in ended.stdout
    assert "The test has waited for more than 3 seconds." in ended.stdout
    assert re.search(r"The fault \S+ \(error\) has hit 1 times\.", ended.stdout)


def test_time_and_queues_are_given_back_after_each_test(project):
    ended = project("""
def test_a(quantum_cloud):
    quantum_cloud.clock.stand("2026-03-02T08:00:00Z")
    assert quantum_cloud.clock.advance(hours=2).isoformat() == "2026-03-02T10:00:00+00:00"
    quantum_cloud.queue("Qulacs", recorded=[{"after_seconds": 0, "run_seconds": 60}])
    job = submit(quantum_cloud)
    quantum_cloud.clock.until(job, "started")
    assert quantum_cloud.clock.now.isoformat() == "2026-03-02T10:01:00+00:00"
    quantum_cloud.clock.until(job, "ended")
    ids = [each["id"] for each in quantum_cloud.calibration("torino", number=1, seed=7)]
    quantum_cloud.clock.advance(days=2)
    (_, current) = quantum_cloud.administer("GET", "/calibrations/torino")["calibrations"]
    assert current["current"] and current["id"] == ids[1]

def test_b(quantum_cloud):
    assert len(quantum_cloud.administer("GET", "/calibrations/torino")["calibrations"]) == 1
    assert quantum_cloud.clock.mode == "real"
    assert quantum_cloud.administer("GET", "/queues") == {"queues": []}
    assert quantum_cloud.administer("GET", "/devices/qulacs")["settings"]["one_at_a_time"] is False
""")
    assert outcomes(ended) == {"passed": 2}, ended.stdout


def test_a_job_that_waits_for_a_clock_which_stands_is_told_of_beside_the_failure(project):
    ended = project("""
def test_a(quantum_cloud):
    quantum_cloud.clock.stand("2026-03-02T08:00:00Z")
    quantum_cloud.queue("qulacs", recorded=[{"after_seconds": 0, "run_seconds": 60}])
    submit(quantum_cloud)
    assert False
""")
    assert outcomes(ended) == {"failed": 1}
    assert "It waits: the clock of the cloud stands at 2026-03-02 08:00:00 UTC" in ended.stdout
