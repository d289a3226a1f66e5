"""Every call of oqtopus-client's services, as its users make them; prints what came back."""

import asyncio
import base64
import datetime as dt
import io
import json
import os
import time
import zipfile
from pathlib import Path

from oqtopus_client import OqtopusClient, OqtopusConfig, OqtopusJobSpec, UserApiError, rest

PROGRAM = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
STATE = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'

SCRIPTS = Path(__file__).parent
client = OqtopusClient(OqtopusConfig.from_env())


def spec(job_type, program, device="Kawasaki", **members):
    return OqtopusJobSpec(device_id=device, job_type=job_type, program=program, shots=1000, **members)


def own_result(ran):
    """The counts of the last job of a program; in version 1.0 they are the result's own."""
    return (ran.get_job_result() if hasattr(ran, "get_job_result") else ran).get_counts()


def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except UserApiError as error:
        return str(error)
    return None


async def of_the_rest_layer_alone():
    """What no service of the client calls."""
    async with rest.ApiClient(rest.Configuration(host=os.environ["OQTOPUS_URL"])) as api:
        api.set_default_header("q-api-token", os.environ["OQTOPUS_API_TOKEN"])
        users, settings = rest.UsersApi(api), rest.SettingsApi(api)
        user = await users.get_current_user()
        assert (await users.update_current_user(rest.UsersUpdateUserRequest())).id == user.id
        return user.name, (await settings.get_current_settings()).allow_deletion


said = {"user": None, "deletion": False, "revoked": False, "days": 90}
devices = client.list_devices()
said["devices"] = [device.device_id for device in devices]
said["qubits"] = len(client.get_device("Kawasaki").device_info["qubits"])

sampled = client.run_sampling(spec("sampling", PROGRAM, name="named", description="described"))
said["sampled"] = sampled.get_counts()
seconds = []
for _ in range(5):
    start = time.perf_counter()
    client.run_sampling(spec("sampling", PROGRAM))
    seconds.append(time.perf_counter() - start)
said["seconds"] = sorted(seconds)[2]
operator = [{"pauli": "X 0 X 1", "coeff": 1.5}, {"pauli": "Z0 Z1", "coeff": 1.0}]
estimated = client.run_estimation(spec("estimation", STATE, operator=operator))
said["estimated"] = [estimated.get_exp_value(), estimated.get_stds()]
many = client.run_multi_manual(spec("multi_manual", [PROGRAM, PROGRAM]))
said["many"] = many.get_counts()
said["divided"] = {index: sum(counts.values()) for index, counts in many.get_divided_counts().items()}
for method in ("pseudo_inverse", "least_square"):
    said[method] = client.run_sampling(
        spec("sampling", PROGRAM, mitigation_info={"ro_error_mitigation": method})
    ).get_counts()
wrong = client.run_sampling(spec("sampling", "OPENQASM 3; qubit q;\nhh q;"))
said["wrong"] = [client.get_job_status(wrong.job_id).status.value, client.get_job(wrong.job_id).message]

ran = client.run_sse_file(file_path=f"{SCRIPTS}/program.py", device_id="Kawasaki", name="a program", timeout=120)
said["sse"] = [client.get_job_status(ran.job_id).status.value, own_result(ran)]
with zipfile.ZipFile(io.BytesIO(base64.b64decode(client.get_sselog(ran.job_id).file))) as archive:
    said["log"] = archive.read("sse_log.log").decode().splitlines()

left = client.submit_job(spec("sampling", PROGRAM, device="Belem"))
said["cancelled"] = [client.cancel_job(left.job_id).message, client.get_job_status(left.job_id).status.value]
if hasattr(rest, "UsersApi"):  # since version 1.1
    said["user"], said["deletion"] = asyncio.run(of_the_rest_layer_alone())

waiting = client.submit_job(spec("sampling", PROGRAM))
said["waited"] = client.wait_for_job(waiting.job_id).status.value
said["listed"] = [
    job.job_id
    for job in client.list_jobs(start_time=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), q="named", size=5, order="DESC")
] == [sampled.job_id]
said["too late to cancel"] = refused(client.cancel_job, sampled.job_id)
said["deleted"] = client.delete_job(sampled.job_id).message
said["gone"] = refused(client.get_job_status, sampled.job_id)
said["no device"] = refused(client.run_sampling, spec("sampling", PROGRAM, device="Nowhere"))
said["announcements"] = [each.id for each in client.get_announcements_list().announcements]
said["announcement"] = client.get_announcement(1).title

token = client.create_api_token()
if hasattr(token, "api_token_id"):  # since version 1.1
    os.environ["OQTOPUS_API_TOKEN"] = f"{token.api_token_id}.{token.api_token_secret}"
    own = OqtopusClient(OqtopusConfig.from_env())
    said["days"] = (own.get_api_token_status().api_token_expiration - dt.datetime.now(dt.UTC)).days
    own.delete_api_token()
    said["revoked"] = refused(own.get_api_token_status) is not None
said["built in"] = refused(client.delete_api_token)
print(json.dumps(said, default=str))
