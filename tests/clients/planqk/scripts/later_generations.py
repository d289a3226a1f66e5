"""What a user of planqk-service-sdk 2.12 or qhub-service 2.0 does; prints what came back as JSON."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

URL, NEWEST = os.environ["URL"], sys.argv[1] == "qhub"
if NEWEST:
    from qhub.api.service.core.api_error import ApiError
    from qhub.service.client import HubPlatformClient
    from qhub.service.client import HubServiceClient as Client
    from qhub.service.datapool import DataPoolGrant
else:
    from planqk.service.client import PlanqkServiceClient as Client
    from planqk.service.sdk.core.api_error import ApiError


def client(service: str, secret: str = "qumulus-local") -> Client:
    return Client(f"{URL}/services/{service}", "qumulus", secret, token_endpoint=f"{URL}/token")


told = {}
summing = client("sum")
started = time.monotonic()
execution = summing.run(request={"data": {"values": [1, 2, 3]}, "params": {"round_up": True}})
told["started"] = execution.status
told["times"] = [execution.created_at, execution.started_at, execution.ended_at]
execution.wait_for_final_state()
seconds = [time.monotonic() - started]
told["status"] = execution.status
result = execution.result()
told["sum"] = result.sum
told["embedded"] = result.embedded.status.status
told["files"] = execution.result_files()
told["stream"] = b"".join(execution.result_file_stream("hello.txt")).decode()
with tempfile.TemporaryDirectory() as folder:
    execution.download_result_file("hello.txt", folder)
    told["downloaded"] = Path(folder, "hello.txt").read_text()
told["logs"] = [[line.message, line.severity] for line in execution.logs()]
told["again"] = summing.get_service_execution(execution.id).status
told["listed"] = execution.id in [each.id for each in summing.get_service_executions()]

for _ in range(2):  # on a crowded machine one of them may take long
    started = time.monotonic()
    summing.run(request={"data": {"values": [1, 2, 3]}, "params": {}}).wait_for_final_state()
    seconds.append(time.monotonic() - started)
told["seconds"] = min(seconds)

slow = client("slow").run(request={"data": {"seconds": 60}})
while slow.status != "RUNNING":
    time.sleep(0.05)
    slow.refresh()
asked = time.monotonic()
slow.cancel()
slow.wait_for_final_state(wait=0.05)
told["cancelled"] = [slow.status, time.monotonic() - asked]
execution.cancel()
execution.refresh()
told["cancel_after_the_end"] = execution.status

failing = client("failing").run(request={"data": {}})
told["failed"] = failing.result().detail

if NEWEST:
    told["metadata"] = result.metadata().status
    told["data"] = result.data()
    secretive = client("secretive").run(request={}, tags=["a", "b"], secrets={"ibmToken": "tell-nobody"})
    told["secret"] = secretive.result().data()
    platform = HubPlatformClient(api_key="qumulus-local", platform_endpoint=f"{URL}/platform")
    pools = platform._client.data_pools
    pool = pools.create_data_pool(name="Numbers", tags=["numbers"])
    file = pools.add_data_pool_file(pool.id, file=("a.csv", b"1.5"))
    pools.add_data_pool_file(pool.id, file=b"2.5", filename="b.csv")
    granting = Client(f"{URL}/services/pooled", "qumulus", "qumulus-local", f"{URL}/token", platform_client=platform)
    grants = [DataPoolGrant(name="numbers", datapool_id=pool.id, application_id="app", permission="VIEW")]
    told["pooled"] = granting.run(request={}, grants=grants).result().data()
    told["pool"] = [each.name for each in pools.get_data_pool_files(pool.id)]
    told["pool file"] = b"".join(pools.get_data_pool_file(pool.id, file.id)).decode()
    pools.delete_data_pool_file(pool.id, file.id)
    told["renamed"] = pools.update_data_pool(pool.id, name="Fewer").name
    told["pools"] = [pools.get_data_pool(pool.id).name, *(each.name for each in pools.get_data_pools())]
    pools.delete_data_pool(pool.id)

    catalog = platform._client
    services = {service.name: service.id for service in catalog.services.get_services()}
    made = catalog.applications.create_application(name="Shop")
    subscribed = catalog.subscriptions.create_subscription(service_id=services["sum"], application_id=made.id)
    (key,) = catalog.applications.get_application_access_keys(made.id)
    own = Client(subscribed.service.gateway_endpoint, key.access_key_id, key.secret_access_key, f"{URL}/token")
    told["by its key"] = own.run(request={"data": {"values": [1, 2]}, "params": {}}).result().data()
    other = Client(f"{URL}/services/failing", key.access_key_id, key.secret_access_key, f"{URL}/token")
    try:
        other.get_service_executions()
    except ApiError as error:
        told["not subscribed"] = error.status_code
    told["subscriptions"] = [
        catalog.subscriptions.get_subscription(each.id).service.name
        for each in catalog.applications.get_application_subscriptions(made.id)
    ]
    catalog.subscriptions.delete_subscription(subscribed.id)
    told["application"] = catalog.applications.get_application(made.id).name
    catalog.applications.delete_application(made.id)
    told["applications"] = catalog.applications.get_applications()
    told["definition"] = catalog.services.get_service(services["sum"]).service_definitions[0].context
    told["document"] = "paths" in str(catalog.services.get_service_open_api(services["sum"]))
    told["accounts"] = [each.display_name for each in catalog.users.get_my_accounts()]
    told["principal"] = catalog.authentication.resolve_auth_token().id

    told["tags"] = summing._api.service_api.get_service_executions() and secretive._service_execution.tags

try:
    summing.get_service_execution("00000000-0000-4000-8000-000000000000")
except ApiError as error:
    told["unknown"] = error.status_code
for name, wrong in {
    "wrong": lambda: client("sum", "wrong"),
    "anonymous": lambda: Client(f"{URL}/services/sum", None, None),
}.items():
    try:
        wrong().get_service_executions()
    except ApiError as error:
        told[name] = error.status_code
    except Exception as error:
        told[name] = type(error).__name__
print(json.dumps(told, default=str))
