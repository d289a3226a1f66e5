"""Environments of the real clients."""

from __future__ import annotations

import re
import subprocess

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clients import environments
from clients.environments import CLIENTS, LOCKS, environment


def test_every_client_has_a_lock_with_its_pins_and_hashes():
    assert {lock.stem for lock in LOCKS.iterdir()} == set(CLIENTS)
    for name, client in CLIENTS.items():
        lock = (LOCKS / f"{name}.txt").read_text()
        locked = dict(re.findall(r"^([a-z0-9._-]+)==(\S+) .*\\$", lock, re.MULTILINE))
        for wanted in map(Requirement, client["requires"]):
            assert locked[canonicalize_name(wanted.name)] in wanted.specifier, (name, wanted)
        assert "://" not in lock


def test_an_environment_is_kept_until_its_lock_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    monkeypatch.setattr(environments, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(environments, "CLIENTS", {"small": {"requires": ["idna==3.10"]}})
    environments.write_lock("small")
    python = environment("small")
    (python.parent / "mark").touch()
    assert environment("small") == python
    assert (python.parent / "mark").exists()
    assert subprocess.check_output([python, "-c", "import idna; print(idna.__version__)"], text=True) == "3.10\n"

    (tmp_path / "small.txt").write_text((tmp_path / "small.txt").read_text() + "# changed\n")
    again = environment("small")
    assert again != python
    assert not python.exists()


def test_a_lock_whose_hash_is_wrong_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    monkeypatch.setattr(environments, "KEPT", tmp_path / "kept")
    (tmp_path / "small.txt").write_text(f"idna==3.10 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(RuntimeError, match=r"[Hh]ash"):
        environment("small")
