"""What the three headers do: who asks, for which instance, and in which version of the API."""

import os

import requests

base = os.environ["QISKIT_IBM_URL"].replace("/experimental/api/v1", "/v1")
headers = {
    "Authorization": f"Bearer {os.environ['QISKIT_IBM_TOKEN']}",
    "Service-CRN": "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::",
    "IBM-API-Version": "2026-04-15",
}


def ask(**changed: str | None) -> requests.Response:
    """The list of devices, with some headers changed or, by None, left out."""
    sent = {**headers, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return requests.get(f"{base}/backends", headers={k: v for k, v in sent.items() if v is not None}, timeout=10)


print("as it should be:", ask().status_code)
print("by names only:", ask(IBM_API_Version="2024-01-01").json()["devices"][:3])
for name in ("Authorization", "Service_CRN", "IBM_API_Version"):
    answer = ask(**{name: None})
    print(f"without {name}: {answer.status_code}, {answer.json()['errors'][0]['message']}")
