"""`qumulus run`: the command's own input, output, signals and status, and a cloud around it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands.cli import clean_environment, command, qumulus
from dispatchers import alive
from qumulus.commands.run import hints
from servers import Server, free_port

ASK = """
import requests, sys
headers = {"Authorization": "Bearer made-up-token-of-mine", "Service-CRN": "crn:" + sys.argv[1], "IBM-API-Version": "2025-05-01"}
answer = requests.get("https://quantum.cloud.ibm.com/api/v1/backends", headers=headers, timeout=20)
print(answer.status_code, len(answer.json().get("devices", [])))
sys.exit(answer.status_code != 200)
"""
CRN = "crn:v1:bluemix:public:quantum-computing:eu-de:a/f00dfeedf00dfeedf00dfeedf00dfeed:11111111-2222-3333-4444-555555555555::"
HIDDEN = CRN.removeprefix("crn:")  # as nothing knows it that only looks


def python(tmp_path: Path, code: str, name: str = "script.py") -> list[str]:
    script = tmp_path / name
    script.write_text(code)
    return [sys.executable, str(script)]


@pytest.fixture
def own_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return home


def test_input_output_and_status_are_the_commands_own(own_home):
    script = 'read line; echo "out $line $1"; echo err >&2; exit 7'
    ended = qumulus("run", "--", "sh", "-c", script, "name", "--json", given="hello\n", HOME=str(own_home))
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "out hello --json\n", "err\n")


def test_a_command_ended_by_a_signal_has_the_status_that_a_shell_would_say(own_home):
    assert qumulus("run", "sh", "-c", "kill -9 $$", HOME=str(own_home)).returncode == 137


def test_what_is_no_command_is_a_sentence_and_starts_nothing(own_home, tmp_path):
    missing = qumulus("run", "--", "no-such-command", HOME=str(own_home))
    assert (missing.returncode, missing.stderr) == (127, "There is no command no-such-command.\n")
    (tmp_path / "plain").write_text("text")
    plain = qumulus("run", "--", str(tmp_path / "plain"), HOME=str(own_home))
    assert plain.returncode == 126
    assert "is not executable" in plain.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_the_command_and_everything_is_cleaned_up(tmp_path, own_home, number):
    code = (
        "import os, signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(42))\n"
        "print('ready', os.environ['SSL_CERT_FILE'], flush=True)\n"
        "time.sleep(60)\n"
    )
    running = subprocess.Popen(
        command("run", "--", *python(tmp_path, code)),
        env=clean_environment() | {"HOME": str(own_home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    trusted = Path(running.stdout.readline().split()[1])
    assert trusted.exists()
    running.send_signal(number)
    assert running.wait(60) == 42
    assert not trusted.parent.exists()


def test_the_cloud_does_not_outlive_a_run_that_was_killed(tmp_path, own_home):
    code = "import os, time; print(os.environ['OQTOPUS_URL'], flush=True); time.sleep(60)"
    running = subprocess.Popen(
        command("run", "--", *python(tmp_path, code)),
        env=clean_environment() | {"HOME": str(own_home)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    port = running.stdout.readline().strip().rpartition(":")[2]
    running.kill()
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(60)
    deadline = time.monotonic() + 60
    while listening(int(port)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_crn_that_stands_in_the_script_is_offered_and_any_token_is_let_in(tmp_path, own_home):
    script = python(tmp_path, f"INSTANCE = '{CRN}'\n" + ASK)
    ended = qumulus("run", "--", *script, HIDDEN, HOME=str(own_home))
    assert ended.stderr == ""
    assert ended.stdout.startswith("200 ")
    assert int(ended.stdout.split()[1]) >= 68


def test_a_crn_in_a_notebook_is_offered(tmp_path, own_home):
    notebook = tmp_path / "a notebook.ipynb"
    cell = {"cell_type": "code", "source": [f'service = QiskitRuntimeService(instance="{CRN}")\n']}
    notebook.write_text(json.dumps({"cells": [cell], "nbformat": 4}))
    ended = qumulus("run", "--", *python(tmp_path, ASK), HIDDEN, str(notebook), HOME=str(own_home))
    assert ended.stdout.startswith("200 ")


@pytest.mark.parametrize("words", [["--instance", CRN], [f"--instance={CRN}"]])
def test_a_crn_among_the_words_of_the_command_is_offered(tmp_path, own_home, words):
    ended = qumulus("run", "--", *python(tmp_path, ASK), HIDDEN, *words, HOME=str(own_home))
    assert (ended.stdout[:4], ended.stderr) == ("200 ", "")


REGIONS = """
import requests, sys
found = requests.post("https://api.global-search-tagging.cloud.ibm.com/v3/resources/search", json={"query": "service_name:quantum-computing"},
    headers={"Authorization": "Bearer x"}, timeout=20).json()["items"]
