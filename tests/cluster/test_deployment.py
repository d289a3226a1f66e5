"""The deployment of `examples/cluster`, from an empty folder and an environment without any setting."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "cluster" / "deployment.py"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@pytest.mark.skipif(
    not NGINX and not os.environ.get("CI"), reason="nginx is not installed: apt-get install nginx-light"
)
def test_every_job_succeeds_though_a_dispatcher_an_api_process_and_a_node_are_killed(tmp_path):
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-4000:]
    assert "one node of the Ray cluster was killed" in ended.stdout
