"""Scripts for services of PLANQK and Kipu Quantum Hub, unedited."""

from __future__ import annotations

import pytest

from clients.environments import environment
from clients.untouched.scripts import run_untouched

CALL = """
from qhub.service.client import HubServiceClient
client = HubServiceClient({gateway!r} + "/acme/sum/1.0.0", "made-up-key", "made-up-secret"{more})
execution = client.run(request={{"values": [1, 2, 39]}})
execution.wait_for_final_state(timeout=120, wait=0.1)
print(execution.status, execution.result()["sum"], execution.result_files())
"""
GATEWAYS = {
    "https://gateway.hub.kipu-quantum.com": "",
    "https://gateway.platform.planqk.de": ", token_endpoint='https://gateway.platform.planqk.de/token'",
}


@pytest.fixture
def service(tmp_path):
    source = tmp_path / "service" / "src"
    source.mkdir(parents=True)
    (source / "program.py").write_text("def run(values: list):\n    return {'sum': sum(values)}\n")
    return source.parent


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_call_of_a_service_behind_the_gateway_is_answered_here(tmp_path, service, gateway):
    script = CALL.format(gateway=gateway, more=GATEWAYS[gateway])
    ended = run_untouched(environment("plugin-others"), script, tmp_path, "--service", f"sum={service}")
    assert ended.status == 0, ended.errors
    assert ended.output == "SUCCEEDED 42 ['output.json']\n"
    assert ended.addresses == {"127.0.0.1"}


def test_a_folder_that_is_no_service_is_a_sentence(tmp_path):
    ended = run_untouched(environment("plugin-others"), "", tmp_path, "--service", str(tmp_path / "nothing"))
    assert ended.status == 1
    assert ended.errors.count("\n") == 1
    assert "There is no folder" in ended.errors
