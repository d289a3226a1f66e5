"""Large values as objects of a store that speaks S3: for many machines, which share no disk.

An object is there as a whole or not at all, and is durable when `put` returns. A row that names a key is committed only after
that, by whichever process; so what no row names is swept only when it is so old that its row can't be on its way any more.
Credentials come from the client's own chain (environment, files, the machine's role) and are never logged.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from qumulus.core.errors import Unavailable
from qumulus.storage.errors import StateUnusable

from .disk import KEY, checked

CONNECT_SECONDS = 3
READ_SECONDS = 30
TRIES = 3
STORE_REGION = "us-east-1"  # of a store that is not AWS', where nobody names one
CONNECTIONS = 64  # the web server's threads, and ours
MARKER = "qumulus-cloud"  # no key of a value: it names the cloud that has the prefix
MISSING = {"NoSuchKey", "404"}
AWAY = "The store of large values can't be used now: send the request again in a few seconds."
FORM = "s3://BUCKET/PREFIX?endpoint=URL&region=NAME&public=URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the objects are."""

    bucket: str
    prefix: str = ""  # with a slash at its end where it is not empty
    endpoint: str | None = None  # of the store; AWS if None
    region: str | None = None
    public: str | None = (
        None  # the address at which clients reach the store; "no" where they can't; the endpoint if None
    )


