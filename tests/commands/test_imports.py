"""What a command imports before it does anything: people and shells wait for it each time."""

from __future__ import annotations

import subprocess
import sys

OF_SERVERS = (
    "alembic",
    "cryptography",
    "fastapi",
    "jsonschema",
    "numpy",
    "qiskit",
    "ray",
    "sqlalchemy",
    "starlette",
    "uvicorn",
)


def test_the_command_line_imports_nothing_that_only_servers_need() -> None:
    code = f"import sys, qumulus.commands; print(*(name for name in {OF_SERVERS!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
