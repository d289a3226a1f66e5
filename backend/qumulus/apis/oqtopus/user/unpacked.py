"""`python -m …unpacked`: opens the files of a job's results for `unpacking`, and shows what clients of the earlier generation read.

Standard input: a line of JSON with the size of each file, and the files. Standard output: a line with the sentences on what is
left out, and the JSON object with the rest.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from qumulus.payloads.zip_files import Unreadable, unpack_json

from .schemas.job import JobResult, TranspileResult

MOST_BYTES = 64 << 20
"""How large a document may be that is shown in an answer itself."""

MEMORY_BYTES, CPU_SECONDS = 2 << 30, 20
RESULTS: Mapping[str, TypeAdapter[Any]] = {
    "combined_program": TypeAdapter(str),
    "result": TypeAdapter(JobResult),
    "transpile_result": TypeAdapter(TranspileResult),
    "device_info": TypeAdapter(dict[str, Any]),
}
"""The files that are shown, and what is in each."""


def main() -> None:
    """Answer the one request on the standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    shown, left_out = {}, []
    for name, size in json.loads(sys.stdin.buffer.readline()).items():
        content = sys.stdin.buffer.read(size)
        if name not in RESULTS:
            continue
        try:
            document = unpack_json(content, most_bytes=MOST_BYTES)
            RESULTS[name].validate_python(document)
            shown[name] = json.dumps(document, separators=(",", ":"), allow_nan=False)
        except Unreadable as error:
            left_out.append(f"The file {name}.zip {error}: it is left out.")
        except (ValidationError, ValueError, RecursionError):
            left_out.append(f"The file {name}.zip is not as OQTOPUS declares it: it is left out.")
    members = ",".join(f'"{name}":{text}' for name, text in shown.items())
    sys.stdout.write(f"{' '.join(left_out)}\n{{{members}}}")


if __name__ == "__main__":
    main()
