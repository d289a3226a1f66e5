"""The examples run as their readme says, with the newest client."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.environments import environment

EXAMPLES = Path(__file__).parents[3] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("[0-9]*.py"))
SAID = {
    "01_basic_connection.py": "instance test, plan internal",
    "02_list_backends.py": "ibm_yorktown            5 qubits",
    "03_backend_details.py": "ibm_brisbane 1.1.79: 127 qubits",
    "04_test_all_endpoints.py": "200 GET /v1/backends/ibm_brisbane/status",
    "05_save_account.py": "68 devices with the saved account",
    "06_custom_headers.py": "without Authorization: 401",
    "07_direct_http.py": "'status': 'Completed'",
    "08_sampler.py": "'00': ",
    "09_estimator.py": "resilience level 2: ⟨ZZ⟩ = ",
    "10_session.py": "Closed",
    "11_executor.py": "⟨ZZ⟩ = ",
}


def test_every_example_is_explained_in_both_languages():
    readme = (EXAMPLES / "README.md").read_text()
    assert list(SAID) == SCRIPTS
    assert all(readme.count(f"`{script}`") == 2 for script in SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_runs(script, live_server, tmp_path):
    command = [sys.executable, "-m", "qumulus", "env", "ibm", "--url", live_server.url]
    exports = subprocess.check_output(command, text=True).splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in exports if line.startswith("export "))
    done = subprocess.run(
        [environment("ibm-0.51.0"), "-W", "ignore", EXAMPLES / script],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONUTF8": "1", **variables},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert SAID[script] in done.stdout, done.stdout