print(sorted({item["crn"].split(":")[5] for item in found}))
"""


@pytest.mark.parametrize(("more", "regions"), [("", "['us-east']"), ("# region='eu-de'", "['eu-de', 'us-east']")])
def test_there_is_an_instance_in_the_region_that_a_script_asks_for(tmp_path, own_home, more, regions):
    ended = qumulus("run", "--", *python(tmp_path, REGIONS + more), HOME=str(own_home))
    assert (ended.stdout, ended.stderr) == (regions + "\n", "")


PLANS = """
from qiskit_ibm_runtime import QiskitRuntimeService
service = QiskitRuntimeService(channel="ibm_quantum_platform", token="made-up", {arguments})
instance = service.backend("ibm_perth")._instance
print(*[(each["plan"], instance.split(":")[5]) for each in service.instances() if each["crn"] == instance])
"""


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ('plans_preference=["open"]', "('open', 'us-east')"),
        ('plans_preference=["Premium", "open"]', "('premium', 'us-east')"),
        ('plans_preference=["flex"], region="eu-de"', "('flex', 'eu-de')"),
    ],
)
def test_the_client_finds_an_instance_of_the_plan_that_a_script_prefers(tmp_path, own_home, arguments, chosen):
    ended = qumulus("run", "--", *python(tmp_path, PLANS.format(arguments=arguments)), HOME=str(own_home))
    assert (ended.stdout, ended.returncode) == (chosen + "\n", 0), ended.stderr


def test_the_client_finds_an_instance_of_the_plan_that_a_saved_account_prefers(tmp_path, own_home):
    (own_home / ".qiskit").mkdir()
    account = {"channel": "ibm_quantum_platform", "token": "real", "plans_preference": ["pay-as-you-go"]}
    (own_home / ".qiskit" / "qiskit-ibm.json").write_text(json.dumps({"default-ibm-quantum-platform": account}))
    script = PLANS.replace('channel="ibm_quantum_platform", token="made-up", {arguments}', "")
    ended = qumulus("run", "--", *python(tmp_path, script), HOME=str(own_home))
    assert (ended.stdout, ended.returncode) == ("('pay-as-you-go', 'us-east')\n", 0), ended.stderr


@pytest.mark.parametrize("source", ["environment", "account", "flag"])
def test_an_instance_is_known_from_wherever_the_client_would_read_it(tmp_path, own_home, source):
    environment, flags = {"HOME": str(own_home)}, []
    if source == "environment":
        environment["QISKIT_IBM_INSTANCE"] = CRN
    elif source == "account":
        (own_home / ".qiskit").mkdir()
        account = {"mine": {"channel": "ibm_quantum_platform", "token": "real", "instance": CRN}}
        (own_home / ".qiskit" / "qiskit-ibm.json").write_text(json.dumps(account))
    else:
        flags = ["--instance", CRN]
    ended = qumulus("run", *flags, "--", *python(tmp_path, ASK), HIDDEN, **environment)
    assert (ended.stdout[:4], ended.stderr) == ("200 ", "")


def test_a_fleet_is_there_and_with_it_the_devices_that_the_script_names(tmp_path, own_home):
    code = ASK + "# ibm_sherbrooke, and not ibm_runtime\n"
    command = ["run", "--instance", CRN, "--fleet", "today", "--", *python(tmp_path, code), HIDDEN]
    ended = qumulus(*command, HOME=str(own_home))
    assert (ended.stdout, ended.stderr) == ("200 9\n", "")


def test_a_folder_of_descriptions_may_be_the_fleet(tmp_path, own_home):
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "ring.yaml").write_text("{name: ring9, topology: ring 9}")
    command = ["run", "--instance", CRN, "--", *python(tmp_path, ASK), HIDDEN]
    ended = qumulus(*command, HOME=str(own_home), QUMULUS_FLEET=str(tmp_path / "fleet"))
    assert (ended.stdout, ended.stderr) == ("200 1\n", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fleet", "ibm_atlantis"], "no device named 'atlantis'"),
        (["--fleet", "today", "--url", "http://x"], "--fleet is for"),
    ],
)
def test_a_fleet_that_cannot_be_had_is_a_sentence(arguments, sentence, own_home):
    ended = qumulus("run", *arguments, "--", "echo", "ran", HOME=str(own_home))
    assert ended.returncode != 0
    assert ended.stdout == ""
    assert sentence in ended.stderr


def test_another_instance_ends_with_the_sentence_that_names_the_flag(tmp_path, own_home):
    ended = qumulus("run", "--instance", "lab", "--", *python(tmp_path, ASK), HIDDEN, HOME=str(own_home))
    assert ended.returncode == 1
    assert ended.stdout.startswith("403 ")
    assert ended.stderr == (
        "qumulus: the instances here were local, test, lab. If the command asked for another one, "
        "name it with --instance CRN-or-name.\n"
    )


@pytest.mark.parametrize("wrong", ["crn:v1:nonsense", "a,b", ""])
def test_an_instance_that_is_none_is_refused_before_anything_starts(own_home, wrong):
    ended = qumulus("run", "--instance", wrong, "--", "echo", "ran", HOME=str(own_home))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "is no instance" in ended.stderr


def test_another_host_is_refused_and_the_flags_are_named(tmp_path, own_home):
    code = "import urllib.request as u; u.urlopen('https://www.example.org/')"
    ended = qumulus("run", "--", *python(tmp_path, code), HOME=str(own_home))
    assert ended.returncode == 1
    assert "Tunnel connection failed: 403" in ended.stderr
    assert "qumulus: the command asked for www.example.org" in ended.stderr
    assert "--pass www.example.org" in ended.stderr


def test_a_refused_host_of_one_of_the_clouds_is_to_be_answered_for_and_not_let_through():
    (sentence,) = hints([{"refused": "auth.quantum-computing.ibm.com"}], [])
    assert sentence.endswith("have it answered here with --intercept auth.quantum-computing.ibm.com.")
    assert "--pass" not in sentence


def test_a_host_of_ones_own_is_answered_for(tmp_path, own_home):
    code = "import urllib.request as u; print(u.urlopen('https://lab.example.org/q/api/v1/versions').status)"
    ended = qumulus("run", "--intercept", "lab.example.org/q", "--", *python(tmp_path, code), HOME=str(own_home))
    assert (ended.stdout, ended.stderr) == ("200\n", "")


def test_the_proxy_of_the_person_does_not_lead_past_ours(tmp_path, own_home):
    code = "import os; print(os.environ['NO_PROXY'], os.environ['https_proxy'], os.environ.get('IAM_URL'))"
    ended = qumulus(
        "run",
        "--",
        *python(tmp_path, code),
        HOME=str(own_home),
        NO_PROXY=".ibm.com,intranet.example,*,iam.cloud.ibm.com,10.0.0.0/8",
        https_proxy="http://proxy.example:3128",
        IAM_URL="https://iam.example",
    )
    direct, proxy, iam = ended.stdout.split()
    assert direct == "127.0.0.1,localhost,::1,intranet.example,10.0.0.0/8"
    assert proxy.startswith("http://127.0.0.1:")
    assert iam == "None"


def test_a_credential_of_the_person_stays_with_the_command_and_is_written_nowhere(tmp_path, own_home):
    secret = "a-real-credential-of-mine-7f3a"
    code = f"""
