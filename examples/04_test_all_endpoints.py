"""The five operations on backends, one after the other, as the client's own adapters call them."""

import os

import requests

base = os.environ["QISKIT_IBM_URL"].replace("/experimental/api/v1", "/v1")
headers = {
    "Authorization": f"Bearer {os.environ['QISKIT_IBM_TOKEN']}",
    "Service-CRN": "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::",
    "IBM-API-Version": "2025-05-01",
}
device = "ibm_brisbane"
for path in ("", f"/{device}/configuration", f"/{device}/defaults", f"/{device}/properties", f"/{device}/status"):
    answer = requests.get(f"{base}/backends{path}", headers=headers, timeout=10)
    print(f"{answer.status_code} GET /v1/backends{path} ({len(answer.content)} bytes)")
    answer.raise_for_status()
