"""Starting the server: settings, addresses, and what is refused."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest
import requests

from qumulus.serving.server import SECTIONS, flags
from qumulus.settings import Settings
from servers import Server


def serve(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run("serve", *arguments, **environment)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QUMULUS_")}
    return subprocess.run(
        [sys.executable, "-m", "qumulus", *arguments],
        env=clean | {"QUMULUS_SSE_PREPARE": "off"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_exposed_address_with_default_credentials_is_refused_naming_the_settings(tmp_path):
    ended = serve("--host", "0.0.0.0", "--home", str(tmp_path))
    assert ended.returncode == 2
    for name in ("QUMULUS_TOKEN", "QUMULUS_PROVIDER_KEY", "QUMULUS_ADMIN_TOKEN", "--allow-exposed"):
        assert name in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_exposed_address_that_lets_anybody_in_is_refused(tmp_path):
    own = {"QUMULUS_TOKEN": "a", "QUMULUS_PROVIDER_KEY": "b", "QUMULUS_ADMIN_TOKEN": "c"}
    ended = serve("--host", "0.0.0.0", "--auth", "open", "--home", str(tmp_path), **own)
    assert ended.returncode == 2
    assert "--auth open" in ended.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.1.2.3"])
def test_a_loopback_address_may_use_the_documented_credentials(host):
    assert Settings(host=host).exposure() is None


def test_own_credentials_may_be_exposed(monkeypatch):
    for name in ("TOKEN", "PROVIDER_KEY", "ADMIN_TOKEN"):
        monkeypatch.setenv(f"QUMULUS_{name}", "own")
    assert Settings(host="0.0.0.0").exposure() is None


def test_an_address_in_use_ends_with_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = serve("--port", str(port), "--home", str(tmp_path))
    assert ended.returncode == 1
    assert f"Can't listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_credential_that_leads_to_a_namespace_is_refused(tmp_path):
    ended = serve("--home", str(tmp_path), QUMULUS_TOKEN="my-team~secret-of-mine")
    assert ended.returncode == 2
    told = "must not begin with a name and ~, which lead to a namespace, not what was given."
    assert ended.stderr == f"QUMULUS_TOKEN: {told}\n"


@pytest.mark.parametrize(
    ("host", "why"), [("nowhere.invalid", "there is no such host"), ("192.0.2.1", "cannot assign requested address")]
)
def test_an_address_that_is_not_of_this_machine_ends_with_a_sentence_that_names_its_flag(host, why, tmp_path):
    ended = serve("--host", host, "--port", "0", "--allow-exposed", "--home", str(tmp_path))
    assert (ended.returncode, ended.stderr) == (
        1,
        f"Can't listen on {host}:0: {why}. Choose another one with --host.\n",
    )


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["serve", "--port", "0", "--workers", "2"], ["worker"]])
def test_a_ready_file_that_can_not_be_written_ends_with_a_sentence(command, tmp_path):
    ended = run(*command, "--home", str(tmp_path), "--ready-file", "/nonexistent/ready.json")
    assert ended.returncode == 1
    told = "The file /nonexistent/ready.json can't be written: no such file or directory. Name another one with --ready-file."
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


INTERRUPTED = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "qumulus.serving.server":
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt as interrupt:
                raise RuntimeError("what a library makes of it") from interrupt

sys.meta_path.insert(0, Interrupting())
sys.argv = ["qumulus", sys.argv[1]]
from qumulus.cli import main
main()
"""


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_ctrl_c_while_libraries_are_imported_ends_without_a_word(command):
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, command], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"]])
def test_a_server_whose_words_nobody_can_read_runs_all_the_same(arguments, tmp_path):
    ready = tmp_path / "ready.json"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "serve", *arguments],
            env=os.environ | {"QUMULUS_HOME": str(tmp_path), "QUMULUS_PORT": "0", "QUMULUS_READY_FILE": str(ready)},
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writing)
    with process:
        deadline = time.monotonic() + 60
        while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        url = json.loads(ready.read_text())["url"]
        assert requests.get(url, timeout=20).json()["name"] == "Qumulus"
        process.terminate()
        told = process.communicate(timeout=60)[1]
    assert (process.returncode, "Traceback" in told, "Exception" in told) == (0, False, False)


