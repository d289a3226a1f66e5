"""Environments for the real clients: made with uv from a lock with pinned versions and hashes, and kept.

`environment("ibm-0.51.0")` is the python of that client's environment. It is made at the first call, under `.client-envs/`, and
again when its lock changes. `python tests/clients/environments.py NAME …` writes locks from `clients.toml` (all without a NAME).
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
LOCKS = HERE / "locks"
KEPT = HERE.parents[1] / ".client-envs"
CLIENTS = tomllib.loads((HERE / "clients.toml").read_text())


def environment(name: str) -> Path:
    """The python of a client's environment.

    Raises:
        FileNotFoundError: the client has no lock.
        RuntimeError: the environment could not be made; with what uv said.
    """
    lock = LOCKS / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = KEPT / f"{name}-{digest}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    with _alone(name):
        if not ready.exists():
            for outdated in KEPT.glob(f"{name}-*/"):
                shutil.rmtree(outdated)
            _uv("venv", "--python", sys.executable, str(folder))
            _uv("pip", "install", "--python", str(python), "--require-hashes", "-r", str(lock))
            ready.touch()
    return python


def write_lock(name: str) -> None:
    """Resolve what `clients.toml` asks for to exact versions with hashes."""
    client = CLIENTS[name]
    wheels_only = ["--only-binary", ":all:", "--emit-build-options"] if client.get("only-binary", True) else []
    _uv(
        *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-annotate", "--no-header", *wheels_only, "--output-file", str(LOCKS / f"{name}.txt"), "-"),
        given="\n".join(client["requires"]),
    )


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Two test processes that want the same environment make it once."""
    KEPT.mkdir(exist_ok=True)
    with (KEPT / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _uv(*arguments: str, given: str = "") -> None:
    done = subprocess.run([sys.executable, "-m", "uv", *arguments], input=given, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"uv {' '.join(arguments[:2])} failed:\n{done.stderr}")


if __name__ == "__main__":
    LOCKS.mkdir(exist_ok=True)
    for client in sys.argv[1:] or CLIENTS:
        write_lock(client)
