"""The files for operators name settings, metrics and commands that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from qumulus.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SOURCES = "".join(path.read_text() for path in (ROOT / "backend" / "qumulus").glob("*/metrics.py"))


def metrics(text: str) -> set[str]:
    """The metrics that a text names, as they are declared: without what Prometheus adds."""
    return {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in re.findall(r"\bqumulus_[a-z_]+", text)}


@pytest.mark.parametrize("name", ["qumulus.service", "Containerfile"])
def test_every_setting_that_a_file_names_is_one(name):
    named = re.findall(r"QUMULUS_([A-Z_]+)", (DEPLOY / name).read_text())
    assert named
    assert {each.lower() for each in named} <= set(Settings.model_fields)


@pytest.mark.parametrize("name", ["alerts.yaml", "dashboard.json"])
def test_every_metric_that_a_file_names_is_shown(name):
    text = (DEPLOY / name).read_text()
    parsed = yaml.safe_load(text) if name.endswith("yaml") else json.loads(text)
    assert parsed
    named = metrics(text)
    assert named
    assert {each for each in named if f'"{each}"' not in SOURCES} == set()


def test_every_alert_says_what_to_do():
    (group,) = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]:
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_the_image_installs_by_the_lock_and_does_not_run_as_root():
    text = (DEPLOY / "Containerfile").read_text()
    assert "--require-hashes -r requirements.txt" in text
    assert text.index("USER qumulus") < text.index("ENTRYPOINT")
    for source in re.findall(r"^COPY ([a-z].*) \./?\S*$", text, re.MULTILINE):
        assert all((ROOT / each).exists() for each in source.split())


def test_the_unit_is_one_that_systemd_reads(tmp_path):
    text = (DEPLOY / "qumulus.service").read_text()
    assert "Delegate=cpu memory pids" in text
    if (verifier := shutil.which("systemd-analyze")) is None:
        return
    unit = tmp_path / "qumulus.service"
    unit.write_text(text.replace("/opt/qumulus/bin/qumulus", "/bin/true").replace("User=qumulus", "User=root"))
    done = subprocess.run([verifier, "verify", unit], capture_output=True, text=True, timeout=60)
    complaints = [line for line in done.stderr.splitlines() if "qumulus.service" in line]
    assert complaints == []
