"""What names a namespace in a credential, and what only looks so."""

from __future__ import annotations

import base64
import json

import pytest

from qumulus.http.credentials import Credentials


@pytest.mark.parametrize(("key", "namespace"), [("tests-1~", "tests-1"), ("20240312", None), ("", None), ("~", None)])
def test_a_bearer_token_of_a_real_cloud_names_its_key_and_no_namespace(key, namespace):
    header = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": key}).encode()).rstrip(b"=")
    sent = b"Bearer " + header + b".claims.signature"
    assert Credentials(["authorization"], []).namespace(b"authorization", sent) == namespace
