"""Scripts for an OQTOPUS cloud, unedited."""

from __future__ import annotations

import pytest

from clients.environments import environment
from clients.untouched.scripts import run_untouched

JOB = """
from oqtopus_client import OqtopusClient, OqtopusConfig, OqtopusJobSpec
client = OqtopusClient({config})
program = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
result = client.run_sampling(OqtopusJobSpec.sampling(device_id="qulacs", program=program, shots=1000))
print(sorted(result.get_counts()))
"""


@pytest.mark.parametrize("way", ["environment", "file", "literal"])
def test_a_script_is_answered_here_wherever_its_configuration_stands(tmp_path, way):
    environment_, flags = {}, []
    if way == "environment":
        config = "OqtopusConfig.from_env()"
        environment_ = {"OQTOPUS_URL": "https://api.oqtopus.example", "OQTOPUS_API_TOKEN": "id.made-up"}
    elif way == "file":
        config = "OqtopusConfig.from_file()"
        file = tmp_path / ".config" / "oqtopus" / "config.ini"
        file.parent.mkdir(parents=True)
        file.write_text("[default]\nurl = https://api.oqtopus.example/user/\napi_token = id.made-up\n")
    else:
        config = "OqtopusConfig(url='https://api.oqtopus.example', api_token='id.made-up')"
        flags = ["--intercept", "api.oqtopus.example"]
    ended = run_untouched(environment("plugin-others"), JOB.format(config=config), tmp_path, *flags, **environment_)
    assert (ended.status, ended.errors) == (0, "")
    assert ended.output == "['00', '11']\n"
    assert ended.addresses == {"127.0.0.1"}
