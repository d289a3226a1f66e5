"""Variables written for each shell, read back by the shell where it is there."""

from __future__ import annotations

import os
import subprocess

import dotenv
import pytest

from qumulus.commands.shells import Shell, comment, setting
from tools import program

AWKWARD = [
    "plain",
    "",
    "two words",
    "crn:v1:bluemix:public:quantum-computing:us-east:a/0:0::",
    'it\'s $HOME and `id` and $(id) and "quoted" and \\back\\slash\\',
    "‘typographic’ ‚quotes‛",
    "a;b|c&d<e>f#g*h?i[j]{k}!l~m%n^o",
    "ünïcödé 量子",
]


@pytest.mark.parametrize("value", AWKWARD)
@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
def test_a_posix_shell_reads_back_the_value(shell, value):
    script = setting(Shell.BASH, "QUMULUS_PROBE", value) + '\nprintf %s "$QUMULUS_PROBE"'
    read = subprocess.run([program(shell), "-c", f"eval {quoted(script)}"], capture_output=True, text=True, check=True)
    assert read.stdout == value


@pytest.mark.parametrize("value", AWKWARD)
def test_fish_reads_back_the_value(value):
    script = setting(Shell.FISH, "QUMULUS_PROBE", value) + '\nprintf %s "$QUMULUS_PROBE"'
    assert subprocess.run([program("fish"), "-c", script], capture_output=True, text=True, check=True).stdout == value


@pytest.mark.parametrize("value", AWKWARD)
def test_powershell_reads_back_the_value(value):
    script = setting(Shell.POWERSHELL, "QUMULUS_PROBE", value) + "\n[Console]::Out.Write($env:QUMULUS_PROBE)"
    assert subprocess.run([program("pwsh"), "-c", script], capture_output=True, text=True, check=True).stdout == value


def test_fish_quotes_by_its_own_rules():
    assert setting(Shell.FISH, "A", r"it's \ $x") == r"set -gx A 'it\'s \\ $x'"


def test_powershell_doubles_every_kind_of_single_quote():
    assert setting(Shell.POWERSHELL, "A", "it's ‘so’ $x") == "$env:A = 'it''s ‘‘so’’ $x'"


# Readers of .env files disagree on escapes; where one is needed, ours follows the POSIX shell.
@pytest.mark.parametrize("value", [value for value in AWKWARD if "\\" not in value])
def test_a_dotenv_file_gives_python_dotenv_the_value(tmp_path, value):
    file = tmp_path / ".env"
    file.write_text(setting(Shell.DOTENV, "QUMULUS_PROBE", value) + "\n", encoding="utf-8")
    assert dotenv.dotenv_values(file)["QUMULUS_PROBE"] == value


@pytest.mark.parametrize("value", AWKWARD)
def test_a_posix_shell_can_source_a_dotenv_file(tmp_path, value):
    file = tmp_path / ".env"
    file.write_text(setting(Shell.DOTENV, "QUMULUS_PROBE", value) + "\n", encoding="utf-8")
    script = f'set -a; . {file}; printf %s "$QUMULUS_PROBE"'
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    assert (
        subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True).stdout
        == value
    )


def test_github_takes_the_rest_of_the_line_as_it_is():
    assert setting(Shell.GITHUB, "A", 'it\'s $x = "y"') == 'A=it\'s $x = "y"'
    assert comment(Shell.GITHUB, "a note") is None


@pytest.mark.parametrize("value", ["two\nlines", "a\0b", "\x1b[31m", "\r"])
@pytest.mark.parametrize("shell", Shell)
def test_a_value_that_could_end_the_line_is_refused(shell, value):
    with pytest.raises(ValueError, match="SECRET holds a control character"):
        setting(shell, "SECRET", value)


def quoted(script: str) -> str:
    return "'" + script.replace("'", "'\\''") + "'"
