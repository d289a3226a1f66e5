"""The local certificate authority: who can read it, what it may certify, when it is made again."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509

from qumulus.interception import authority
from qumulus.interception.authority import Authority, AuthorityError

DOMAINS = ("iam.cloud.ibm.com", "quantum.cloud.ibm.com")


def handshake(server: ssl.SSLContext, trusted: str, host: str) -> None:
    """Shake hands in memory, as a client that trusts one file only.

    Raises:
        ssl.SSLError: one side refuses.
    """
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=trusted)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    client = context.wrap_bio(to_client, to_server, server_hostname=host)
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    pending = {client, serving}
    for _ in range(10):
        for side in tuple(pending):
            try:
                side.do_handshake()
                pending.discard(side)
            except ssl.SSLWantReadError:
                pass
    assert not pending


def test_only_the_owner_can_read_the_key(tmp_path):
    os.umask(old := os.umask(0))
    try:
        os.umask(0)
        Authority(tmp_path / "ca", DOMAINS)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "ca" / "ca.key").stat().st_mode) == 0o600
    assert {file.name for file in (tmp_path / "ca").iterdir()} == {"ca.key", "ca.pem"}


def test_a_key_that_others_can_read_is_not_used(tmp_path):
    Authority(tmp_path, DOMAINS)
    (tmp_path / "ca.key").chmod(0o640)
    with pytest.raises(AuthorityError, match=r"Others can read .*ca\.key.*remove the folder"):
        Authority(tmp_path, DOMAINS)


def test_it_is_made_once(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Authority(tmp_path, DOMAINS).file.read_bytes(), range(8)))
    assert len(set(made)) == 1


def test_processes_that_start_together_have_one_authority(tmp_path):
    code = (
        "import sys; from pathlib import Path; from qumulus.interception.authority import Authority;"
        "print(Authority(Path(sys.argv[1]), ['a.example']).file.read_text())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "ca")], stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1


def test_it_is_made_again_for_other_domains_and_when_it_runs_out(tmp_path, monkeypatch):
    first = Authority(tmp_path, DOMAINS).file.read_bytes()
    other = Authority(tmp_path, ["a.example"]).file.read_bytes()
    assert other != first
    monkeypatch.setattr(authority, "LIFE", timedelta(days=29))
    (tmp_path / "ca.key").unlink()
    short = Authority(tmp_path, DOMAINS).file.read_bytes()
    monkeypatch.undo()
    renewed = Authority(tmp_path, DOMAINS).file.read_bytes()
    assert renewed != short
    assert x509.load_pem_x509_certificate(renewed).not_valid_after_utc > datetime.now(UTC) + timedelta(days=800)


@pytest.mark.parametrize("host", ["iam.cloud.ibm.com", "quantum.cloud.ibm.com", "eu-de.quantum.cloud.ibm.com"])
def test_a_client_that_was_told_so_trusts_its_certificates(tmp_path, host):
    ours = Authority(tmp_path, DOMAINS)
    handshake(ours.context(host), str(ours.file), host)


def test_a_certificate_is_made_again_before_it_runs_out_while_the_server_runs(tmp_path, monkeypatch):
    ours = Authority(tmp_path, DOMAINS)
    now = time.time()
    monkeypatch.setattr(authority, "time", SimpleNamespace(time=lambda: now))
    first = ours.context(DOMAINS[0])
    assert ours.context(DOMAINS[0]) is first
    now += authority.RENEWED_EVERY.total_seconds()
    assert ours.context(DOMAINS[0]) is not first


def test_a_certificate_is_for_one_host(tmp_path):
    ours = Authority(tmp_path, DOMAINS)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(ours.context("iam.cloud.ibm.com"), str(ours.file), "quantum.cloud.ibm.com")


def test_even_its_own_key_can_not_certify_another_domain(tmp_path):
    ours = Authority(tmp_path, DOMAINS)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(ours.context("www.example.org"), str(ours.file), "www.example.org")


def test_a_client_that_was_not_told_does_not_trust_it(tmp_path):
    ours, stranger = Authority(tmp_path / "a", DOMAINS), Authority(tmp_path / "b", DOMAINS)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ours.context("iam.cloud.ibm.com"), str(stranger.file), "iam.cloud.ibm.com")


def test_a_folder_that_can_not_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AuthorityError, match="can't be used: Not a directory"):
        Authority(tmp_path / "file" / "ca", DOMAINS)
