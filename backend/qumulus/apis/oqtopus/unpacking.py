"""What a job that came whole shows of files that a worker of ours has not made: they are opened in a process of their own.

The process gets the files on its standard input and nothing else, has little time and memory, and writes what it found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping

from qumulus.payloads.openqasm import SHOWN

from .job_files import LEFT_OUT

COMMAND = (sys.executable, "-m", "qumulus.apis.oqtopus.user.unpacked")
SECONDS = 30
FAILED = "The files of the results can't be read with the time and memory that there are for it: they are left out."
_ONE = threading.Lock()  # together they would take more memory than one may


def unpacked(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files to keep beside the job: what answers show of ``files``, and why something is left out."""
    sizes = {name: len(content) for name, content in files.items()}
    asked = b"\n".join([json.dumps(sizes).encode(), b"".join(files.values())])
    try:
        with _ONE:
            done = subprocess.run(COMMAND, input=asked, capture_output=True, check=True, timeout=SECONDS)  # noqa: S603
    except subprocess.SubprocessError:
        return {SHOWN: b"{}", LEFT_OUT: FAILED.encode()}
    left_out, _, shown = done.stdout.partition(b"\n")
    return {SHOWN: shown} | ({LEFT_OUT: left_out} if left_out else {})
