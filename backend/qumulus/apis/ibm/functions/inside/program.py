"""What runs where a Qiskit Function runs: it opens the function's files, and becomes the file that is to be run."""

import json
import os
import runpy
import sys
import tarfile

RUN = "__main__"
MOST_BYTES = 512 << 20


def run(arguments, function, data=None, provider_data=None):
    """Run the function and return what it saved, as JSON text; nothing where it saved nothing.

    Args:
        arguments: JSON text, as the client has written it.
        function: entrypoint, archive, and variables of the environment.
        data: the folder with the function's files, which DATA_PATH names.
        provider_data: the folder with what its provider keeps for all runs, which PROVIDER_DATA_PATH names.
    """
    del data, provider_data
    home = os.environ["TMPDIR"]
    place = os.path.join(home, "function")
    unpack(function["archive"], place)
    os.environ.update(function["variables"])
    os.environ["ARGUMENTS_PATH"] = os.path.join(home, "arguments.serverless")
    os.environ["RESULTS_PATH"] = os.path.join(home, "results.serverless")
    os.environ["DATA_PATH"] = pool_folder(home, "data")
    os.environ["PROVIDER_DATA_PATH"] = pool_folder(home, "provider_data")
    with open(os.environ["ARGUMENTS_PATH"], "w", encoding="utf-8") as file:
        file.write(arguments)
    sys.path.append(os.path.join(os.getcwd(), "stand_in"))  # after an installed qiskit-serverless, if there is one
    sys.path.insert(0, place)
    os.chdir(place)
    sys.argv = [function["entrypoint"]]
    try:
        runpy.run_path(os.path.join(place, function["entrypoint"]), run_name=RUN)
    except SystemExit as left:
        if left.code:
            raise
    return saved(os.environ["RESULTS_PATH"])


def unpack(archive, place):
    """Unpack the files; none may leave the folder, and together they may not be too large."""
    with tarfile.open(archive, "r:*") as packed:
        if sum(member.size for member in packed.getmembers()) > MOST_BYTES:
            raise ValueError(f"The files of the function have more than {MOST_BYTES >> 20} MiB: upload fewer.")
        packed.extractall(place, filter="data")


def pool_folder(home, name):
    """Return the folder with uploaded files, or an empty one."""
    uploaded = os.path.join(os.environ["DATAPOOL_DIRECTORY"], name)
    if os.path.isdir(uploaded):
        return uploaded
    empty = os.path.join(home, name)
    os.makedirs(empty, exist_ok=True)
    return empty


def saved(path):
    """Return what the function saved."""
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        text = file.read()
    json.loads(text)
    return {"result": text}
