"""The cases of qhub-service, and of planqk-service-sdk, which it is the next generation of."""

import os

from meeting import main

try:
    from qhub.service.client import HubServiceClient as Client
except ModuleNotFoundError:
    from planqk.service.client import PlanqkServiceClient as Client

URL = os.environ["URL"]


def run():
    client = Client(f"{URL}/services/sum", "qumulus", "qumulus-local", token_endpoint=f"{URL}/token")
    execution = client.run(request={"data": {"values": [1, 2, 3]}})
    execution.wait_for_final_state(timeout=20, wait=0.05)
    result = execution.result()
    return f"the status {execution.status}, " + (
        f"detail {result.detail!r}" if hasattr(result, "detail") else f"sum {result.sum}"
    )


def waiting():
    client = Client(f"{URL}/services/sum", "qumulus", "qumulus-local", token_endpoint=f"{URL}/token")
    execution = client.run(request={"data": {"values": [1, 2, 3]}})
    try:
        execution.wait_for_final_state(timeout=1, wait=0.1)
    finally:
        execution.cancel()


main({"run an execution": run, "wait 1 s for an execution": waiting})
