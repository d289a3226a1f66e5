"""No client at all: a token for the API key, a job, its state and its result over plain HTTP."""

import os
import time

import requests

root = os.environ["IAM_URL"]
key = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": os.environ["QISKIT_IBM_TOKEN"]}
token = requests.post(f"{root}/identity/token", data=key, timeout=10).json()["access_token"]
headers = {
    "Authorization": f"Bearer {token}",
    "Service-CRN": "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::",
    "IBM-API-Version": "2026-04-15",
}
print("versions:", [each["version"] for each in requests.get(f"{root}/v1/versions", timeout=10).json()["versions"]])

circuit = """OPENQASM 3.0;
include "stdgates.inc";
bit[1] c;
sx $0;
c[0] = measure $0;
"""
body = {
    "program_id": "sampler",
    "backend": "ibm_lima",
    "params": {"pubs": [[circuit]], "version": 2},
    "tags": ["direct"],
}
job = requests.post(f"{root}/v1/jobs", json=body, headers=headers, timeout=10).json()
print("job", job["id"], "on", job["backend"])
while (state := requests.get(f"{root}/v1/jobs/{job['id']}", headers=headers, timeout=10).json()["state"])["status"] in (
    "Queued",
    "Running",
):
    time.sleep(0.1)
print("state:", state)
print("result:", requests.get(f"{root}/v1/jobs/{job['id']}/results", headers=headers, timeout=10).text[:200])
