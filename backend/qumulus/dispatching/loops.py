"""Loops that outlive errors: what can't be done now can be done later, and a mistake of ours must not end a thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from qumulus.core.errors import Unavailable

RETRY_SECONDS = 1.0


def until_done(step: Callable[[], bool], stopping: threading.Event, log: logging.Logger, what: str) -> bool:
    """Call ``step`` again and again until it returns True; False when ``stopping`` was set before.

    After an error the next call waits for a second. ``what`` begins the line of the log, such as "Jobs can't be claimed".
    """
    while not stopping.is_set():
        try:
            if step():
                return True
        except (Unavailable, OSError) as error:  # a full disk, a database that is away, no file or process more
            log.error("%s, trying again: %s", what, error)
            stopping.wait(RETRY_SECONDS)
        except Exception:  # a mistake of ours must not end the loop: nobody else would take its turn
            log.exception("%s because of an error of ours, trying again.", what)
            stopping.wait(RETRY_SECONDS)
    return False
