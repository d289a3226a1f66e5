"""The operations of the user pool, which one header tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.given import given, said
from qumulus.openapi.contract import Operations

from .errors import BadParameter
from .pool import Tokens, UserPool, Verifying
from .schemas.login import (
    Attribute,
    AuthenticationResult,
    AuthFlow,
    ChallengeName,
    PoolRequest,
    PoolResponse,
    Target,
)

operation = Operations()

SECONDS = 3600
KIND = "Bearer"
MFA = ChallengeName.SOFTWARE_TOKEN_MFA


def _pool(request: Request) -> UserPool:
    return request.app.state.pool


Pool = Annotated[UserPool, Depends(_pool)]


@operation("callUserPool")
def call_user_pool(x_amz_target: Target, body: PoolRequest, pool: Pool) -> PoolResponse:
    return CALLS[x_amz_target](body, pool)


def _initiate(body: PoolRequest, pool: UserPool) -> PoolResponse:
    told = given(body.auth_parameters, {})
    flow = given(body.auth_flow)
    if flow is AuthFlow.USER_SRP_AUTH:
        return _verifying(pool.challenge(_needed(told, "USERNAME"), _needed(told, "SRP_A")))
    if flow is AuthFlow.USER_PASSWORD_AUTH:
        user = _needed(told, "USERNAME")
        return _second_factor(user, pool.check_password(user, _needed(told, "PASSWORD")))
    if flow is None:
        raise BadParameter("AuthFlow is required.")
    return _logged_in(pool.renew(_needed(told, "REFRESH_TOKEN")))


def _respond(body: PoolRequest, pool: UserPool) -> PoolResponse:
    told = given(body.challenge_responses, {})
    if given(body.challenge_name) is MFA:
        code = _needed(told, "SOFTWARE_TOKEN_MFA_CODE")
        return _logged_in(pool.confirm(given(body.session, ""), code))
    block, timestamp = _needed(told, "PASSWORD_CLAIM_SECRET_BLOCK"), _needed(told, "TIMESTAMP")
    session = pool.prove(block, timestamp, _needed(told, "PASSWORD_CLAIM_SIGNATURE"))
    return _second_factor(_needed(told, "USERNAME"), session)


def _user(body: PoolRequest, pool: UserPool) -> PoolResponse:
    account = pool.holder(given(body.access_token, ""))
    known = {"sub": account.id, "email": account.email or "", "email_verified": "true", "name": account.name}
    return PoolResponse(
        username=account.id,
        user_attributes=[Attribute(name=name, value=value) for name, value in known.items()],
        preferred_mfa_setting=MFA,
        user_mfa_setting_list=[MFA],
    )


CALLS = {
    Target.AWS_COGNITO_IDENTITY_PROVIDER_SERVICE_INITIATE_AUTH: _initiate,
    Target.AWS_COGNITO_IDENTITY_PROVIDER_SERVICE_RESPOND_TO_AUTH_CHALLENGE: _respond,
    Target.AWS_COGNITO_IDENTITY_PROVIDER_SERVICE_GET_USER: _user,
}


def _needed(told: Mapping[str, str], name: str) -> str:
    if name not in told:
        raise BadParameter(f"{name} is required.")
    return told[name]


def _verifying(begun: Verifying) -> PoolResponse:
    return PoolResponse(
        challenge_name=ChallengeName.PASSWORD_VERIFIER,
        challenge_parameters={
            "USERNAME": begun.user,
            "USER_ID_FOR_SRP": begun.user,
            "SALT": begun.salt,
            "SRP_B": begun.public,
            "SECRET_BLOCK": begun.block,
        },
    )


def _second_factor(user: str, session: str) -> PoolResponse:
    return PoolResponse(challenge_name=MFA, challenge_parameters={"USER_ID_FOR_SRP": user}, session=session)


def _logged_in(tokens: Tokens) -> PoolResponse:
    return PoolResponse(
        authentication_result=AuthenticationResult(
            access_token=tokens.access,
            id_token=tokens.identity,
            refresh_token=said(tokens.refresh),
            expires_in=SECONDS,
            token_type=KIND,
        ),
        challenge_parameters={},
    )