import os, pathlib, requests
token = os.environ["QISKIT_IBM_TOKEN"]
assert token == {secret!r}
headers = {{"Authorization": "Bearer " + token, "Service-CRN": "{CRN}", "IBM-API-Version": "2025-05-01"}}
assert requests.get("https://quantum.cloud.ibm.com/api/v1/backends", headers=headers).ok
folder = pathlib.Path(os.environ["SSL_CERT_FILE"]).parent
written = [file for file in folder.rglob("*") if file.is_file()]
assert any(file.name == "log" for file in written) and any("sqlite" in file.name or ".db" in file.name for file in written)
print([file.name for file in written if token.encode() in file.read_bytes()])
"""
    kept = tmp_path / "kept.log"
    ended = qumulus(
        "run", "--log", str(kept), "--", *python(tmp_path, code), HOME=str(own_home), QISKIT_IBM_TOKEN=secret
    )
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
    assert "/api/v1/backends" in kept.read_text()
    assert secret not in kept.read_text()


def test_a_log_that_can_not_be_kept_is_a_sentence_before_anything_runs(tmp_path, own_home):
    there = tmp_path / "nowhere" / "log"
    ended = qumulus("run", "--log", str(there), "--", "touch", str(tmp_path / "ran"), HOME=str(own_home))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.strip() == f"The log can't be kept in {there}: No such file or directory."
    assert not (tmp_path / "ran").exists()


SUBMIT = """
import requests
from os import environ
program = "OPENQASM 3; qubit q; bit c; h q; c = measure q;"
body = {"device": "qulacs", "n_shots": 10, "code": program + "//" + "x" * 200_000, "name": "from a command"}
for url in ("https://lab.example.org", environ["OQTOPUS_URL"]):
    print(requests.post(url + "/task", json=body, timeout=60).status_code)
