"""Large values in an S3 store that is a process of its own, read and written by real servers."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from dispatchers import ME, wait_for
from qumulus.core.errors import Unavailable
from qumulus.core.jobs import NewJob
from qumulus.core.ports import JobQuery
from qumulus.core.results import Outcome
from qumulus.storage import Storage, open_storage
from qumulus.storage.blobs import s3
from qumulus.storage.blobs.sweeping import sweep
from qumulus.storage.errors import StateUnusable
from servers import Server
from stores import CREDENTIALS, Store

LARGE = b"x" * 300_000
NOW = timedelta(0)
LEASE = timedelta(seconds=30)
HEADERS = {"q-api-token": "local.qumulus-local", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store() as running:
        yield running


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(s3, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(s3, "READ_SECONDS", 0.5)


@pytest.fixture
def storage(store: Store, tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path / "state", blobs_url=store.url(tmp_path.name))
    yield opened
    opened.close()


def new(payload: bytes = LARGE, **members: object) -> NewJob:
    fields = {"account": "local", "device": "d", "api": "test", "kind": "any", "payload": payload} | members
    return NewJob(**fields)  # ty: ignore[invalid-argument-type]


def test_a_second_cloud_at_one_prefix_is_refused_in_words_and_the_first_comes_back(storage, store, tmp_path):
    job = storage.jobs.submit(new())
    with pytest.raises(StateUnusable, match="Another cloud keeps its values at s3://"):
        open_storage(tmp_path / "another", blobs_url=store.url(tmp_path.name))
    open_storage(tmp_path / "another", blobs_url=store.url(f"{tmp_path.name}/beside")).close()
    again = open_storage(tmp_path / "state", blobs_url=store.url(tmp_path.name))
    assert again.jobs.payload(job.id) == LARGE
    again.close()


def test_of_clouds_that_claim_a_prefix_at_the_same_moment_no_two_believe_to_have_it(store):
    clouds = {f"{number}" * 64: s3.S3Blobs(s3.parsed(store.url("race"))) for number in range(4)}

    def claims(prefix: str, cloud: str) -> str | None:
        blobs = clouds[cloud]
        blobs._place = s3.parsed(store.url(prefix))
        try:
            blobs.claim(cloud.encode())
        except StateUnusable:
            return None
        return cloud

    with ThreadPoolExecutor(len(clouds)) as pool:
        for number in range(12):
            prefix = f"race-{number}"
            winners = set(pool.map(partial(claims, prefix), clouds)) - {None}
            assert len(winners) <= 1, number
            later = [claims(prefix, cloud) for cloud in clouds]
            assert len(set(later) - {None}) == 1, number
            assert winners <= set(later)


def test_a_cloud_whose_prefix_was_given_away_sweeps_nothing(storage, store, tmp_path):
    storage.blobs.put("0" * 32, b"of nobody")
    storage.blobs._do("put_object", Key=f"{tmp_path.name}/{s3.MARKER}", Body=b"another")
    with pytest.raises(Unavailable, match="not this cloud's any more"):
        sweep(storage._database, storage.blobs, NOW)
    assert list(storage.blobs.keys()) == ["0" * 32]


def test_payloads_results_and_files_are_in_the_store_and_go_with_their_job(storage, tmp_path):
    job = storage.jobs.submit(new())
    assert storage.jobs.payload(job.id) == LARGE
    storage.jobs.attach(job.id, "input.zip", b"i" * 300_000)
    (claim,) = storage.queue.claim("me", 1, LEASE)
    assert claim.program.payload == LARGE
    storage.queue.start(claim)
    storage.queue.finish(claim, Outcome(result=b"r" * 280_000, files={"more": b"f" * 290_000}))
    assert storage.jobs.result(job.id)[0] == b"r" * 280_000
    assert storage.jobs.file(job.id, "more") == b"f" * 290_000
    assert len(list(storage.blobs.keys())) == 4
    assert not list((tmp_path / "state").glob("blobs/*/*"))
    storage.jobs.delete(job.id, ME)
    assert list(storage.blobs.keys()) == []


def test_while_the_store_is_away_nothing_is_half_stored_and_jobs_that_wait_are_kept(storage, store):
    waiting = storage.jobs.submit(new())
    store.pause()
    try:
        with pytest.raises(Unavailable, match="store of large values"):
            storage.jobs.submit(new())
        with pytest.raises(Unavailable):
            storage.jobs.payload(waiting.id)
        with pytest.raises(Unavailable):
            storage.queue.claim("me", 1, LEASE)
        small = storage.jobs.submit(new(b"small"))
        assert [claim.job_id for claim in storage.queue.claim("me", 2, LEASE)] == [small.id]
    finally:
        store.go_on()
    assert {job.id for job in storage.jobs.find(JobQuery()).jobs} == {waiting.id, small.id}
    (claim,) = storage.queue.claim("me", 1, LEASE)
    assert claim.job_id == waiting.id


def test_a_result_that_can_t_be_stored_is_neither_lost_nor_stored_by_half(storage, store):
    job = storage.jobs.submit(new(b"small"))
    (claim,) = storage.queue.claim("me", 1, LEASE)
    storage.queue.start(claim)
    store.pause()
    try:
        with pytest.raises(Unavailable):
            storage.queue.finish(claim, Outcome(result=LARGE))
        assert not storage.jobs.get(job.id, ME).final
    finally:
        store.go_on()
    assert storage.queue.finish(claim, Outcome(result=LARGE))
    assert storage.jobs.result(job.id)[0] == LARGE


def test_sweeping_while_others_write_removes_what_no_row_names_and_nothing_else(storage, store, tmp_path):
    other = open_storage(tmp_path / "state", blobs_url=store.url(tmp_path.name))
    left = "0" * 32
    storage.blobs.put(left, b"left by a process that ended")
    assert sweep(storage._database, storage.blobs) == 0, "it may be on its way: it is not an hour old"
    jobs: list[str] = []
    writing = threading.Thread(target=lambda: jobs.extend(other.jobs.submit(new()).id for _ in range(20)))
    kept = storage.jobs.submit(new()).id
    assert sweep(storage._database, storage.blobs, NOW) == 1
    writing.start()
    while writing.is_alive():
        sweep(storage._database, storage.blobs)
    writing.join()
    assert {storage.jobs.payload(job_id) for job_id in [kept, *jobs]} == {LARGE}
    assert left not in list(storage.blobs.keys())
    other.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://nowhere/x?endpoint={endpoint}", "make it first"),
        ("s3://qumulus/x?endpoint=http://127.0.0.1:9", "does not answer"),
        ("s3://id:key@qumulus/x", "of the form s3://"),
        ("s3://qumulus/x?end=1", "of the form s3://"),
        ("s3://qumulus/x?endpoint", "of the form s3://"),
        ("s3://qumulus/x?endpoint=", "of the form s3://"),
        ("s3://qumulus/x?endpoint=store.example.org", "of the form s3://"),
        ("s3://qumulus/x?endpoint={endpoint}&public=yes", "of the form s3://"),
        ("s3://[qumulus/x?endpoint={endpoint}", "of the form s3://"),
        ("s3://qumulus:80/x?endpoint={endpoint}", "of the form s3://"),
        ("s3://Qumulus/x?endpoint={endpoint}", "bucket Qumulus can't be used"),
        ("s3://qu$mulus/x?endpoint={endpoint}", "Invalid bucket name"),
        ("s3://qumulus/x?endpoint=http://my_store:9000", "Invalid endpoint"),
        ("s3://qumulus/x?endpoint={endpoint}&region=a b", "Provided region_name"),
    ],
)
def test_a_store_that_can_t_be_used_is_refused_with_what_to_do(url, told, store, tmp_path):
    with pytest.raises(StateUnusable, match=told):
        open_storage(tmp_path / "state", blobs_url=url.format(endpoint=store.endpoint))


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"AWS_SECRET_ACCESS_KEY": ""}, "missing: AWS_SECRET_ACCESS_KEY"),
        ({"AWS_PROFILE": "nobody"}, "profile .nobody. could not be found"),
        ({"AWS_CONFIG_FILE": __file__}, "Unable to parse config file"),
    ],
)
def test_credentials_that_can_t_be_read_are_told_in_a_sentence(variables, told, store, tmp_path, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StateUnusable, match=told) as refused:
        open_storage(tmp_path / "state", blobs_url=store.url())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "more", "region"),
    [(None, {}, "us-east-1"), ("fr-par", {}, "fr-par"), ("fr-par", {"region": "nl-ams"}, "nl-ams")],
)
def test_the_region_is_that_of_the_url_else_of_the_environment(variable, more, region, store, monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv("AWS_DEFAULT_REGION", variable)
    blobs = s3.S3Blobs(s3.parsed(store.url(**more)))
    link = blobs.link("0" * 32, "a", "text/plain", 60)
    assert link is not None
    assert f"%2F{region}%2Fs3%2F" in link


def test_an_address_that_can_t_be_signed_now_is_refused_as_what_can_t_be_read_now(store, monkeypatch):
    blobs = s3.S3Blobs(s3.parsed(store.url()))
    assert blobs._signer is not None
    monkeypatch.setattr(blobs._signer._request_signer, "_credentials", None)  # as where a role's are over
    with pytest.raises(Unavailable, match="store of large values"):
        blobs.link("0" * 32, "a", "text/plain", 60)


def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch, store, tmp_path):
    monkeypatch.setattr(s3.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StateUnusable, match=r"pip install 'qumulus\[s3\]'"):
        open_storage(tmp_path / "state", blobs_url=store.url())


def ask(server: Server, method: str, path: str, body: object = None) -> tuple[int, dict]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, HEADERS, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_server_keeps_large_programs_in_the_store_and_answers_503_while_it_is_away(store, tmp_path):
    environment = CREDENTIALS | {"QUMULUS_BLOBS": store.url("server"), "QUMULUS_LOG_LEVEL": "debug"}
    comment = "// " + "c" * 100_000 + "\n"
    code = f'OPENQASM 3; include "stdgates.inc"; {comment} qubit[1] q; bit[1] c; x q[0]; c = measure q;'
    body = {"code": code, "device": "qulacs", "n_shots": 10}
    with Server(tmp_path / "state", environment=environment) as server:
        status, answer = ask(server, "POST", "/task", body)
        assert status == 200
        task = answer["task_id"]
        wait_for(lambda: ask(server, "GET", f"/task/{task}/status")[1]["status"] == "COMPLETED", 30, server.output)
        assert ask(server, "GET", f"/task/{task}/result")[1]["counts"] == {"1": 10}
        store.stop()
        try:
            assert ask(server, "POST", "/task", body)[0] == 503
            assert ask(server, "GET", f"/task/{task}/status")[0] == 200
        finally:
            store.start()
        assert ask(server, "GET", "/task")[1]["total"] == 1
        assert ask(server, "POST", "/task", body)[0] == 200
        assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in server.output()
        assert CREDENTIALS["AWS_ACCESS_KEY_ID"] not in server.output()


def test_a_large_file_of_a_job_is_downloaded_from_the_store_itself(storage, store, tmp_path):
    job = storage.jobs.submit(new(b"small", api="oqtopus/user", registered=True))
    assert storage.jobs.link(job.id, "input.zip", 60) is None
    storage.jobs.attach(job.id, "input.zip", b"z" * 300_000)
    address = storage.jobs.link(job.id, "input.zip", 60)
    assert address is not None
    assert address.startswith(store.endpoint)
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.read() == b"z" * 300_000
        assert 'filename="input.zip"' in answer.headers["Content-Disposition"]
    storage.jobs.attach(job.id, "small.zip", b"z")  # it stands in its row: only the server can give it
    assert storage.jobs.link(job.id, "small.zip", 60) is None
    inside = open_storage(tmp_path / "state", blobs_url=store.url(tmp_path.name, public="no"))
    assert inside.jobs.link(job.id, "input.zip", 60) is None
    inside.close()
