"""The command `qumulus`. `serve` and `worker` have their own doors: they must not pay for the command line's libraries."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO)  # what a full disk says of the standard output
INTERRUPTED = 130  # as a shell says it
NOT_HERE = (
    "Qumulus needs Linux or macOS: it forks its workers, and talks to them by Unix sockets. On Windows, run it by WSL: "
    "`wsl --install`, then `pip install qumulus` and `qumulus serve` in there. Clients on Windows reach it at http://localhost:8080."
)


def main() -> None:
    """Entry point of the command. Ctrl-C ends it without a word, however early it comes."""
    if sys.stdout is None:  # closed by whoever called it: nobody wants to read what is printed
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    try:
        _run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        sys.stdout = None  # else Python tries once more at its end, and complains
        sys.exit(f"The output can't be written: {(error.strerror or '').lower()}.")


def _run() -> None:
    if sys.platform == "win32":
        sys.exit(NOT_HERE)
    if sys.argv[1:2] in (["serve"], ["worker"]):
        # Until they have handlers of their own. An exception would not do: libraries that are being imported make others of it.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    if sys.argv[1:2] == ["serve"]:
        from .serving.server import main as serve

        serve(sys.argv[2:])
        return
    if sys.argv[1:2] == ["worker"]:
        from .serving.worker import main as work

        work(sys.argv[2:])
        return
    gc.disable()  # what is imported stays: to look through it, now and at the end, would take a fifth of a short command
    from .commands import main as command

    gc.freeze()
    gc.enable()
    command()
