"""What somebody reads whose command line is wrong: one line, and where to read on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from commands.cli import clean_environment, command, qumulus
from qumulus import cli

MISTAKES = {
    "nonsense": "No such command 'nonsense'. See `qumulus --help`.",
    "statsu": "No such command 'statsu'. Did you mean 'status'? See `qumulus --help`.",
    "jobs nonsense": "No such command 'nonsense'. See `qumulus jobs --help`.",
    "jobs list --limt 3": "No such option: --limt (Possible options: --limit). See `qumulus jobs list --help`.",
    "jobs show": "Missing argument 'JOB'. See `qumulus jobs show --help`.",
    "version twice": "Got unexpected extra argument(s) (twice). See `qumulus version --help`.",
    "tokens create": "Missing argument 'oqtopus|provider|planqk|ibm|admin'. Choose from: oqtopus, provider, planqk, ibm, admin. "
    "See `qumulus tokens create --help`.",
    "serve --nonsense": "Unrecognized arguments: --nonsense. See `qumulus serve --help`.",
    "serve --port": "Argument --port: expected one argument. See `qumulus serve --help`.",
    "worker now": "Unrecognized arguments: now. See `qumulus worker --help`.",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_told_in_one_line(words):
    ended = qumulus(*words.split())
    told = ended.stderr.replace("python -m qumulus", "qumulus")
    assert (ended.returncode, ended.stdout, told) == (2, "", MISTAKES[words] + "\n")


@pytest.mark.parametrize(
    "words",
    [
        "jobs list --limit many",
        "status --url nowhere",
        "serve --port many",
        "tokens create ibm --days 1e12",
        "devices set lima --least-queue nan",
        "devices set lima --least-run inf",
    ],
)
def test_a_value_that_can_not_be_is_told_in_one_line_with_its_flag(words):
    ended = qumulus(*words.split())
    flag, value = words.split()[-2:]
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert flag in ended.stderr
    assert value in ended.stderr or "integer" in ended.stderr or "Input should be" in ended.stderr


def test_no_command_at_all_shows_the_commands():
    ended = qumulus()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Usage: ")
    assert "  serve " in ended.stderr


@pytest.mark.parametrize("json", ["NaN", '{"values": [Infinity]}'])
def test_numbers_that_json_does_not_know_are_told(json):
    ended = qumulus("services", "run", "sum", "--data", json)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("--data is not JSON: it has no number ")


def test_what_is_no_text_is_told_in_one_line():
    ended = qumulus("accounts", "create", b"\xff".decode(errors="surrogateescape"))
    assert (ended.returncode, ended.stderr) == (2, "What was given is not text in UTF-8.\n")


@pytest.mark.parametrize("words", ["services template", "version --json", "env ibm", "serve --help"])
def test_a_closed_output_is_nothing_to_complain_of(words):
    ended = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", *command(*words.split())],
        env=clean_environment(),
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="It stands for a full disk.")
@pytest.mark.parametrize("words", ["services template", "version --json", "env ibm", "devices --help"])
def test_a_full_disk_is_told_in_one_line(words):
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            command(*words.split()),
            env=clean_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, "The output can't be written: no space left on device.\n")


def test_windows_is_told_where_the_server_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.sys, "platform", "win32")
    with pytest.raises(SystemExit, match=r"needs Linux or macOS: .* run it by WSL") as ended:
        cli.main()
    assert ended.value.code == cli.NOT_HERE  # printed by Python, and the exit status is 1
