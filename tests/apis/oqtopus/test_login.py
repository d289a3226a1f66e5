"""The login of the web frontend: the client's half of Cognito's protocol, and what its tokens are good for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import jwt
import pytest

from qumulus.apis.oqtopus.login import second_factor, srp
from servers import Server

TARGET = "AWSCognitoIdentityProviderService."
ORIGIN = "http://localhost:5173"
USER, PASSWORD = "user@localhost", "qumulus-local"
TOTP = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the secret of the vectors of RFC 6238
TYPE = {"content-type": "application/x-amz-json-1.1"}
ADMIN = {"authorization": "Bearer qumulus-admin"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    settings = {"QUMULUS_LOGIN_TOTP": TOTP, "QUMULUS_ALLOWED_ORIGINS": ORIGIN}
    home = tmp_path_factory.mktemp("login") / "state"
    with Server(home, environment=settings) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
        yield client


def call(client: httpx2.Client, name: str, **body: Any) -> httpx2.Response:
    return client.post("/cognito", json=body, headers=TYPE | {"x-amz-target": TARGET + name})


def answered(client: httpx2.Client, name: str, **body: Any) -> dict[str, Any]:
    answer = call(client, name, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def proof(told: dict[str, str], a: int, password: str, now: str) -> str:
    """What a client makes of a challenge: its own computation of the key, from the password."""
    padded = srp.padded
    public, server = pow(2, a, srp.N), int(told["SRP_B"], 16)
    u = int.from_bytes(hashlib.sha256(padded(public) + padded(server)).digest(), "big")
    inner = hashlib.sha256(f"qumulus{told['USER_ID_FOR_SRP']}:{password}".encode()).digest()
    x = int.from_bytes(hashlib.sha256(padded(int(told["SALT"], 16)) + inner).digest(), "big")
    k = int.from_bytes(hashlib.sha256(padded(srp.N) + padded(2)).digest(), "big")
    shared = pow(server - k * pow(2, x, srp.N), a + u * x, srp.N)
    first = hmac.digest(padded(u), padded(shared), "sha256")
    key = hmac.digest(first, b"Caldera Derived Key\x01", "sha256")[:16]
    block = base64.b64decode(told["SECRET_BLOCK"])
    signed = b"qumulus" + told["USER_ID_FOR_SRP"].encode() + block + now.encode()
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def proved(client: httpx2.Client, user: str, password: str) -> httpx2.Response:
    a = 0x1234567890ABCDEF << 200
    begun = answered(
        client,
        "InitiateAuth",
        AuthFlow="USER_SRP_AUTH",
        ClientId="any",
        AuthParameters={"USERNAME": user, "SRP_A": f"{pow(2, a, srp.N):x}"},
    )
    told = begun["ChallengeParameters"]
    now = "Mon Nov 30 10:00:00 UTC 2026"
    responses = {
        "USERNAME": user,
        "PASSWORD_CLAIM_SECRET_BLOCK": told["SECRET_BLOCK"],
        "TIMESTAMP": now,
        "PASSWORD_CLAIM_SIGNATURE": proof(told, a, password, now),
    }
    return call(client, "RespondToAuthChallenge", ChallengeName=begun["ChallengeName"], ChallengeResponses=responses)


def code() -> str:
    return second_factor.code(second_factor.decoded(TOTP), int(time.time()) // 30)


def confirmed(client: httpx2.Client, session: str, digits: str) -> httpx2.Response:
    responses = {"USERNAME": USER, "SOFTWARE_TOKEN_MFA_CODE": digits}
    return call(
        client,
        "RespondToAuthChallenge",
        ChallengeName="SOFTWARE_TOKEN_MFA",
        Session=session,
        ChallengeResponses=responses,
    )


@pytest.fixture(scope="module")
def tokens(client: httpx2.Client) -> dict[str, str]:
    challenge = proved(client, USER, PASSWORD)
    assert challenge.status_code == 200, challenge.text
    assert challenge.json()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    done = confirmed(client, challenge.json()["Session"], code())
    assert done.status_code == 200, done.text
    return done.json()["AuthenticationResult"]


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_who_proves_the_password_and_a_code_may_use_the_user_api(client: httpx2.Client, tokens: dict[str, str]):
    me = client.get("/users/me", headers=bearer(tokens["IdToken"]))
    assert me.status_code == 200, me.text
    assert me.json()["email"] == USER
    job = {
        "device_id": "qulacs",
        "job_type": "sampling",
        "shots": 10,
        "job_info": {"program": ["OPENQASM 3; qubit[1] q; bit[1] c; x q[0]; c = measure q;"]},
    }
    sent = client.post("/jobs", json=job, headers=bearer(tokens["IdToken"]))
    listed = client.get("/jobs", headers={"q-api-token": "local.qumulus-local"}, params={"order": "DESC"}).json()
    assert listed[0]["job_id"] == sent.json()["job_id"]
    claims = jwt.decode(tokens["IdToken"], options={"verify_signature": False})
    assert (claims["token_use"], claims["cognito:username"], claims["exp"] - claims["iat"]) == ("id", "local", 3600)


def test_the_user_is_told_of_with_the_second_factor(client: httpx2.Client, tokens: dict[str, str]):
    user = answered(client, "GetUser", AccessToken=tokens["AccessToken"])
    assert (user["Username"], user["PreferredMfaSetting"]) == ("local", "SOFTWARE_TOKEN_MFA")
    assert {"Name": "email", "Value": USER} in user["UserAttributes"]
    assert call(client, "GetUser", AccessToken=tokens["IdToken"]).status_code == 400


def test_an_access_token_says_that_its_user_may_be_asked_for(client: httpx2.Client, tokens: dict[str, str]):
    claims = jwt.decode(tokens["AccessToken"], options={"verify_signature": False})
    assert claims["scope"] == "aws.cognito.signin.user.admin"  # else the frontend logs out when a page is loaded anew


def test_devices_tell_the_frontend_of_their_qubits_in_the_answer(client: httpx2.Client, tokens: dict[str, str]):
    device = client.get("/devices/Lima", headers=bearer(tokens["IdToken"])).json()
    assert len(json.loads(device["device_info"])["qubits"]) == 5
    api_token = {"q-api-token": "local.qumulus-local"}
    for headers in (api_token, bearer("local.qumulus-local"), bearer(tokens["IdToken"]) | api_token):
        assert client.get("/devices/Lima", headers=headers).json()["device_info"].startswith("http")


def test_tokens_are_renewed(client: httpx2.Client, tokens: dict[str, str]):
    renewed = answered(
        client,
        "InitiateAuth",
        AuthFlow="REFRESH_TOKEN_AUTH",
        ClientId="any",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"], "DEVICE_KEY": ""},
    )["AuthenticationResult"]
    assert "RefreshToken" not in renewed
    assert client.get("/users/me", headers=bearer(renewed["IdToken"])).status_code == 200


@pytest.mark.parametrize("which", ["RefreshToken", "AccessToken"])
def test_a_token_is_good_for_its_own_use_alone(client: httpx2.Client, tokens: dict[str, str], which: str):
    assert client.get("/users/me", headers=bearer(tokens[which])).status_code == 401


def test_a_token_that_somebody_else_signed_is_refused(client: httpx2.Client, tokens: dict[str, str]):
    claims = jwt.decode(tokens["IdToken"], options={"verify_signature": False})
    forged = jwt.encode(claims, "a key of somebody else's, long enough", "HS256")
    assert client.get("/users/me", headers=bearer(forged)).status_code == 401


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody@localhost", PASSWORD)])
def test_a_wrong_password_and_an_unknown_user_are_refused_alike(client: httpx2.Client, user: str, password: str):
    plain = {"USERNAME": user, "PASSWORD": password}
    sent = call(client, "InitiateAuth", AuthFlow="USER_PASSWORD_AUTH", ClientId="any", AuthParameters=plain)
    for answer in (proved(client, user, password), sent):
        assert answer.status_code == 400
        expected = {"__type": "NotAuthorizedException", "message": "Incorrect username or password."}
        assert answer.json() == expected


def test_a_wrong_code_and_a_session_of_somebody_elses_are_refused(client: httpx2.Client):
    session = proved(client, "local", PASSWORD).json()["Session"]
    right = code()
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert confirmed(client, session, wrong).json()["__type"] == "CodeMismatchException"
    assert confirmed(client, session, right + " ").json()["__type"] == "CodeMismatchException"
    assert confirmed(client, session[:-1] + "0" * (session[-1] != "0"), right).status_code == 400
    assert confirmed(client, "", right).json()["__type"] == "NotAuthorizedException"
    assert confirmed(client, session, right).status_code == 200


@pytest.mark.parametrize("public", ["0", f"{srp.N:x}", f"{2 * srp.N:x}", "no number"])
def test_a_number_that_would_prove_any_password_is_refused(client: httpx2.Client, public: str):
    told = {"USERNAME": USER, "SRP_A": public}
    answer = call(client, "InitiateAuth", AuthFlow="USER_SRP_AUTH", ClientId="any", AuthParameters=told)
    assert (answer.status_code, answer.json()["__type"]) == (400, "InvalidParameterException")


def test_a_page_of_an_allowed_origin_may_log_in(client: httpx2.Client):
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "cache-control,content-type,x-amz-target,x-amz-user-agent",
    }
    answer = client.options("/cognito", headers=asked)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "x-amz-target" in answer.headers["access-control-allow-headers"]
    plain = client.post(
        "/cognito",
        content=b"{}",
        headers={"content-type": "text/plain", "origin": ORIGIN, "x-amz-target": TARGET + "GetUser"},
    )
    assert plain.status_code == 415  # what a browser sends without asking first


def test_after_a_login_the_token_of_the_api_is_made_told_of_and_deleted(client: httpx2.Client, tokens: dict[str, str]):
    headers = bearer(tokens["IdToken"])
    assert client.get("/api-token/status", headers=headers).status_code == 404
    made = client.post("/api-token", headers=headers).json()
    own = {"q-api-token": f"{made['api_token_id']}.{made['api_token_secret']}"}
    assert client.get("/users/me", headers=own).status_code == 200
    status = client.get("/api-token/status", headers=headers).json()
    assert status["api_token_expiration"] == made["api_token_expiration"]
    assert client.delete("/api-token", headers=headers).status_code == 200
    assert client.get("/users/me", headers=own).status_code == 401


@pytest.mark.parametrize(("second", "expected"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_the_standard(second: int, expected: str):
    now = datetime.fromtimestamp(second, UTC)
    assert second_factor.accepted(expected, TOTP, now)
    assert not second_factor.accepted(expected, TOTP, datetime.fromtimestamp(second + 90, UTC))


def test_any_six_digits_are_a_code_where_no_secret_is_set():
    now = datetime.now(UTC)
    assert second_factor.accepted("000000", None, now)
    for said in ("00000", "0000000", "abcdef", "٣٣٣٣٣٣"):
        assert not second_factor.accepted(said, None, now)
