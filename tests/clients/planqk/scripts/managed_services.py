"""Makes a service by the platform's client, feeds it, and runs service jobs of it."""

import io
import json
import os
import time
import zipfile

from qhub.api.platform.types import ServiceContact, ServiceLink, ServiceSourceFile
from qhub.service.client import HubPlatformClient

PROGRAM = "def run(values):\n    print('adding')\n    return {'sum': sum(values)}\n"
told = {}
client = HubPlatformClient(api_key="qumulus-local", platform_endpoint=f"{os.environ['URL']}/platform")
platform = client._client
services, jobs, executions = platform.managed_services, platform.service_jobs, platform.service_executions

made = services.create_managed_service(name="Made by the client", source=ServiceSourceFile(type="file"))
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr("src/program.py", PROGRAM)
services.upload_managed_service_source(made.id, file=("service.zip", packed.getvalue()))
services.build_managed_service(made.id)
assert services.get_managed_service_build_logs(made.id) == []
build = services.get_managed_service_build_status(made.id)
told["built"] = [build.status, build.created_at <= build.finished_at]
told["source"] = b"src/program.py" in b"".join(services.download_managed_service_source(made.id))

job = jobs.create_service_job(service_id=made.id, input={"values": [1, 2, 39]}, tags=["fern"], store_input=True)
while (ended := jobs.get_service_job(job.id)).status not in ("SUCCEEDED", "FAILED"):
    time.sleep(0.1)
told["job"] = [ended.status, ended.input]
told["result"] = executions.get_service_execution_result(job.id)["sum"]
told["log"] = executions.get_service_execution_logs(job.id).first.message
executions.head_service_execution(job.id)
used = executions.get_service_execution_metrics(job.id)
(cost,) = executions.get_service_execution_costs(job.id)
told["used by it"] = [len(used.cpu_usage), used.memory_usage[0].value > 0, cost.total_amount.amount]
told["beneath it"] = [each.id == job.id for each in executions.get_service_execution_lineage(job.id).nodes]
files = [each["name"] for each in executions.get_service_execution_observability_files(job.id)["files"]]
saved = {each: b"".join(executions.get_service_execution_observability_file(job.id, each)) for each in files}
told["saved"] = [json.loads(saved["metrics.json"])["serviceExecutionId"] == job.id, saved["logs.txt"].decode()[-7:]]
mine = platform.users
mine.update_user_provider_token("IBM_CLOUD", request={"serviceCrn": "crn:v1:mine", "apiKey": "mine"})
token = mine.get_user_provider_token("IBM_CLOUD")
mine.delete_user_provider_token("IBM_CLOUD")
told["token"] = [token.service_crn, mine.get_user_provider_token_availability()["IBM_CLOUD"]]
told["mine"] = [mine.get_my_invitations(), [each.account_type for each in mine.get_my_accounts()]]
found = executions.get_service_executions(tags=["fern"])
told["found"] = [found.total_elements, executions.get_service_execution(job.id).status]
again = jobs.rerun_service_job(job.id)
told["again"] = again.id in [each.id for each in jobs.get_service_jobs(service_id=made.id).content]
executions.cancel_service_execution(again.id)

told["free"] = [
    platform.services.check_service_name_availability(name=each) for each in ("made BY the client", "other")
]
platform.services.update_service_summary(made.id, summary="In short")
services.update_managed_service_runtime_configuration(made.id, runtime="PYTHON_TEMPLATE")
manifest = zipfile.ZipFile(io.BytesIO(b"".join(services.download_managed_service_source(made.id)))).read("planqk.json")
told["manifest"] = [json.loads(manifest)[each] for each in ("summary", "runtime")]
document = {"openapi": "3.0.3", "info": {"title": "Described", "version": "7"}, "paths": {}}
platform.services.update_service_open_api(made.id, file=("openapi.json", json.dumps(document).encode()))
told["described"] = json.loads(platform.services.get_service_open_api(made.id))["info"]["title"]
application = platform.applications.create_application(name="Shop")
subscription = platform.subscriptions.create_subscription(service_id=made.id, application_id=application.id)
told["subscribed"] = [each.id == subscription.id for each in platform.services.get_service_subscriptions(made.id)]
told["under it"] = platform.subscriptions.get_service_executions_by_subscription(subscription.id)
platform.services.update_service_links(
    made.id, request=[ServiceLink(type="OTHER", name="More", url="https://a.example")]
)
platform.services.update_service_contacts(made.id, request=[ServiceContact(type="EMAIL", contact="a@a.example")])
services.update_managed_service_source(made.id, request=ServiceSourceFile(type="file"))
plan = services.add_managed_service_pricing_plan(made.id, type="COMMERCIAL", profit_percentage=20)
platform.services.update_service_publication(made.id, scope="INTERNAL")
offered = platform.services.get_service(made.id)
told["offered"] = [offered.links[0].name, offered.contacts[0].contact, offered.service_definitions[0].lifecycle]
told["price"] = platform.subscriptions.get_subscription(subscription.id).pricing_plan == plan
services.delete_managed_service_pricing_plan(made.id)
numbers = platform.services.get_service_statistics(made.id)
told["used"] = [numbers.subscription_count, numbers.managed_service_executions.total_count]
platform.services.delete_service_publication(made.id, force=True)
told["taken back"] = [
    platform.services.get_service(made.id).service_definitions[0].lifecycle,
    platform.services.get_service_subscriptions(made.id),
]
print(json.dumps(told))
