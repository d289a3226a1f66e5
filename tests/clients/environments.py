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
        NoPython: this machine has no Python of the version that it needs.
        RuntimeError: the environment could not be made; with what uv said.
    """
    lock = LOCKS / f"{name}.txt"
    interpreter = python_of(CLIENTS.get(name, {}).get("python"))
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = KEPT / f"{name}-{digest}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    with _alone(name):
        if not ready.exists():
            for outdated in KEPT.glob(f"{name}-*/"):
                shutil.rmtree(outdated)
            _uv("venv", "--python", str(interpreter), str(folder))
            _uv("pip", "install", "--python", str(python), "--require-hashes", "-r", str(lock))
            ready.touch()
    return python


class NoPython(Exception):
    """This machine has no Python of that version."""


def python_of(version: str | None) -> Path:
    """The interpreter of a version such as "3.13", on the path or where pyenv keeps its own; this one for None.

    Raises:
        NoPython
    """
    if version is None:
        return Path(sys.executable)
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python{version}"))
    found = [shutil.which(f"python{version}"), *reversed(kept)]
    for python in filter(None, found):
        if subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:  # pyenv's shims may lead nowhere
            return Path(python)
    raise NoPython(f"This machine has no Python {version}: install it to run this.")


def write_lock(name: str) -> None:
    """Resolve what `clients.toml` asks for to exact versions with hashes."""
    client = CLIENTS[name]
    wheels_only = ["--only-binary", ":all:", "--emit-build-options"] if client.get("only-binary", True) else []
    _uv(
        *("pip", "compile", "--quiet", "--universal", "--generate-hashes"),
        *("--python-version", client.get("python", "3.11")),
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
