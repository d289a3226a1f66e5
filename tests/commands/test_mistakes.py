"""What somebody reads whose command line is wrong: one line, and where to read on."""

from __future__ import annotations

import pytest

from commands.cli import qumulus

MISTAKES = {
    "nonsense": "No such command 'nonsense'. See `qumulus --help`.",
    "statsu": "No such command 'statsu'. Did you mean 'status'? See `qumulus --help`.",
    "jobs nonsense": "No such command 'nonsense'. See `qumulus jobs --help`.",
    "jobs list --limt 3": "No such option: --limt (Possible options: --limit). See `qumulus jobs list --help`.",
    "jobs show": "Missing argument 'JOB'. See `qumulus jobs show --help`.",
    "version twice": "Got unexpected extra argument(s) (twice). See `qumulus version --help`.",
    "serve --nonsense": "Unrecognized arguments: --nonsense. See `qumulus serve --help`.",
    "serve --port": "Argument --port: expected one argument. See `qumulus serve --help`.",
    "worker now": "Unrecognized arguments: now. See `qumulus worker --help`.",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_told_in_one_line(words):
    ended = qumulus(*words.split())
    told = ended.stderr.replace("python -m qumulus", "qumulus")
    assert (ended.returncode, ended.stdout, told) == (2, "", MISTAKES[words] + "\n")


@pytest.mark.parametrize("words", ["jobs list --limit many", "status --url nowhere", "serve --port many"])
def test_a_value_that_can_not_be_is_told_in_one_line_with_its_flag(words):
    ended = qumulus(*words.split())
    flag, value = words.split()[-2:]
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert flag in ended.stderr
    assert value in ended.stderr or "integer" in ended.stderr


def test_no_command_at_all_shows_the_commands():
    ended = qumulus()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Usage: ")
    assert "  serve " in ended.stderr
