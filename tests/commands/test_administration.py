"""The commands of an administrator, against a running cloud."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from commands.cli import clean_environment, command, qumulus
from qumulus import __version__
from servers import Server, free_port

PROGRAM = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("commands") / "state") as server:
        yield server


def submit(server: Server, name: str = "bell", device: str = "qulacs") -> str:
    body = {"device": device, "n_shots": 100, "code": PROGRAM, "name": name}
    return requests.post(f"{server.url}/task", json=body, timeout=30).json()["task_id"]


def run(server: Server, *arguments: str, status: int = 0) -> str:
    ended = qumulus(*arguments, QUMULUS_URL=server.url)
    assert ended.returncode == status, ended.stderr
    return ended.stdout if status == 0 else ended.stderr


def ended(server: Server, job: str) -> dict[str, object]:
    deadline = time.monotonic() + 60
    while (shown := json.loads(run(server, "jobs", "show", job, "--json")))["ended_at"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return shown


def test_status_says_what_runs(server):
    deadline = time.monotonic() + 30
    while qumulus("status", QUMULUS_URL=server.url).returncode:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert f"Qumulus {__version__} on {server.url}" in run(server, "status")
    told = json.loads(run(server, "status", "--json"))
    assert (told["url"], told["ready"]) == (server.url, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("devices", "list"),
        ("devices", "show", "brisbane"),
        ("jobs", "list"),
        ("jobs", "result", "x"),
        ("tokens", "list"),
        ("reset", "--yes"),
    ],
)
def test_without_a_cloud_every_command_says_how_to_start_one(arguments):
    url = f"http://127.0.0.1:{free_port()}"
    failed = qumulus(*arguments, "--url", url)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == (
        f"No cloud answers at {url}: start one with `qumulus serve`, or name another one with --url.\n"
    )


def test_a_proxy_of_the_environment_is_not_asked_for_the_cloud_here(server):
    told = qumulus("devices", "list", "--json", QUMULUS_URL=server.url, HTTP_PROXY="http://127.0.0.1:9")
    assert told.returncode == 0


def test_another_administrators_token_is_said_so_and_not_repeated(server):
    failed = qumulus("jobs", "list", QUMULUS_URL=server.url, QUMULUS_ADMIN_TOKEN="my-secret-token")
    assert failed.returncode == 1
    assert "set QUMULUS_ADMIN_TOKEN" in failed.stderr
    assert "my-secret-token" not in failed.stderr


@pytest.mark.parametrize(("words", "says"), [("devices list", 404), ("services run sum", 501)])
def test_what_is_no_qumulus_is_said_so(words, says):
    import http.server
    import threading

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        failed = qumulus(*words.split(), "--url", f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
    assert failed.returncode == 1
    assert f"is no Qumulus (it says {says})" in failed.stderr


def test_devices_are_listed_for_people_and_for_programs(server):
    listed = json.loads(run(server, "devices", "list", "--qubits", "100", "--json"))
    assert {"brisbane", "fez"} <= {device["name"] for device in listed}
    assert all(device["n_qubits"] >= 100 for device in listed)
    table = run(server, "devices", "list").splitlines()
    assert re.split(r"\s{2,}| ", table[0].strip())[:2] == ["device", "qubits"]
    assert re.search(r"^brisbane +127 +Eagle .* online +0 *$", "\n".join(table), re.MULTILINE)


def test_a_device_is_taken_off_and_on_and_keeps_its_other_settings(server):
    run(server, "devices", "set", "Kyiv", "--offline", "--message", "Down for maintenance")
    shown = json.loads(run(server, "devices", "set", "kyiv", "--least-run", "0.5", "--json"))
    assert shown["settings"]["online"] is False
    assert shown["settings"]["least_run_seconds"] == 0.5
    assert "Down for maintenance" in run(server, "devices", "show", "kyiv")
    assert "offline" in run(server, "status")
    run(server, "devices", "set", "kyiv", "--online", "--message", "", "--least-run", "0")
    assert json.loads(run(server, "devices", "show", "kyiv", "--json"))["settings"]["online"] is True


def test_an_unknown_device_is_a_sentence(server):
    assert run(server, "devices", "show", "nowhere", status=1) == (
        "There is no device named 'nowhere': list the devices to see the names.\n"
    )


def test_a_job_is_listed_shown_and_its_result_and_log_are_printed(server, tmp_path):
    job = submit(server, name="named just so")
    assert ended(server, job)["state"] == "succeeded"
    (found,) = json.loads(run(server, "jobs", "list", "--search", "named just so", "--json"))["jobs"]
    assert found["id"] == job
    assert re.search(rf"^{job} +succeeded +qulacs .* named just so *$", run(server, "jobs", "list"), re.MULTILINE)
    assert re.search(r"^state +succeeded *$", run(server, "jobs", "show", job), re.MULTILINE)
    assert '"11"' in run(server, "jobs", "result", job)
    run(server, "jobs", "result", job, "-o", str(tmp_path / "result.json"))
    assert '"11"' in (tmp_path / "result.json").read_text()
    assert isinstance(json.loads(run(server, "jobs", "logs", job, "--json")), list)


def test_a_result_is_waited_for(server):
    run(server, "devices", "set", "perth", "--least-queue", "600")
    job = submit(server, device="Perth")
    assert run(server, "jobs", "result", job, status=1) == f"Job {job} has no result: it is queued.\n"
    with subprocess.Popen(
        command("jobs", "result", job, "--wait", "--json", "--url", server.url),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as waiting:
        run(server, "devices", "set", "perth", "--least-queue", "0")
        stdout, stderr = waiting.communicate(timeout=60)
    assert sum(json.loads(stdout)["counts"].values()) == 100
    assert stderr == b""  # a bar is for terminals


def test_a_bar_shows_on_a_terminal_what_is_waited_for(server):
    run(server, "devices", "set", "lagos", "--least-queue", "600")
    job = submit(server, device="Lagos")
    main, terminal = pty.openpty()
    environment = clean_environment() | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        command("jobs", "result", job, "--wait", "--url", server.url),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as waiting:
        os.close(terminal)
        shown = ""
        while f"Job {job} is queued" not in shown:
            shown += os.read(main, 1 << 16).decode()  # ends with an error when the command does
        threading.Thread(target=drain, args=[main], daemon=True).start()  # else the command waits for who reads its bar
        run(server, "devices", "set", "lagos", "--least-queue", "0")
        assert b'"11"' in waiting.stdout.read()


def drain(terminal: int) -> None:
    """Read what is written to a terminal until nobody can write to it any more, and close it."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 1 << 16):
            pass
    os.close(terminal)


