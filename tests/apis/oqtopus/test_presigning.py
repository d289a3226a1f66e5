"""What presigned requests are good for, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from qumulus.apis.oqtopus.presigning import GOOD_FOR_SECONDS, BadSignature, Presigning, _kept_signature
from qumulus.core.clock import CloudClock, SystemClock
from qumulus.storage.signing import secret_in

KEY = "a job/Größe 東京.zip"


class Clock(CloudClock):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.at = datetime(2026, 11, 26, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presigning(clock: Clock) -> Presigning:
    return Presigning(b"a secret", clock)


def signed(url: str) -> tuple[int, str]:
    query = parse_qs(urlsplit(url).query)
    return int(query["expires"][0]), query["signature"][0]


def test_an_upload_is_good_for_its_key_until_its_time_is_over(presigning: Presigning, clock: Clock):
    fields = presigning.upload(KEY)
    assert set(fields) == {"key", "AWSAccessKeyId", "x-amz-security-token", "policy", "signature"}
    presigning.check_upload(KEY, fields["policy"], fields["signature"])
    with pytest.raises(BadSignature):
        presigning.check_upload("another key", fields["policy"], fields["signature"])
    clock.at += timedelta(seconds=GOOD_FOR_SECONDS)
    presigning.check_upload(KEY, fields["policy"], fields["signature"])
    clock.at += timedelta(seconds=1)
    with pytest.raises(BadSignature):
        presigning.check_upload(KEY, fields["policy"], fields["signature"])


def test_a_download_is_good_for_its_key_and_its_time(presigning: Presigning, clock: Clock):
    url = presigning.download("http://cloud/storage", KEY)
    assert urlsplit(url).path == "/storage/a%20job/Gr%C3%B6%C3%9Fe%20%E6%9D%B1%E4%BA%AC.zip"
    expires, signature = signed(url)
    presigning.check_download(KEY, expires, signature)
    for changed in ((KEY, expires + 1, signature), ("x", expires, signature), (KEY, expires, "é")):
        with pytest.raises(BadSignature):
            presigning.check_download(*changed)
    clock.at += timedelta(seconds=GOOD_FOR_SECONDS + 1)
    with pytest.raises(BadSignature):
        presigning.check_download(KEY, expires, signature)


def test_what_was_signed_for_a_download_is_no_upload(presigning: Presigning, clock: Clock):
    fields = presigning.upload(KEY)
    _, signature = signed(presigning.download("http://cloud", KEY))
    with pytest.raises(BadSignature):
        presigning.check_upload(KEY, fields["policy"], signature)
    with pytest.raises(BadSignature):
        Presigning(b"another secret", clock).check_upload(KEY, fields["policy"], fields["signature"])


FORGED = {
    "empty": lambda signature: "",
    "cut": lambda signature: signature[:-1],
    "longer": lambda signature: signature + "0",
    "in capitals": str.upper,
    "with a space": lambda signature: f" {signature}",
    "one digit changed": lambda signature: signature[:-1] + ("0" if signature[-1] != "0" else "1"),
    "no text": lambda signature: signature[:-1] + "\udc80",
    "with a NUL": lambda signature: f"{signature}\0",
    "digits of another script": lambda signature: signature.translate({ord("0") + n: 0x0660 + n for n in range(10)}),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_signature_is_refused(presigning: Presigning, how: str):
    fields = presigning.upload(KEY)
    with pytest.raises(BadSignature):
        presigning.check_upload(KEY, fields["policy"], FORGED[how](fields["signature"]))
    expires, signature = signed(presigning.download("http://cloud", KEY))
    with pytest.raises(BadSignature):
        presigning.check_download(KEY, expires, FORGED[how](signature))


@pytest.mark.parametrize("policy", ["", "e30=", "bnVsbA==", "no base64", "\udc80", '{"key": "x", "expires": 9e99}'])
def test_a_policy_of_somebody_else_is_refused_before_it_is_read(presigning: Presigning, policy: str):
    with pytest.raises(BadSignature):
        presigning.check_upload(KEY, policy, presigning.upload(KEY)["signature"])


def test_what_was_signed_for_one_key_and_time_is_good_for_no_other_split_of_both(presigning: Presigning):
    expires, signature = signed(presigning.download("http://cloud", "5 key"))
    with pytest.raises(BadSignature):
        presigning.check_download("key", int(f"{expires}5"), signature)


def test_what_others_send_pushes_nothing_out_that_is_kept(presigning: Presigning):
    before = _kept_signature.cache_info().currsize
    for number in range(20):
        with pytest.raises(BadSignature):
            presigning.check_download(KEY, number, "0")
    assert _kept_signature.cache_info().currsize == before


def test_the_secret_of_a_folder_stays_and_is_the_owners_alone(tmp_path: Path):
    home = tmp_path / "state"
    secret = secret_in(home)
    assert len(secret) == 32
    assert secret_in(home) == secret
    assert (home / "presigning.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == ["presigning.key"]


def test_a_secret_whose_content_was_lost_is_drawn_anew(tmp_path: Path):
    (tmp_path / "presigning.key").touch()
    assert len(secret_in(tmp_path)) == 32
