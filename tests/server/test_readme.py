"""What the README prints first is what a reader gets who does it."""

from __future__ import annotations

import json
import re
import subprocess
import time

from qumulus.openapi.jobs import REPOSITORY
from servers import server

README = (REPOSITORY / "README.md").read_text()


def test_the_first_job_gives_the_counts_that_stand_beside_it(tmp_path) -> None:
    (script,) = re.findall(r"```bash\n(task=.*?)```", README, re.DOTALL)
    counts = json.loads(re.search(r'"counts":({.*?})', script)[1])
    with server(tmp_path / "state") as running:
        deadline = time.monotonic() + 60  # the first line may come before the simulator is ready
        while True:
            words = ["bash", "-euc", script.replace("http://127.0.0.1:8080", running.url)]
            answer = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
            if "counts" in answer or time.monotonic() > deadline:
                break
    assert answer["counts"] == counts
    assert answer["ignored"] == ["n_nodes", "n_per_node", "simulation_opt"]
