"""Accounts, and the service instances that they have."""

from __future__ import annotations

from datetime import timedelta

from qumulus.apis.dependencies import Accounts, Clock, Jobs
from qumulus.core import accounts as core
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .naming import Naming
from .schemas import accounts as wire
from .schemas.instances import Instance, Instances, Limit, Name, NewInstance
from .translate import accounts as translate
from .translate import instances as translate_instances

operation = Operations()

PERIOD = timedelta(days=28)  # that limits are for


@operation("listAccounts")
def list_accounts(administrator: Administrator, accounts: Accounts) -> wire.Accounts:
    """All accounts."""
    return wire.Accounts(accounts=[translate.account(account) for account in accounts.accounts()])


@operation("createAccount")
def create_account(body: wire.Account, administrator: Administrator, accounts: Accounts) -> wire.Account:
    """Another account."""
    account = translate.core_account(body)
    accounts.add_account(account)
    return translate.account(account)


@operation("listInstances")
def list_instances(
    administrator: Administrator, accounts: Accounts, naming: Naming, jobs: Jobs, clock: Clock
) -> Instances:
    """All instances, by account."""
    known = [instance for account in accounts.accounts() for instance in accounts.instances(account.id)]
    return Instances(instances=[translate_instances.instance(each, naming, _used(each, jobs, clock)) for each in known])


@operation("createInstance")
def create_instance(body: NewInstance, administrator: Administrator, accounts: Accounts, naming: Naming) -> Instance:
    """Another instance of an account."""
    instance = translate_instances.core_instance(body, naming)
    accounts.add_instance(instance)
    return translate_instances.instance(instance, naming, 0)


@operation("removeInstance")
def remove_instance(instance: Name, administrator: Administrator, accounts: Accounts) -> None:
    """Forget an instance."""
    accounts.remove_instance(instance)


@operation("limitInstance")
def limit_instance(
    instance: Name,
    body: Limit,
    administrator: Administrator,
    accounts: Accounts,
    naming: Naming,
    jobs: Jobs,
    clock: Clock,
) -> Instance:
    """Set what an instance may use at most."""
    granted = accounts.grant(instance, body.limit_seconds)
    return translate_instances.instance(granted, naming, _used(granted, jobs, clock))


def _used(instance: core.Instance, jobs: Jobs, clock: Clock) -> float:
    return jobs.run_seconds(instance.crn, clock.now() - PERIOD)
