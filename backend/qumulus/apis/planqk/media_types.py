"""The content type of a file, by its name."""

from __future__ import annotations

import mimetypes

from qumulus.apis.json_texts import TooManyValues, reading

UNKNOWN_TYPE = "application/octet-stream"
JSON = "application/json"
TEXT_TYPES = {".json": JSON, ".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8"}


def media_type(name: str) -> str:
    """What the name says, else `application/octet-stream`."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    guessed, encoding = mimetypes.guess_type(name)
    return TEXT_TYPES.get(suffix) or (guessed if guessed and not encoding else UNKNOWN_TYPE)


def media_type_of(name: str, content: bytes) -> str:
    """What the name says, unless the content is no JSON where it says so: nobody could read it."""
    said = media_type(name)
    if said == JSON:
        try:
            with reading(content):
                pass
        except TooManyValues:
            return said
        except ValueError:
            return UNKNOWN_TYPE
    return said
