"""Scenarios: the clock, the devices, the instances and the faults of a cloud, said at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import Depends
from pydantic import ValidationError

from qumulus.apis.dependencies import Cloud as CloudParameter
from qumulus.apis.given import given
from qumulus.core.accounts import InstanceNaming
from qumulus.core.cloud import Cloud
from qumulus.core.faults import FaultKind, FaultRule, check
from qumulus.emulation import calibrations
from qumulus.emulation import clock as emulation
from qumulus.emulation.ready import ready
from qumulus.openapi import yaml12
from qumulus.openapi.contract import Operations, invalid

from .callers import Administrator
from .faults import FaultOperations
from .naming import Naming
from .schemas.scenarios import Begun, ReadyScenario, ReadyScenarios, Scenario
from .translate import calibrations as translate_calibrations
from .translate import devices as translate_devices
from .translate import faults as translate_faults
from .translate import instances as translate_instances
from .translate import queues as translate_queues

operation = Operations()


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario is set up on."""

    cloud: Cloud
    naming: InstanceNaming
    operations: Mapping[str, Collection[str]]


def _stage(cloud: CloudParameter, naming: Naming, operations: FaultOperations) -> Stage:
    return Stage(cloud, naming, operations)


@operation("listScenarios")
def list_scenarios(administrator: Administrator) -> ReadyScenarios:
    """The ready ones."""
    return ReadyScenarios(
        scenarios=[
            ReadyScenario(name=name, scenario=read(json.dumps(yaml12.read(path.read_bytes()))))
            for name, path in ready().items()
        ]
    )


@operation("beginScenario")
def begin_scenario(body: Scenario, administrator: Administrator, stage: Annotated[Stage, Depends(_stage)]) -> Begun:
    """Set it up."""
    begun = begin(body, stage)
    stage.cloud.listening.settle()
    return begun


def begin(scenario: Scenario, stage: Stage) -> Begun:
    """Set a scenario up, after a look at all of it.

    Raises:
        QumulusError: it says what can't be; nothing was done.
    """
    for step in steps(scenario, stage):
        step()
    made = stage.cloud.faults.replace(rules(scenario, stage))  # last: their times count from now
    return Begun(name=scenario.name, faults=[fault.id for fault in made])


def steps(scenario: Scenario, stage: Stage) -> list[Callable[[], object]]:
    """Return what is to be done before the faults, in its order, when all of the scenario has been looked at."""
    cloud = stage.cloud
    devices = [(cloud.catalogue.device(each.device).name, each.settings) for each in given(scenario.devices, [])]
    instances = [translate_instances.core_instance(each, stage.naming) for each in given(scenario.instances, [])]
    there = {each.name for account in cloud.accounts.accounts() for each in cloud.accounts.instances(account.id)}
    for rule in rules(scenario, stage):
        check(rule, stage.operations)
        if rule.kind is FaultKind.REFUSED:
            cloud.listening.check()
    todo: list[Callable[[], object]] = []
    if (clock := given(scenario.clock)) is not None:
        todo.append(
            partial(
                emulation.set_clock, cloud.clock, rate=clock.rate, now=given(clock.now), bearers=clock.bearer_tokens
            )
        )
    todo += [partial(_set, cloud, name, settings) for name, settings in devices]
    for queue in given(scenario.queues, []):
        todo.append(partial(_queue, cloud, cloud.catalogue.device(queue.device).name, queue.queue))
    for each in given(scenario.calibrations, []):
        todo.append(partial(_calibrate, cloud, cloud.catalogue.device(each.device).name, each.series))
    return [*todo, *(partial(cloud.accounts.add_instance, each) for each in instances if each.name not in there)]


def rules(scenario: Scenario, stage: Stage) -> list[FaultRule]:
    """Return the rules of a scenario, whose times count from now."""
    cloud = stage.cloud
    return [translate_faults.rule(each, cloud.clock.now(), cloud.catalogue) for each in given(scenario.faults, [])]


def _set(cloud: Cloud, device: str, settings: Any) -> None:
    cloud.device_settings.set(device, translate_devices.core_settings(settings))


def _queue(cloud: Cloud, device: str, queue: Any) -> None:
    cloud.device_settings.set_queue(
        device, translate_queues.core_setting(device, queue, cloud.seeds), cloud.clock.now()
    )


def _calibrate(cloud: Cloud, device: str, series: Any) -> None:
    first = timedelta(hours=given(series.first_after_hours, series.every_hours))
    cloud.device_imports.remove_series(device)
    setting = translate_calibrations.setting(device, series, cloud.seeds)
    made = calibrations.series(cloud.device_imports.measured(device), setting, cloud.clock.now() + first)
    cloud.device_imports.add_series(device, made)


def read(document: str) -> Scenario:
    """Return the scenario that a document in JSON is.

    Raises:
        Refused: it is none; the error says where and why.
    """
    try:
        return Scenario.model_validate_json(document, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error.errors()) from None


def schema() -> dict[str, Any]:
    """Return the JSON schema of scenarios."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
