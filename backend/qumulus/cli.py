"""The command `qumulus`. `serve` and `worker` have their own doors: they must not pay for the command line's libraries."""

from __future__ import annotations

import sys

INTERRUPTED = 130  # as a shell says it


def main() -> None:
    """Entry point of the command. Ctrl-C ends it without a word, however early it comes."""
    try:
        _run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _run() -> None:
    if sys.argv[1:2] == ["serve"]:
        from .server import main as serve

        serve(sys.argv[2:])
        return
    if sys.argv[1:2] == ["worker"]:
        from .worker import main as work

        work(sys.argv[2:])
        return
    from .commands import main as command

    command()
