"""Call the user's `run()` with what was sent, and write down what it returns."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from . import leaving, output, script, signature, streams
from .arguments import Arguments, WrongInput, arguments

MOST_NAME_BYTES = 250  # of a parameter: a file system takes 255 for the file, with .json
VENDORS_RUNTIMES = ("qhub.commons.runtime.main", "planqk.commons.runtime.main")


class MissingProgram(Exception):
    """The program, or the function in it, is not there."""


def execute(program: Mapping[str, Any], parts: Mapping[str, bytes]) -> int:
    """Run the program and return its exit status: 0, or 1 with the reason in `output.json`.

    Args:
        program: workspace: folder of the program; entrypoint: "module:function"; strict: whether the vendor's own
            runtime package takes over from here; pools: the parameters that are data pools.
        parts: "": the request's input, a JSON object; others: the JSON value of one parameter.
    """
    sys.path[0] = program["workspace"]
    sys.argv = [program["entrypoint"]]
    os.chdir(program["workspace"])
    forget_own_modules()
    try:
        if program["script"]:
            script.become(parts[""])
        streams.keep_order()
        values = read(parts)
        keep_as_files(values)
        if program["strict"]:
            return leaving.after(vendors_main()())
        function = load(program["entrypoint"])
        given = arguments(function, values)
        if given.left_out:
            print(  # noqa: T201
                f"WARNING: run() has no parameter named {', '.join(given.left_out)}: left out.", flush=True
            )
        return leaving.after(output.write(call(function, given)))
    except SystemExit as left:
        if isinstance(left.code, int) or left.code is None:
            return leaving.after(left.code or 0)
        print(left.code, file=sys.stderr)  # noqa: T201 - as Python prints it
        output.write_problem(left)
    except Exception as error:  # of the user's code: it becomes the failure document
        if not isinstance(error, WrongInput | MissingProgram):
            traceback.print_exception(*without_our_frames(error))
        else:
            print(error, file=sys.stderr)  # noqa: T201
        if hint := output.hint(error):
            print(f"NOTICE: {hint}", file=sys.stderr)  # noqa: T201
        output.write_problem(error)
    return leaving.after(1)


def describe(workspace: str, entrypoint: str) -> Mapping[str, Any]:
    """Return what the signature of a program's function says; see `signature.describe`.

    Raises:
        MissingProgram, WrongInput
        Exception: whatever the program raises when it is imported.
    """
    sys.path[0] = workspace
    os.chdir(workspace)
    forget_own_modules()
    return signature.describe(load(entrypoint))


def forget_own_modules() -> None:
    """Put our modules under other names, since a program may have modules of those names; what is loaded stays usable here."""
    for name in [name for name in sys.modules if name == "inside" or name.startswith("inside.")]:
        sys.modules[f"_qumulus_{name}"] = sys.modules.pop(name)


def read(parts: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the values by parameter.

    Raises:
        WrongInput: it is not JSON.
    """
    values: dict[str, Any] = {}
    for name, content in parts.items():
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise WrongInput(f"{name or 'The input'} is not JSON: {error}.") from None
        values.update({name: value} if name else value)
    return values


def keep_as_files(values: Mapping[str, Any]) -> None:
    """One file a parameter, as the platform mounts them; names that can't be a parameter's are left out."""
    folder = os.environ["INPUT_DIRECTORY"]
    for name, value in values.items():
        if name.isidentifier() and len(name.encode()) <= MOST_NAME_BYTES:
            with open(os.path.join(folder, f"{name}.json"), "w", encoding="utf-8") as file:
                json.dump(value, file)


def load(entrypoint: str) -> Callable[..., Any]:
    """Return the function.

    Raises:
        MissingProgram: there is no such module, or no such function in it.
    """
    module, _, name = entrypoint.partition(":")
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            path = module.replace(".", "/")
            raise MissingProgram(f"There is no {path}.py in the service's folder.") from None
        raise
    function = getattr(loaded, name, None)
    if not callable(function):
        raise MissingProgram(
            f"{module.replace('.', '/')}.py has no function named {name}: define {name}(data, params)."
        )
    return function


def call(function: Callable[..., Any], given: Arguments) -> Any:
    """Return what the function returns; a coroutine is awaited."""
    result = function(*given.positional, **given.named)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def vendors_main() -> Callable[[], int]:
    """Return the main function of the vendor's own runtime package.

    Raises:
        MissingProgram: the service's environment has no such package.
    """
    for name in VENDORS_RUNTIMES:
        try:
            return importlib.import_module(name).main
        except ModuleNotFoundError as error:
            if not (error.name and name.startswith(error.name)):
                raise
    raise MissingProgram(
        "The strict mode needs the vendor's runtime in the service's environment: add qhub-commons to requirements.txt."
    )


def without_our_frames(error: BaseException) -> tuple[type[BaseException], BaseException, Any]:
    """Return the traceback from the user's own code on."""
    here = os.path.dirname(__file__)
    frames = error.__traceback__
    while frames is not None and frames.tb_next and os.path.dirname(frames.tb_frame.f_code.co_filename) == here:
        frames = frames.tb_next
    return type(error), error, frames
