"""What a client's user gets where something goes wrong. Each case is a fault and something that the user does meanwhile; the outcome
is what the client raises or returns, without what is different each time. Runs with a client's own python and needs nothing else."""

import json
import os
import re
import sys
import urllib.request
import warnings

warnings.filterwarnings("ignore")
URL = os.environ["URL"]
MOST = 170  # characters of an outcome
CHANGING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "…"),
    (r"127\.0\.0\.1:\d+|localhost:\d+", "…"),
    (r"0x[0-9a-f]{6,}", "…"),
    (r"\s+", " "),
    (r"\|", "/"),
    (r"\d+(?= bytes? read)|\d+(?= more expected)|(?<=received )\d+|(?<=expected )\d+|(?<=position )\d+|\d+(?=\))", "…"),
    (r"(?<=received … of )\d+", "…"),
    (r"headers: \{.*?\}, ", ""),
)


def administer(method, path, body=None, url=URL):
    content = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer qumulus-admin", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/emulator{path}", content, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def told(error):
    """An exception as people see it."""
    return steady(f"{type(error).__name__}: {error}")


def steady(text):
    """A text without what is different each time."""
    for pattern, instead in CHANGING:
        text = re.sub(pattern, instead, text)
    return text if len(text) <= MOST else text[:MOST].rsplit(" ", 1)[0] + " …"


def meet(cases, actions):
    """Do what each case says while its fault is in force; print a line of JSON each."""
    for case in cases:
        made = administer("POST", "/faults", case["rule"])
        fault, url = made["id"], made.get("control_url", URL)
        try:
            outcome = steady(str(actions[case["action"]]()))
        except Exception as error:  # whatever it is: it is what the user gets
            outcome = told(error)
        hits = administer("GET", f"/faults/{fault}", url=url)["hits"]
        administer("DELETE", "/faults", url=url)
        print(json.dumps({**case, "outcome": outcome, "hits": hits}), flush=True)


def main(actions):
    meet(json.loads(sys.argv[1]), actions)
