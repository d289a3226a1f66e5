"""`qumulus env`: what a person pastes, sourced for real."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from commands.cli import clean_environment, qumulus
from qumulus.clients import FAMILIES, redirected
from qumulus.commands.shells import Shell


@pytest.mark.parametrize("family", FAMILIES)
def test_bash_that_evaluates_it_has_exactly_the_variables(family):
    expected = json.loads(qumulus("env", family, "--url", "http://127.0.0.1:1234", "--json").stdout)
    script = f'eval "$({sys.executable} -m qumulus env {family} --url http://127.0.0.1:1234)"; env -0'
    sourced = subprocess.run(
        ["bash", "-euc", script], env=clean_environment(), capture_output=True, text=True, check=True
    )
    found = dict(line.split("=", 1) for line in sourced.stdout.split("\0") if line)
    assert expected
    assert expected.items() <= found.items()
    assert all(value.startswith("http://127.0.0.1:1234") for name, value in expected.items() if name.endswith("_URL"))


@pytest.mark.parametrize("shell", Shell)
def test_each_shell_sets_the_same_names(shell):
    printed = qumulus("env", "ibm", "--shell", shell.value).stdout
    for name in FAMILIES["ibm"].templates:
        assert printed.count(name) == 1


def test_ibm_s_client_is_told_not_to_look_through_its_calls_for_each_request_unless_somebody_has_said_otherwise():
    there = "http://127.0.0.1:1234"
    assert redirected({}, there, "token")["USAGE_DATA_OPT_OUT"] == "True"
    assert redirected({"USAGE_DATA_OPT_OUT": "False"}, there, "token")["USAGE_DATA_OPT_OUT"] == "False"


def test_the_credential_is_the_one_that_the_server_is_started_with():
    printed = qumulus("env", "oqtopus", "--json", QUMULUS_TOKEN="my;own'$token").stdout
    assert json.loads(printed)["OQTOPUS_API_TOKEN"] == "local.my;own'$token"


def test_the_address_comes_from_the_port_of_the_settings_or_from_the_url():
    of_port = json.loads(qumulus("env", "oqtopus", "--json", QUMULUS_PORT="9001").stdout)
    of_url = json.loads(qumulus("env", "oqtopus", "--json", QUMULUS_URL="https://lab.example:8443/").stdout)
    assert of_port["OQTOPUS_URL"] == "http://127.0.0.1:9001"
    assert of_url["OQTOPUS_URL"] == "https://lab.example:8443"


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_refused(url):
    ended = qumulus("env", "ibm", "--url", url)
    assert ended.returncode == 2
    assert "is no address of a server" in ended.stderr
    assert ended.stdout == ""


def test_an_unknown_family_names_those_there_are():
    ended = qumulus("env", "ionq")
    assert ended.returncode == 2
    assert ended.stderr == "There is no family 'ionq': say one of ibm, oqtopus, planqk.\n"


def test_a_token_that_no_line_can_carry_is_not_printed():
    ended = qumulus("env", "ibm", QUMULUS_TOKEN="two\nlines")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "lines" not in ended.stderr