"""


def test_a_cloud_that_runs_already_is_taken_where_that_is_said_and_goes_on(tmp_path, own_home):
    with Server(tmp_path / "state") as server:
        script = python(tmp_path, SUBMIT)
        flags = ("--url", server.url, "--intercept", "lab.example.org")
        ended = qumulus("run", *flags, "--", *script, HOME=str(own_home))
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.split() == ["200", "200"]
        listed = qumulus("jobs", "list", "--search", "from a command", "--json", QUMULUS_URL=server.url).stdout
        assert json.loads(listed)["total"] == 2
        assert server.process.poll() is None


def test_a_cloud_that_was_named_and_is_not_there_is_said_so(tmp_path, own_home):
    code = "import urllib.request as u; u.urlopen('https://quantum.cloud.ibm.com/api/v1/versions')"
    url = f"http://127.0.0.1:{free_port()}"
    ended = qumulus("run", "--url", url, "--", *python(tmp_path, code), HOME=str(own_home))
    assert ended.returncode == 1
    assert "HTTP Error 502" in ended.stderr
    assert f"qumulus: the cloud at {url} can't be reached" in ended.stderr


def test_an_account_with_a_proxy_of_its_own_is_named_when_the_command_fails(own_home):
    (own_home / ".qiskit").mkdir()
    account = {"mine": {"token": "real", "proxies": {"urls": {"https": "http://proxy.example:3128"}}}}
    (own_home / ".qiskit" / "qiskit-ibm.json").write_text(json.dumps(account))
    ended = qumulus("run", "--", "false", HOME=str(own_home))
    assert ended.returncode == 1
    assert ended.stderr == (
        "qumulus: the saved IBM account mine names a proxy of its own, which leads past the cloud here.\n"
    )


def test_an_interrupted_start_leaves_nothing_behind(tmp_path, own_home):
    running = subprocess.Popen(
        command("run", "--", "sleep", "60"),
        env=clean_environment() | {"HOME": str(own_home), "TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("qumulus-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) != 0
    assert list(tmp_path.glob("qumulus-*")) == []


INTERRUPTED_AT_ITS_PROCESS = """
import contextlib, os, signal, subprocess
from qumulus.control.ephemeral import EphemeralCloud

begin = subprocess.Popen

def interrupted(*arguments, **options):
    process = begin(*arguments, **options)
    print(process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGINT)  # nobody else knows of it yet
    return process

subprocess.Popen = interrupted
with contextlib.suppress(KeyboardInterrupt):
    EphemeralCloud().start()
    print("was not interrupted")
"""


def test_a_start_that_is_interrupted_as_its_process_begins_leaves_nothing_behind(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_ITS_PROCESS],
        env=clean_environment() | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not alive(int(ended.stdout))
    assert list(tmp_path.iterdir()) == []


INTERRUPTED_AT_ITS_IMPORTS = """
import sys
class Interrupt:
    def find_spec(self, name, *_):
        if name in ("typer", "uvicorn"):
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from qumulus.cli import main
main()
"""


@pytest.mark.parametrize("word", ["run", "serve", "version"])
def test_ctrl_c_ends_a_command_without_a_traceback_however_early_it_comes(tmp_path, word):
    environment = clean_environment() | {"QUMULUS_HOME": str(tmp_path)}
    words = [sys.executable, "-c", INTERRUPTED_AT_ITS_IMPORTS, word]
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
