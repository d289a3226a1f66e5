"""The development side: `python -m qumulus.openapi bundle|schema|generate|pages|lint [NAME …] [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from . import generate, pages
from .bundle import BundleError
from .coverage import CoverageError
from .jobs import REPOSITORY, Api, UnknownApi, apis


def _bundles(chosen: Sequence[Api]) -> generate.Files:
    return generate.bundles(chosen)


def _models(chosen: Sequence[Api]) -> generate.Files:
    return generate.models(chosen, {api.bundle: (REPOSITORY / api.bundle).read_bytes() for api in chosen})


def _all(chosen: Sequence[Api]) -> generate.Files:
    documents = generate.bundles(chosen)
    return {**documents, **generate.models(chosen, documents), **pages.pages()}


def _pages(_chosen: Sequence[Api]) -> generate.Files:
    return pages.pages()


MAKE: Mapping[str, Callable[[Sequence[Api]], generate.Files]] = {
    "bundle": _bundles,
    "schema": _models,
    "generate": _all,
    "pages": _pages,
}


def _generate(what: str, chosen: Sequence[Api], check: bool) -> list[str]:
    """Make the files and write them; with ``check`` only say what differs."""
    made = MAKE[what](chosen)
    gone = generate.stale(chosen, made) if what in ("schema", "generate") else []
    if check:
        differences = generate.differences(made, gone)
        if not differences:
            print(f"Nothing generated differs ({len(made)} files).")  # noqa: T201
            return []
        return [*differences, "Run make generate-all, and look at what it changes."]
    changes = generate.put(made, gone)
    for line in changes or [f"Nothing changed: {_shown(made)} as the specifications say."]:
        print(line)  # noqa: T201
    return []


def _shown(made: generate.Files) -> str:
    return f"{next(iter(made))} is" if len(made) == 1 else f"{len(made)} files are"


def _lint(chosen: Sequence[Api]) -> list[str]:
    from .lint import complaints  # the validators are tools of development

    found = [f"{api.root.parent}: {complaint}" for api in chosen for complaint in complaints(REPOSITORY / api.root)]
    if not found:
        print(f"No complaints about {', '.join(api.name for api in chosen)}.")  # noqa: T201
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0 when all is well, 1 when something differs or is wrong, 2 when it can't be done."""
    parser = argparse.ArgumentParser(
        prog="python -m qumulus.openapi", description="From split files to served operations."
    )
    parser.add_argument("what", choices=[*MAKE, "lint"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which APIs; all of them when none is named")
    parser.add_argument("--check", action="store_true", help="change nothing, and fail if something would change")
    options = parser.parse_args(arguments)
    try:
        chosen = apis(options.names)
        lines = _lint(chosen) if options.what == "lint" else _generate(options.what, chosen, options.check)
    except (UnknownApi, BundleError, CoverageError, generate.GeneratorError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
