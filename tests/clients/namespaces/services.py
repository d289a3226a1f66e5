"""A script of a user of a managed service of PLANQK, with the access key of the environment."""

import os

from qhub.service.client import HubServiceClient

url, key = os.environ["URL"], os.environ["KQH_PERSONAL_ACCESS_TOKEN"]
client = HubServiceClient(f"{url}/services/sum", "qumulus", key, token_endpoint=f"{url}/token")
execution = client.run(request={"values": [1, 2, 3]})
execution.wait_for_final_state(timeout=60, wait=0.1)
assert execution.result().sum == 6
print(execution.id)
