"""Service instances by their cloud resource names (CRNs)."""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5

from qumulus.core.accounts import DEFAULT_ACCOUNT, Instance
from qumulus.core.errors import InvalidRequest

PLAN, REGION = "internal", "us-east"  # of an instance of which nothing else is said

# The instances that are always there: the default account's own, and the one in the first examples of the IBM server.
_LOCAL = "crn:v1:bluemix:public:quantum-computing:us-east:a/00000000000000000000000000000000:"
LOCAL_CRN = _LOCAL + "00000000-0000-4000-8000-000000000000::"
TEST_CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::"
MAX_CRN = MAX_NAME = 255

CRN = re.compile(r"crn:v1:[^:,\s]*:[^:,\s]*:quantum-computing:(?P<region>[^:,\s]+):[^:,\s]+:(?P<id>[^:,\s]+)::")


class CloudResourceNames:
    """`core.accounts.InstanceNaming` in the words of IBM Cloud."""

    built_in = (
        Instance(crn=LOCAL_CRN, name="local", account=DEFAULT_ACCOUNT, plan=PLAN, region=REGION),
        Instance(crn=TEST_CRN, name="test", account=DEFAULT_ACCOUNT, plan=PLAN, region=REGION),
    )

    def called(self, text: str) -> Instance:
        """The instance of the default account that a CRN, or a name, stands for. A name's CRN is the same on every machine.

        Raises:
            InvalidRequest: the text is neither.
        """
        if (crn := CRN.fullmatch(text)) and len(text) <= MAX_CRN and text.isascii():
            return Instance(crn=text, name=crn["id"], account=DEFAULT_ACCOUNT, plan=PLAN, region=crn["region"])
        if text.startswith("crn:") or not text.isprintable() or not 0 < len(text) <= MAX_NAME:
            raise InvalidRequest(f"{text[:80]!r} is no instance: say a name, or a CRN such as {LOCAL_CRN}")
        return self.new(text, DEFAULT_ACCOUNT)

    def new(self, name: str, account: str, *, plan: str | None = None, region: str | None = None) -> Instance:
        """An instance that has but a name, with its CRN. See `core.accounts.InstanceNaming`."""
        region = region or REGION
        owner = LOCAL_CRN.split(":")[6] if account == DEFAULT_ACCOUNT else f"a/{uuid5(NAMESPACE_URL, account).hex}"
        crn = f"crn:v1:bluemix:public:quantum-computing:{region}:{owner}:{uuid5(NAMESPACE_URL, name)}::"
        return Instance(crn=crn, name=name, account=account, plan=plan or PLAN, region=region)


NAMING = CloudResourceNames()
