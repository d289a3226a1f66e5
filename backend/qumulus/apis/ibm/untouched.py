"""What a command that knows nothing of this cloud will ask of IBM's, as far as it can be seen beforehand, and why it failed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from qumulus.apis.family import Wanted

from .instances import NAMING, REGION
from .plans import PLANS

READ_AT_MOST = 16 << 20  # bytes of a script or notebook

CRN = re.compile(r"crn:v1:[\w.:/-]+::", re.ASCII)
QUOTED_PLAN = re.compile(rf"""["']({"|".join(PLANS)})\\?["']""", re.IGNORECASE)  # in a notebook quotes are escaped
DEVICE = re.compile(r"(?<![A-Za-z0-9_.])ibmq?_[a-z]+(?![A-Za-z0-9_])", re.ASCII)
EU_DE = "eu-de"
EUROPE = "crn:v1:bluemix:public:quantum-computing:eu-de:a/00000000000000000000000000000000:00000000-0000-4000-8000-0000000000e5::"

ACCOUNTS = Path(".qiskit/qiskit-ibm.json")


def wanted(command: Sequence[str], environment: Mapping[str, str], home: Path) -> Wanted:
    """Instances, plans and saved accounts."""
    accounts = saved_accounts(home)
    return Wanted(
        instances=tuple(instances(command, environment, home)),
        plans=tuple(plans(command, home)),
        devices=tuple(devices(command)),
        account_saved=bool(accounts),
        warnings=tuple(
            f"the saved IBM account {name} names a proxy of its own, which leads past the cloud here."
            for name, account in accounts.items()
            if account.get("proxies")
        ),
    )


def devices(command: Sequence[str]) -> list[str]:
    """What looks like the name of a device in the command and in scripts that it names."""
    texts = (*command, *_scripts(command))
    return list(dict.fromkeys(name for text in texts for name in DEVICE.findall(text)))


def hints(events: Sequence[Mapping[str, object]], more: Iterable[str]) -> list[str]:
    """Why the command may have failed, as far as the log tells; ``more`` are the instances besides the built-in ones."""
    runtime = [event for event in events if str(event.get("path", "")).startswith("/api/v1/") and "status" in event]
    searched = any(event.get("path") == "/v3/resources/search" for event in events)
    if not (searched and not runtime) and not any(event["status"] == 403 for event in runtime):
        return []
    offered = ", ".join(dict.fromkeys([*(instance.name for instance in NAMING.built_in), *more]))
    return [
        f"the instances here were {offered}. If the command asked for another one, name it with --instance CRN-or-name."
    ]


def instances(command: Sequence[str], environment: Mapping[str, str], home: Path) -> list[str]:
    """IBM instances: those of the environment, of the saved accounts, and CRNs in the command and in scripts that it names.

    Where a script or an account asks for IBM's other region, there is an instance in that one too.
    """
    named = environment.get("QISKIT_IBM_INSTANCE", "")
    found = [named] if named else []
    texts = [*command, *_scripts(command)]
    found += [*_saved(home), *(crn for text in texts for crn in CRN.findall(text))]
    if EU_DE in _regions(texts, home):
        found.append(EUROPE)
    return list(dict.fromkeys(found))


def plans(command: Sequence[str], home: Path) -> list[tuple[str, str]]:
    """Plan and region of the IBM instances that the client is to look for by their plan.

    The plans are those that saved accounts prefer, and that the command and its scripts quote where they speak of a preference.
    """
    texts = [*command, *_scripts(command)]
    named = [plan for text in texts if "plans_preference" in text for plan in QUOTED_PLAN.findall(text)]
    for account in saved_accounts(home).values():
        preferred = account.get("plans_preference")
        named += preferred if isinstance(preferred, list) else []
    known = dict.fromkeys(plan for name in named if (plan := str(name).lower()) in PLANS)
    return [(plan, region) for plan in known for region in _regions(texts, home)]


def _regions(texts: Iterable[str], home: Path) -> list[str]:
    """Return the usual region, and IBM's other one where a text or a saved account asks for it."""
    saved = [str(account.get("region")) for account in saved_accounts(home).values()]
    asked = any(re.search(rf"(?<![\w:-]){EU_DE}(?![\w:-])", text) for text in (*texts, *saved))  # and not in a CRN
    return [REGION, EU_DE] if asked else [REGION]


def saved_accounts(home: Path) -> dict[str, dict[str, object]]:
    """Return the IBM client's accounts by name; none where the file could not be read by the client either."""
    try:
        saved = json.loads((home / ACCOUNTS).read_bytes())
    except (OSError, ValueError):
        return {}
    named = saved.items() if isinstance(saved, dict) else ()
    return {name: account for name, account in named if isinstance(account, dict)}


def _saved(home: Path) -> Iterator[str]:
    for account in saved_accounts(home).values():
        instance = account.get("instance")
        if isinstance(instance, str) and instance:
            yield instance


def _scripts(command: Iterable[str]) -> Iterator[str]:
    for word in command:
        file = Path(word)
        if file.suffix in (".py", ".ipynb") and file.is_file():
            with file.open("rb") as opened:
                yield opened.read(READ_AT_MOST).decode("utf-8", "replace")