def test_a_wrong_setting_ends_with_a_sentence():
    ended = serve("--port", "many", QUMULUS_TOKEN="secret-of-mine")
    assert ended.returncode == 2
    assert ended.stderr.startswith("--port (or QUMULUS_PORT): input should be a valid integer")
    assert "Traceback" not in ended.stderr
    assert "secret-of-mine" not in ended.stderr


@pytest.mark.parametrize("name", ["QUMULUS_TOKEN", "QUMULUS_PROVIDER_KEY", "QUMULUS_ADMIN_TOKEN"])
@pytest.mark.parametrize("credential", ["", " ", "grün", "two words"])
def test_a_credential_that_everybody_or_nobody_could_send_is_refused(name, credential, tmp_path):
    ended = serve("--host", "0.0.0.0", "--home", str(tmp_path), **{name: credential})
    assert ended.returncode == 2
    assert ended.stderr == f"{name}: has to be one or more ASCII characters without blanks, not what was given.\n"


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--home", ""), ("--upstream", "somewhere"), ("--job-seconds", "inf"), ("--service-seconds", "inf")],
)
def test_a_value_that_can_only_be_a_mistake_is_refused_before_anything_starts(flag, value, tmp_path):
    ended = serve("--home", str(tmp_path), flag, value)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith(f"{flag} (or QUMULUS_")
    assert not any(tmp_path.iterdir())


def test_no_flag_takes_a_credential():
    helped = serve("--help").stdout
    assert "--admin-token" not in helped
    assert "QUMULUS_ADMIN_TOKEN" in helped


def test_the_help_has_every_flag_below_a_heading():
    top, *sections = re.split(r"\n\n(?=[a-z ,]+:\n)", serve("--help").stdout)
    assert len(top.splitlines()) < 6
    options, *ours = sections
    assert options.startswith("options:\n  -h")
    assert [section.partition(":")[0] for section in ours] == list(SECTIONS.values())
    found = [flag for section in ours for flag in re.findall(r"^  (--[a-z-]+)", section, re.MULTILINE)]
    assert found == [f"--{name.replace('_', '-')}" for name in flags()]


def test_neither_the_command_line_nor_what_many_machines_need_is_imported_to_serve():
    code = (
        "import sys; import qumulus.cli, qumulus.serving.server, qumulus.serving.app, qumulus.serving.banner; qumulus.serving.app.create_app();"
        "print([name for name in ('qiskit', 'typer', 'rich', 'numpy', 'ray', 'boto3') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == "[]"


def test_a_server_says_where_it_is_and_stops_when_told(tmp_path):
    with Server(tmp_path / "state") as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.stop() == 0


def test_a_server_whose_parent_is_gone_before_it_listens_ends(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    ended = serve("--home", str(tmp_path / "state"), "--port", "0", QUMULUS_PARENT=str(gone.pid))
    assert ended.returncode == 0, ended.stderr


def test_a_server_that_is_asked_to_intercept_writes_where_everything_is(tmp_path):
    ready = tmp_path / "ready.json"
    arguments = ("--intercept-port", "0", "--ready-file", str(ready))
    with Server(tmp_path / "state", arguments=arguments) as server:
        where = json.loads(ready.read_text())
        assert where["url"] == server.url
        assert where["certificate"] == str(tmp_path / "state" / "ca" / "ca.pem")
        answer = requests.get(
            "https://quantum.cloud.ibm.com/nothing/here",
            proxies={"https": where["proxy"]},
            verify=where["certificate"],
            timeout=20,
        )
        assert answer.status_code == 404
        assert "There is nothing at /nothing/here" in answer.text
        assert server.stop() == 0


def test_a_server_names_the_clients_that_its_paths_are_for(tmp_path):
    with Server(tmp_path / "user") as server:
        assert f"OQTOPUS_URL={server.url}\n" in server.output()
    with Server(tmp_path / "provider", arguments=("--front", "provider")) as server:
        assert "OQTOPUS_URL" not in server.output()
        assert f"OQTOPUS Provider API: {server.url}/jobs" in server.output()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--intercept-port", "0", "--intercept-hosts", "localhost"), "'localhost' is no host to answer for"),
        (("--intercept-port", "99999"), "--intercept-port (or QUMULUS_INTERCEPT_PORT): "),
    ],
)
def test_a_proxy_that_can_not_be_had_ends_with_a_sentence(tmp_path, arguments, sentence):
    ended = serve("--home", str(tmp_path), "--port", "0", *arguments)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