@pytest.mark.parametrize("name", ["", "a/b", "what?limit=1", "with space", "..", "#", "%00", "ü"])
def test_whatever_is_typed_for_a_job_is_a_sentence_when_there_is_none(server, name):
    told = run(server, "jobs", "show", name, status=1)
    assert re.fullmatch(r"(There is nothing at|There is no job|The request is not as declared: jobId).*\.\n", told)


def test_a_list_that_is_cut_says_how_much_is_left(server):
    for _ in range(2):
        submit(server)
    cut = qumulus("jobs", "list", "--limit", "1", QUMULUS_URL=server.url)
    assert re.fullmatch(r"\d+ more: narrow the list, or raise --limit\.\n", cut.stderr)
    assert len(cut.stdout.splitlines()) == 2


def test_a_name_can_not_move_the_cursor_of_who_lists_it(server):
    submit(server, name="\x1b[2J evil \x07")
    assert "\x1b" not in run(server, "jobs", "list")
    assert r"\x1b[2J evil" in run(server, "jobs", "list")


def test_jobs_are_cancelled(server):
    run(server, "devices", "set", "osaka", "--least-queue", "600")
    jobs = [submit(server, device="Osaka") for _ in range(2)]
    assert run(server, "jobs", "cancel", *jobs) == "".join(f"{job} is cancelled.\n" for job in jobs)
    assert run(server, "jobs", "cancel", jobs[0], status=1) == f"Job {jobs[0]} is cancelled: it cannot be cancelled.\n"
    run(server, "devices", "set", "osaka", "--least-queue", "0")


def test_the_secret_of_a_new_token_is_all_that_is_printed(server):
    secret = run(server, "tokens", "create", "ibm", "--days", "1").strip()
    headers = {"Authorization": f"Bearer {secret}", "IBM-API-Version": "2025-05-01"}
    headers["Service-CRN"] = "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::"
    assert requests.get(f"{server.url}/v1/backends", headers=headers, timeout=30).ok
    (token,) = [token for token in json.loads(run(server, "tokens", "list", "--json")) if not token["built_in"]]
    assert secret not in run(server, "tokens", "list")
    run(server, "tokens", "revoke", token["id"])
    assert requests.get(f"{server.url}/v1/backends", headers=headers, timeout=30).status_code == 401


