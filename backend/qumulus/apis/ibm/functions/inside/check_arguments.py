"""Holds arguments against a schema, in a process of its own: both come from users, and a pattern may search without end.

Standard input is JSON: the schema and the arguments as texts, arguments null where the schema alone is to be looked at. Printed is
JSON: nothing where all is well, else the message, with a path where the arguments are what differs.
"""

import json
import resource
import sys

SECONDS = 2
MOST_BYTES = 1 << 30
MOST_CHARACTERS = 500


def main():
    """Check what standard input brings, and print what was found."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    given = json.load(sys.stdin)
    json.dump(found(given["schema"], given["arguments"]), sys.stdout)


def found(text, arguments):
    """Return what is wrong with a schema, or with arguments by it."""
    from jsonschema.validators import validator_for
    from referencing import Registry

    schema = json.loads(text)
    if not isinstance(schema, dict | bool):
        return {"schema": "it has to be an object"}
    kind = validator_for(schema)
    complaint = next(iter(kind(kind.META_SCHEMA).iter_errors(schema)), None)
    if complaint is not None:
        return {"schema": complaint.message[:MOST_CHARACTERS]}
    validator = kind(schema, registry=Registry())  # which fetches nothing
    if arguments is None:
        next(iter(validator.iter_errors({})), None)  # a reference to nothing is seen only when it is followed
        return {}
    different = next(iter(validator.iter_errors(json.loads(arguments))), None)
    if different is None:
        return {}
    return {"message": different.message[:MOST_CHARACTERS], "path": list(different.absolute_path)}


if __name__ == "__main__":
    main()
