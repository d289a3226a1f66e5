"""What `oqtopus-client` calls where OQTOPUS_ENV is "sse_container": it runs one job and gives it back when it has ended.

In OQTOPUS' container this module speaks to the engine. Here it sends the job through the User API, with the token that the
program was given. It is the program's side: nothing of the server is imported.
"""

import io
import json
import os
import secrets
import time
import urllib.error
import urllib.request
import zipfile

FINAL = ("succeeded", "failed", "cancelled")
RESULTS = ("result", "transpile_result", "combined_program")
PAUSE = 0.05  # seconds; the server holds an answer until the job has ended, so that this is seldom waited


class SseRuntimeError(RuntimeError):
    """The job did not succeed; with the reason."""


def submit_job(input_job, upload_info):
    """Run a job to its end.

    Args:
        input_job: `JobsSubmitJobRequest` of oqtopus-client.
        upload_info: `JobsS3SubmitJobInfo`: the programs, and the operator of an estimation.

    Returns:
        The job as the User API shows it, with its results in the place of their addresses.

    Raises:
        SseRuntimeError: it was refused, or it failed.
    """
    content = upload_info.to_dict()
    registered = _call("POST", "/jobs")
    _upload(registered["presigned_url"], content)
    job_id = registered["job_id"]
    _call("POST", f"/jobs/{job_id}/submit", input_job.to_dict())
    while (job := _call("GET", f"/jobs/{job_id}"))["status"] not in FINAL:
        time.sleep(PAUSE)
    if job["status"] != "succeeded":
        raise SseRuntimeError(
            f"To execute sampling on OQTOPUS server is failed. reason: {job['job_info'].get('message')}"
        )
    files = {name: _unpacked(job["job_info"][name]) for name in RESULTS if name in job["job_info"]}
    return {**job, "job_info": {"input": content, **files}}


def _call(method, path, body=None):
    request = urllib.request.Request(  # noqa: S310 - the server's own address
        os.environ["OQTOPUS_BASE_URL"] + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"q-api-token": os.environ["OQTOPUS_API_TOKEN"], "content-type": "application/json"},
        method=method,
    )
    return json.loads(_sent(request))


def _sent(request):
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.read()
    except urllib.error.HTTPError as error:
        raise SseRuntimeError(f"{error.code}: {error.read().decode(errors='replace')}") from None


def _upload(address, content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("input.json", json.dumps(content))
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in address["fields"].items()
    ]
    parts.append(
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="input.zip"\r\n'
        "content-type: application/zip\r\n\r\n".encode()
    )
    _sent(
        urllib.request.Request(  # noqa: S310
            address["url"],
            data=b"".join(parts) + packed.getvalue() + f"\r\n--{boundary}--\r\n".encode(),
            headers={"content-type": f"multipart/form-data; boundary={boundary}"},
            method="POST",
        )
    )


def _unpacked(url):
    with zipfile.ZipFile(io.BytesIO(_sent(urllib.request.Request(url)))) as archive:  # noqa: S310
        return json.loads(archive.read(archive.namelist()[0]))
