"""`qumulus account save`: the IBM client's own file."""

from __future__ import annotations

import json
import stat

import pytest

from commands.cli import qumulus
from qumulus.apis.ibm.instances import LOCAL_CRN

MINE = {"mine": {"channel": "ibm_quantum_platform", "token": "real", "is_default_account": True}}


@pytest.fixture
def file(tmp_path):
    return tmp_path / ".qiskit" / "qiskit-ibm.json"


def save(tmp_path, *arguments: str):
    return qumulus("account", "save", *arguments, HOME=str(tmp_path))


def test_an_account_is_added_beside_the_persons_own(tmp_path, file):
    file.parent.mkdir()
    file.write_text(json.dumps(MINE))
    ended = save(tmp_path, "--url", "http://127.0.0.1:1234")
    assert ended.returncode == 0, ended.stderr
    assert "IAM_URL=http://127.0.0.1:1234" in ended.stdout
    saved = json.loads(file.read_text())
    assert saved["mine"] == MINE["mine"]
    assert saved["qumulus"]["url"] == "http://127.0.0.1:1234/experimental/api/v1"
    assert (saved["qumulus"]["token"], saved["qumulus"]["instance"]) == ("qumulus-local", LOCAL_CRN)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_with_the_proxy_the_account_speaks_to_the_real_names(tmp_path, file):
    assert save(tmp_path, "--proxy", "http://127.0.0.1:8443").stdout == 'Saved: QiskitRuntimeService(name="qumulus").\n'
    saved = json.loads(file.read_text())["qumulus"]
    assert saved["url"] == "https://cloud.ibm.com"
    assert saved["proxies"] == {"urls": {"https": "http://127.0.0.1:8443"}}
    assert saved["verify"] is False


def test_programs_are_told_what_was_saved(tmp_path, file):
    told = json.loads(save(tmp_path, "--url", "http://127.0.0.1:1234", "--json").stdout)
    assert (told["name"], told["file"]) == ("qumulus", str(file))
    assert told["needs"]["IAM_URL"] == "http://127.0.0.1:1234"


def test_an_account_of_that_name_stays_unless_it_is_to_be_replaced(tmp_path, file):
    save(tmp_path, "--instance", "first")
    refused = save(tmp_path, "--instance", "second")
    assert (refused.returncode, json.loads(file.read_text())["qumulus"]["instance"]) == (1, "first")
    assert "replace it with --overwrite" in refused.stderr
    assert save(tmp_path, "--instance", "second", "--overwrite").returncode == 0
    assert json.loads(file.read_text())["qumulus"]["instance"] == "second"


def test_the_persons_default_account_stays_the_default(tmp_path, file):
    file.parent.mkdir()
    file.write_text(json.dumps(MINE))
    refused = save(tmp_path, "--default")
    assert refused.returncode == 1
    assert "has a default account, mine" in refused.stderr
    assert json.loads(file.read_text()) == MINE


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', "\x00"])
def test_a_file_that_is_none_is_left_alone(tmp_path, file, content):
    file.parent.mkdir()
    file.write_text(content)
    refused = save(tmp_path)
    assert refused.returncode == 1
    assert "is no file of accounts that can be read" in refused.stderr
    assert file.read_text() == content
