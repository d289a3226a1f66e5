"""The manual page `qumulus(1)`, made from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator

from qumulus import __version__
from qumulus.serving.server import flags

from .commands import ELSEWHERE, described
from .markdown import sentence


def page() -> str:
    """Return the page in the language of `man`."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield '.\\" Made from the command line by `make reference`: change that.'
    yield f'.TH QUMULUS 1 "" "qumulus {__version__}" "User commands"'
    yield from (".SH NAME", "qumulus \\- a quantum cloud that runs on your own machine")
    yield from (".SH SYNOPSIS", ".B qumulus", ".I COMMAND", "[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]")
    yield ".SH COMMANDS"
    for each in described():
        yield from (f".SS {_plain(each.usage)}", _plain(each.told.replace("\n\n", " ")))
        if each.name.removeprefix("qumulus ") in ELSEWHERE:
            yield "It takes the settings below as options."
        for option in each.options:
            yield from (".TP", f".B {_plain(option.written)}", _plain(option.told) or "\\&")
    yield ".SH SETTINGS"
    yield "Each is a flag of \\fBqumulus serve\\fR and a variable of the environment, QUMULUS_ and its name."
    for name, field in flags().items():
        yield from (".TP", f".B {_plain('--' + name.replace('_', '-'))}", _plain(sentence(field.description or "")))
    yield from (
        ".SH FILES",
        ".TP",
        ".I .qumulus",
        "The folder with all state, unless \\-\\-home or QUMULUS_HOME names another one.",
    )


def _plain(text: str) -> str:
    told = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{told}" if told.startswith((".", "'")) else told