def test_an_account_gets_an_instance_and_a_token_by_commands(server):
    assert run(server, "accounts", "create", "second", "--email", "second@localhost").startswith("second is an account")
    crn = run(server, "instances", "create", "free", "--account", "second", "--plan", "open", "--tag", "a").strip()
    secret = run(server, "tokens", "create", "ibm", "--account", "second").strip()
    headers = {"Authorization": f"Bearer {secret}", "IBM-API-Version": "2026-04-15", "Service-CRN": crn}
    usage = requests.get(f"{server.url}/v1/instances/usage", headers=headers, timeout=30).json()
    assert (usage["instance_id"], usage["usage_limit_seconds"]) == (crn, 600)
    assert crn in run(server, "instances", "list")
    assert "second@localhost" in run(server, "accounts", "list")
    assert run(server, "instances", "remove", "free") == "free is gone.\n"
    assert crn not in run(server, "instances", "list", "--json")


def test_a_reset_is_not_done_unasked(server):
    job = submit(server, name="stays")
    assert run(server, "reset", status=2) == "A reset forgets all jobs and results: say --yes.\n"
    assert json.loads(run(server, "jobs", "show", job, "--json"))["name"] == "stays"


def test_a_reset_on_a_terminal_asks(server):
    run(server, "reset", "--yes")
    submit(server)
    main, terminal = pty.openpty()
    with subprocess.Popen(
        command("reset", "--url", server.url), env=clean_environment(), stdin=terminal, stdout=subprocess.PIPE
    ) as asking:
        os.write(main, b"n\n")
        told = asking.stdout.read().decode()
    os.close(main)
    os.close(terminal)
    assert asking.returncode == 1
    assert "Forget all jobs and results of the cloud" in told
    assert run(server, "reset", "--yes") == "Forgotten: jobs 1, sessions 0, tokens 0.\n"
    assert json.loads(run(server, "jobs", "list", "--json")) == {"jobs": [], "total": 0}


def test_version_says_which_this_is():
    assert (
        qumulus("version").stdout == qumulus("--version").stdout == qumulus("-V").stdout == f"qumulus {__version__}\n"
    )
    assert json.loads(qumulus("version", "--json").stdout) == {"version": __version__}


def completed(*words: str, **environment: str) -> list[str]:
    """What bash offers for the last of the words."""
    asked = {"_QUMULUS_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("qumulus", *words))}
    command = [Path(sys.executable).with_name("qumulus")]
    environment = clean_environment() | asked | {"COMP_CWORD": str(len(words))} | environment
    return subprocess.check_output(command, env=environment, text=True).split()


def test_a_shell_completes_names_of_devices_without_a_cloud():
    assert completed("devices", "show", "bris") == ["brisbane"]


def test_a_shell_completes_what_the_cloud_has_and_nothing_where_there_is_none(server):
    job = submit(server)
    assert job in completed("jobs", "show", "", QUMULUS_URL=server.url)
    assert job in completed("jobs", "cancel", job[:20], QUMULUS_URL=server.url)
    assert completed("jobs", "list", "--api", "oq", QUMULUS_URL=server.url) == ["oqtopus/task"]
    assert completed("jobs", "show", "", QUMULUS_URL=f"http://127.0.0.1:{free_port()}") == []


def test_a_shell_completes_the_flags_of_the_server():
    assert completed("serve", "--intercept") == ["--intercept-port", "--intercept-hosts"]
    assert completed("serve", "--admin") == []


@pytest.mark.parametrize(
    "arguments", [[], ["devices"], ["jobs"], ["tokens"], ["run"], ["env"], ["jobs", "list"], ["devices", "set"]]
)
def test_every_command_explains_itself(arguments):
    helped = qumulus(*arguments, "--help")
    assert helped.returncode == 0
    assert "Usage: qumulus" in helped.stdout or "Usage: python -m qumulus" in helped.stdout


def test_faults_are_added_listed_and_taken_back(server):
    added = run(
        server, "emulator", "faults", "add", "error", "--operation", "getHello", "--status", "503", "--times", "1"
    )
    fault = added.strip()
    assert requests.get(f"{server.url}/hello", timeout=30).status_code == 503
    listed = run(server, "emulator", "faults", "list")
    assert "operation getHello, times 1, status 503" in " ".join(listed.split())
    shown = json.loads(run(server, "emulator", "faults", "show", fault, "--json"))
    assert (shown["seen"], shown["hits"]) == (1, 1)
    assert run(server, "emulator", "faults", "remove", fault) == f"{fault} is gone.\n"
    run(server, "emulator", "faults", "add", "slow", "--seconds", "0", "--dry-run")
    run(server, "emulator", "faults", "clear")
    assert json.loads(run(server, "emulator", "faults", "list", "--json")) == []
    told = run(server, "emulator", "faults", "add", "slow", "--status", "500", status=1)
    assert told == "A fault of the kind slow takes seconds: leave out status.\n"
