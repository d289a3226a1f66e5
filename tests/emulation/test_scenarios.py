"""Scenarios: the ready ones run, and a file that is none is refused with a sentence before the cloud answers anybody."""

from __future__ import annotations

import json
import sys
from datetime import datetime

import jsonschema
import pytest
import requests

from commands.cli import qumulus
from dispatchers import wait_for
from emulation.jobs import BELL, IBM, OQTOPUS, ended, shown, submit
from qumulus.openapi import yaml12
from qumulus.serving import scenarios
from servers import Server

RUNTIME_JOB = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {"pubs": []}}


def begin(control, name):
    answer = control.administer("PUT", "/scenario", json.loads(scenarios.as_json(name)))
    assert answer.status_code == 200, answer.text
    return answer.json()


def advance(control, seconds):
    assert control.administer("POST", "/clock/advance", {"seconds": seconds}).status_code == 200


def test_every_ready_one_is_as_the_published_schema_says():
    schema = json.loads(qumulus("emulator", "scenario", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, path in scenarios.ready().items():
        document = yaml12.read(path.read_bytes())
        jsonschema.validate(document, schema)
        assert document["description"], name


def test_on_a_busy_monday_others_are_first_and_some_requests_are_turned_away(control):
    begin(control, "busy-monday")
    assert control.administer("GET", "/clock").json()["now"].startswith("2026-03-02T08:0")
    task = {"code": BELL, "device": "Kawasaki", "n_shots": 10}
    sent = requests.post(f"{control.url}/task", json=task, headers=OQTOPUS, timeout=30)
    while sent.status_code == 503:
        sent = requests.post(f"{control.url}/task", json=task, headers=OQTOPUS, timeout=30)
    statuses = [control.get("/hello").status_code for _ in range(60)]
    assert set(statuses) == {200, 503}
    job = sent.json()["task_id"]
    advance(control, 7200)
    ended(control, job, "succeeded")
    times = [datetime.fromisoformat(shown(control, job)[name]) for name in ("queued_at", "running_at")]
    assert (times[1] - times[0]).total_seconds() >= 300


def test_calibrations_drift_from_day_to_day(control):
    begin(control, "calibration-drift")
    begin(control, "calibration-drift")  # once more is the same

    def calibration():
        (entry,) = [
            each for each in control.administer("GET", "/calibrations/fez").json()["calibrations"] if each["current"]
        ]
        return entry["id"]

    first = calibration()
    advance(control, 25 * 3600)
    assert calibration() != first
    assert len(control.administer("GET", "/calibrations/fez").json()["calibrations"]) == 8
    control.administer("DELETE", "/calibrations/fez")
    control.administer("DELETE", "/calibrations/brisbane")


def test_from_noon_to_one_there_is_maintenance(control):
    begin(control, "maintenance-at-noon")
    status = "/api/v1/backends/ibm_brisbane/status"
    seen = [control.get(status, headers=IBM).json()["state"]]
    for seconds in (600, 3600):
        advance(control, seconds)
        seen.append(control.get(status, headers=IBM).json()["state"])
    assert seen == [True, False, True]


def test_a_flaky_network_breaks_the_same_requests_every_time(control):
    def answers():
        begin(control, "flaky-network")
        found = []
        for _ in range(80):
            try:
                answer = control.get("/hello")
                found.append((answer.status_code, answer.headers["content-type"]))
            except requests.RequestException as error:
                found.append(type(error).__name__)
        return found

    first = answers()
    assert (502, "application/json") in first
    assert {"ConnectionError"} & set(first)
    assert (200, "text/html; charset=utf-8") in first
    assert first == answers()


def test_an_open_plan_is_exhausted_after_three_jobs(control):
    begin(control, "exhausted-open-plan")
    plans = {each["name"]: each["plan"] for each in control.administer("GET", "/instances").json()["instances"]}
    assert plans["open"] == "open"
    sent = [requests.post(f"{control.url}/api/v1/jobs", json=RUNTIME_JOB, headers=IBM, timeout=30) for _ in range(4)]
    assert [answer.status_code for answer in sent] == [200, 200, 200, 409]
    assert sent[3].json()["errors"][0]["code"] == 1244
    jobs = [answer.json()["id"] for answer in sent[:3]]
    codes = []
    for job in jobs:
        wait_for(lambda job=job: shown(control, job)["ended_at"], 60)
        codes.append(control.get(f"/api/v1/jobs/{job}", headers=IBM).json()["state"]["reason_code"])
    assert codes.count(1305) == 1


def test_a_device_breaks_bit_by_bit(control):
    begin(control, "breaking-device")
    control.administer("PUT", "/clock", {"rate": 0})
    advance(control, 700)
    lost = ended(control, submit(control, "Brisbane"), "failed")
    assert "died in each of its 3 attempts" in lost["reason"]
    status = "/api/v1/backends/ibm_brisbane/status"
    advance(control, 1000)
    assert control.get(status, headers=IBM).json()["message"] == "Paused for an investigation."
    advance(control, 3000)
    assert control.get(status, headers=IBM).status_code == 404


def test_the_next_scenario_takes_back_the_faults_of_the_last_one(control):
    begin(control, "flaky-network")
    begin(control, "breaking-device")
    kinds = [fault["rule"]["kind"] for fault in control.administer("GET", "/faults").json()["faults"]]
    assert kinds == ["job-fails", "worker-lost", "device-paused", "device-retired"]


def test_a_scenario_with_a_mistake_changes_nothing(control):
    kept = control.fault("slow", seconds=0)
    wrong = {"name": "x", "faults": [{"kind": "error"}, {"kind": "slow", "status": 500}], "clock": {"rate": 0}}
    answer = control.administer("PUT", "/scenario", wrong)
    assert (answer.status_code, "leave out status" in answer.json()["detail"]) == (400, True)
    assert [fault["id"] for fault in control.administer("GET", "/faults").json()["faults"]] == [kept]
    assert control.administer("GET", "/clock").json()["mode"] == "real"


def test_a_server_begins_with_a_scenario_of_its_own(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: Mine\nfaults: [{kind: error, operation: getHello, status: 418}]\n")
    with Server(tmp_path / "state", arguments=("--scenario", str(tmp_path / "mine.yaml"))) as server:
        assert requests.get(f"{server.url}/hello", timeout=30).status_code == 418
        assert "The scenario 'Mine' has begun, with 1 faults." in server.output()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: x\nfaults: [{kind: eror}]", "can't be begun: The request is not as declared: faults.0.kind: "),
        ("name: x\nfaults: [{kind: slow, status: 500}]", "A fault of the kind slow takes seconds: leave out status."),
        ("name: [", "is no YAML: "),
        (
            None,
            "can't be read: no such file or directory. The ready ones are breaking-device, busy-monday, calibration-drift, ",
        ),
    ],
)
def test_a_file_that_is_no_scenario_keeps_the_server_from_starting(tmp_path, text, told):
    if text is not None:
        (tmp_path / "wrong.yaml").write_text(text)
    done = qumulus(
        "serve", "--scenario", str(tmp_path / "wrong.yaml"), QUMULUS_HOME=str(tmp_path / "state"), QUMULUS_PORT="0"
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_runs_with_a_scenario(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: Mine\nfaults: [{kind: error, operation: getHello, status: 418}]\n")
    script = "import os, urllib.request; urllib.request.urlopen(os.environ['OQTOPUS_URL'] + '/hello')"
    command = ("run", "--scenario", str(tmp_path / "mine.yaml"), "--", sys.executable, "-c", script)
    done = qumulus(*command)
    assert "418" in done.stderr
    refused = qumulus("run", "--scenario", "flaky-network", "--url", "http://127.0.0.1:1", "--", "true")
    assert (refused.returncode, "cloud of the command's own" in refused.stderr) == (2, True)


def test_the_commands_list_show_and_begin_scenarios(control):
    assert "breaking-device" in qumulus("emulator", "scenario", "list").stdout
    shown_text = qumulus("emulator", "scenario", "show", "flaky-network").stdout
    assert shown_text == scenarios.text("flaky-network")
    begun = qumulus("emulator", "scenario", "begin", "flaky-network", QUMULUS_URL=control.url)
    assert begun.stdout == "A flaky network has begun, with 5 faults.\n"
