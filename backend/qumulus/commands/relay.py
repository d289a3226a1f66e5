"""Running a command as if it had been called itself: its own input, output, signals and exit status."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
NOT_FOUND = 127
NOT_EXECUTABLE = 126


def relay(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command and return its exit status as a shell would: 128 and the number of the signal that ended it.

    Raises:
        OSError: it can't be started.
    """
    pending: list[int] = []
    process: subprocess.Popen[bytes] | None = None

    def forward(number: int, _frame: FrameType | None) -> None:
        if process is None:
            pending.append(number)
        elif number != signal.SIGINT or not os.isatty(0):  # a terminal sends Ctrl-C to the command by itself
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, *FORWARDED)}
    try:
        process = subprocess.Popen(command, env=dict(environment))  # noqa: S603  it is what the person asked to run
        for number in pending:
            process.send_signal(number)
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - status if status < 0 else status