def parsed(url: str) -> Place:
    """Return the place that an URL names.

    Raises:
        StateUnusable: it is not in the form `FORM`.
    """
    wrong = StateUnusable(
        f"QUMULUS_BLOBS is to be of the form {FORM}, with each URL in full (https://…); "
        "credentials are given as AWS_… variables."
    )
    try:
        parts = urlsplit(url)
        parameters = parse_qs(parts.query, strict_parsing=bool(parts.query), keep_blank_values=True)
    except ValueError:
        raise wrong from None
    options = {name: values[0] for name, values in parameters.items() if name in ("endpoint", "region", "public")}
    bucket = parts.netloc  # as it is written: a host's name would be put into small letters
    urls = [
        options[name]
        for name in ("endpoint", "public")
        if name in options and (name, options[name]) != ("public", "no")
    ]
    fits = parts.scheme == "s3" and bucket and not set("@:") & set(bucket) and len(options) == len(parameters)
    if not fits or not all(options.values()) or not all(map(_is_http, urls)):
        raise wrong
    prefix = parts.path.strip("/")
    return Place(bucket=bucket, prefix=prefix + "/" if prefix else "", **options)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class S3Blobs:
    """Blobs as objects of one bucket, their keys behind a prefix."""

    def __init__(self, place: Place) -> None:
        """Connect.

        Raises:
            StateUnusable: the extra is not installed, there is no such bucket, or it can't be used.
        """
        if importlib.util.find_spec("boto3") is None:
            raise StateUnusable(
                "Keeping values in S3 needs the extra 's3': install it with `pip install 'qumulus[s3]'`."
            )
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        self._place = place
        self._cloud: bytes | None = None
        self._failures = (BotoCoreError, ClientError)
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "max_attempts": TRIES},
            max_pool_connections=CONNECTIONS,
            signature_version="s3v4",
            s3={"addressing_style": "path" if place.endpoint else "auto"},
            request_checksum_calculation="when_required",  # stores other than AWS's refuse what they don't know
            response_checksum_validation="when_required",
        )
        self._signer = None
        try:
            session = boto3.Session(region_name=place.region)
            if session.region_name is None and place.endpoint:
                session = boto3.Session(region_name=STORE_REGION)
            self._client = session.client("s3", endpoint_url=place.endpoint, config=config)
            if place.public != "no":
                self._signer = session.client("s3", endpoint_url=place.public or place.endpoint, config=config)
            self._client.head_bucket(Bucket=place.bucket)
        except (*self._failures, ValueError) as error:
            raise StateUnusable(f"The bucket {place.bucket} can't be used: {_told(error)}") from error

    def claim(self, cloud: bytes) -> None:
        """Keep the prefix for one cloud, by an object that names it.

        Who finds none says first that it is a candidate, and looks then: of several that do so at the same moment each one but the first
        sees another, and perhaps all do. That needs nothing of a store but lists which are true.

        Raises:
            StateUnusable: another cloud has it, or wants it: each would sweep what the other one stores.
            Unavailable
        """
        self._cloud, marker = cloud, self._place.prefix + MARKER
        if (holder := self._holder()) is None:
            mine = f"{marker}-{cloud.decode()}"
            self._do("put_object", Key=mine, Body=cloud)
            others = [key for key in self._beginning(marker) if key not in (mine, marker)]
            if not others and self._holder() is None:
                self._do("put_object", Key=marker, Body=cloud)
            self._do("delete_object", Key=mine)
            if others:
                raise self._refusal("wants to keep", others[0])
            holder = self._holder()
        if holder != cloud:
            raise self._refusal("keeps", marker)

    def _holder(self) -> bytes | None:
        """Return which cloud has the prefix; None if none has. A look at the list first: a store may hide that there is no object."""
        marker = self._place.prefix + MARKER
        try:
            return self._do("get_object", Key=marker)["Body"] if marker in self._beginning(marker) else None
        except FileNotFoundError:  # taken away in between
            return None

    def _beginning(self, key: str) -> list[str]:
        """Return the first keys that begin so."""
        page = self._do("list_objects_v2", Prefix=key)
        return [entry["Key"] for entry in page.get("Contents", ())]

    def _refusal(self, what: str, key: str) -> StateUnusable:
        return StateUnusable(
            f"Another cloud {what} its values at s3://{self._place.bucket}/{self._place.prefix}: each would remove the "
            "other's. Give this one a prefix of its own in QUMULUS_BLOBS. If the other one is gone for good, "
            f"remove the object {key} from the bucket, and start again."
        )

    def put(self, key: str, value: bytes) -> None:
        """Store a value, which is durable when this returns.

        Raises:
            Unavailable: the store can't be reached, or refuses; at worst there is an object that no row names.
        """
        self._do("put_object", Key=self._key(key), Body=value)

    def get(self, key: str) -> bytes:
        """Return the value.

        Raises:
            FileNotFoundError: there is none.
            Unavailable
        """
        return self._do("get_object", Key=self._key(key))["Body"]

    def delete(self, key: str) -> None:
        """Forget a value; nothing happens where there is none.

        Raises:
            Unavailable
        """
        self._do("delete_object", Key=self._key(key))

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield all keys that begin with ``prefix``."""
        for key, _ in self._listed(prefix):
            yield key

    def old(self, age: timedelta) -> Iterator[str]:
        """Yield the keys of values that were stored so long ago, by the store's own clock.

        Raises:
            Unavailable: the prefix is not this cloud's any more, so that nobody can say whose they are.
        """
        if self._cloud is not None and self._holder() != self._cloud:
            raise Unavailable(
                f"The prefix is not this cloud's any more: look at the object {self._place.prefix}{MARKER}."
            )
        for key, stored_for in self._listed(""):
            if stored_for >= age:
                yield key

    def link(self, key: str, name: str, media_type: str, seconds: int) -> str | None:
        """Return an address at which the store itself gives a value for some time; None where clients can't reach it.

        Raises:
            Unavailable: it can't be signed now.
        """
        if self._signer is None:
            return None
        wanted = {
            "Bucket": self._place.bucket,
            "Key": self._key(key),
            "ResponseContentType": media_type,
            "ResponseContentDisposition": f'attachment; filename="{name}"',
        }
        try:
            return self._signer.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)
        except self._failures as error:  # the credentials of a machine's role can't be had now
            raise Unavailable(AWAY) from error

    def _key(self, key: str) -> str:
        return self._place.prefix + checked(key)

    def _listed(self, prefix: str) -> Iterator[tuple[str, timedelta]]:
        parameters: dict[str, Any] = {"Prefix": self._place.prefix + prefix}
        while True:
            page = self._do("list_objects_v2", **parameters)
            now = _date(page)
            for entry in page.get("Contents", ()):
                key = entry["Key"].removeprefix(self._place.prefix)
                if KEY.fullmatch(key):
                    yield key, now - entry["LastModified"]
            if not page.get("IsTruncated"):
                return
            parameters["ContinuationToken"] = page["NextContinuationToken"]

    def _do(self, operation: str, **members: Any) -> Any:
        try:
            answer = getattr(self._client, operation)(Bucket=self._place.bucket, **members)
            if "Body" in answer:
                answer["Body"] = answer["Body"].read()
        except self._failures as error:
            if _code(error) in MISSING:
                raise FileNotFoundError(members["Key"]) from error
            raise Unavailable(AWAY) from error
        return answer


def _date(answer: Any) -> datetime:
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


def _code(error: Exception) -> str:
    return str((getattr(error, "response", None) or {}).get("Error", {}).get("Code", ""))


def _told(error: Exception) -> str:
    """Say what to do about an error. Where the client asked nobody, its own text says what is wrong; no secret is in that text."""
    told = {
        "404": "there is none of that name: make it first.",
        "NoSuchBucket": "there is none of that name: make it first.",
        "403": "these credentials may not use it: give others as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    }
    from botocore.exceptions import ConnectionError as Unreachable
    from botocore.exceptions import HTTPClientError, NoCredentialsError

    if isinstance(error, NoCredentialsError):
        return "there are no credentials: give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    if isinstance(error, (Unreachable, HTTPClientError)):
        return f"the store does not answer ({type(error).__name__}): look at its endpoint."
    return told.get(_code(error), f"{' '.join(str(error).split()).rstrip('.')}.")
