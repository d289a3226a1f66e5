"""The program of a container: it becomes the command of its image, with its input in files.

All that is imported here is imported before the process enters the root of the container, which has no Python of ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from .arguments import WrongInput
from .program import keep_as_files, read

NOT_FOUND = 127  # as a shell says that there is no such program


def become(program: Mapping[str, Any], parts: Mapping[str, bytes]) -> int:
    """Become the command; return the exit status only where that can't be.

    Args:
        program: command, and workspace: the folder that it begins in.
        parts: as for `program.execute`.
    """
    command = program["command"]
    try:
        keep_as_files(read(parts))
        os.chdir(program["workspace"])
        os.execvpe(command[0], command, dict(os.environ))  # noqa: S606
    except WrongInput as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except (OSError, ValueError) as error:
        print(f"{command[0]} can't be started in {program['workspace']}: {error}.", file=sys.stderr)  # noqa: T201
        return NOT_FOUND
