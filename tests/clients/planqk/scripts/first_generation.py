"""What a user of planqk-service-sdk 1.x does; prints what came back as JSON."""

import json
import os
import time

import httpx
from planqk.service.client import PlanqkServiceClient
from planqk.service.sdk.core.api_error import ApiError
from planqk.service.sdk.errors.not_found_error import NotFoundError
from planqk.service.sdk.types.input_ref import InputRef

URL = os.environ["URL"]


def client(service: str, secret: str = "qumulus-local") -> PlanqkServiceClient:
    return PlanqkServiceClient(f"{URL}/services/{service}", "qumulus", secret, token_endpoint=f"{URL}/token")


told = {}
summing = client("sum")
told["health"] = summing.health_check().status
job = summing.start_execution(data={"values": [1, 2, 3]}, params={"round_up": True})
told["started"] = str(job._job.status)
told["result"] = dict(job.result())
told["status"] = str(job.status)
told["final"] = str(summing.get_status(job.id).status)

# the clients of this generation make no data pools: the platform's pages did
platform = {"X-Auth-Token": "qumulus-local"}
pool = httpx.post(f"{URL}/platform/datapools", json={"name": "Numbers"}, headers=platform).json()
numbers = {"file": ("values.json", b'{"values": [4, 5]}')}
file = httpx.post(f"{URL}/platform/datapools/{pool['id']}/files", files=numbers, headers=platform).json()
reference = InputRef(dataPoolId=pool["id"], dataSourceDescriptorId="any", fileId=file["id"])
told["referred"] = dict(summing.start_execution(data_ref=reference, params={}).result())["sum"]
httpx.delete(f"{URL}/platform/datapools/{pool['id']}", headers=platform)

slow = client("slow")
job = slow.start_execution(data={"seconds": 60})
while "RUNNING" not in str(job.status) or not job.interim_results():
    time.sleep(0.1)
told["interim"] = [dict(each) for each in job.interim_results()]
job.cancel()
while "CANCELLED" not in str(job.status):
    time.sleep(0.1)
told["cancelled"] = str(job.status)

failing = client("failing").start_execution(data={})
told["failed"] = dict(failing.result())

try:
    summing.get_status("00000000-0000-4000-8000-000000000000")
except NotFoundError as error:
    told["unknown"] = error.status_code
try:
    client("sum", "wrong").health_check()
except Exception as error:
    told["wrong"] = type(error).__name__
try:
    PlanqkServiceClient(f"{URL}/services/sum", None, None).health_check()
except ApiError as error:
    told["anonymous"] = error.status_code
print(json.dumps(told, default=str))
