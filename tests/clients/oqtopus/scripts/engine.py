"""An engine made of the job and device repositories of oqtopus-engine, with the simulator in the place of its device gateway.

`engine.py URL KEY DEVICE GATEWAY…`: GATEWAY is the command that runs programs. Prints a line for each job.
"""

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime

from oqtopus_engine_core.framework import Device, Job
from oqtopus_engine_core.interfaces.oqtopus_cloud.rest import ApiException
from oqtopus_engine_core.repositories import OqtopusCloudDeviceRepository, OqtopusCloudJobRepository

url, key, name, *gateway = sys.argv[1:]
jobs = OqtopusCloudJobRepository(url=url, api_key=key)
devices = OqtopusCloudDeviceRepository(url=url, api_key=key)
simulator = subprocess.Popen(gateway, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
DEFAULT = {"transpiler_lib": "qiskit", "transpiler_options": {"optimization_level": 1}}


async def tell_of_the_device() -> None:
    device = Device(
        device_id=name,
        device_type="QPU",
        status="active",
        n_qubits=5,
        basis_gates=["cx"],
        instructions=[],
        device_info=json.dumps({"device_id": name, "qubits": [{"id": 0}], "couplings": []}),
        calibrated_at=datetime(2026, 11, 25, tzinfo=UTC),
        description="",
    )
    await devices.update_device(device)
    await devices.update_device_info(device)
    await devices.update_device_status(device)


async def upload(job: Job, item: str, content: object) -> None:
    (address,) = await jobs.get_job_upload_url(job, [item])
    await jobs.upload_job_output(job, address, content, arcname_ext=".json")


async def run(job: Job) -> None:
    given = await jobs.download_job_input(job)
    if not job.transpiler_info:
        job.transpiler_info = DEFAULT
        await jobs.update_job_transpiler_info(job)
    simulator.stdin.write(json.dumps([given, job.shots, job.job_type, job.transpiler_info]) + "\n")
    simulator.stdin.flush()
    start = time.perf_counter()
    ended = json.loads(simulator.stdout.readline())
    if "failed" in ended:
        job.status, job.message = "failed", ended["failed"]
        await jobs.update_job_status(job)
        return
    for item in ("combined_program", "transpile_result"):
        if item in ended:
            await upload(job, item, ended[item])
    job.status = "running"
    await jobs.update_job_status(job)
    await upload(job, "result", ended["result"])
    job.status, job.execution_time = "succeeded", time.perf_counter() - start
    await jobs.update_job_status(job)


async def main() -> None:
    await tell_of_the_device()
    while True:
        for job in await jobs.get_jobs(name, limit=10):
            try:
                await run(job)
            except ApiException as error:
                print("refused", job.job_id, error.status, flush=True)
            else:
                print(job.status, job.job_id, flush=True)
        await asyncio.sleep(0.1)


asyncio.run(main())
