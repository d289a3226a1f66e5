"""The end of a program as Python's own: it waits for what still runs, and calls who asked to be called."""

from __future__ import annotations

import atexit
import threading


def after(status: int) -> int:
    """Return ``status`` when the program's other threads have ended, and its exit handlers were called.

    These two steps are the interpreter's at its end. They have no public name, and this process has to go on until its status is known.
    """
    threading._shutdown()  # ty: ignore[missing-attribute]
    atexit._run_exitfuncs()
    return status
