"""Which hosts are answered for, and where their paths are here."""

from __future__ import annotations

import pytest

from qumulus.apis.families import real_sites
from qumulus.interception.sites import Sites, host_name, site, sites


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("iam.cloud.ibm.com/identity/token", "/identity/token"),
        ("private.iam.cloud.ibm.com/identity/token", "/identity/token"),
        ("api.global-search-tagging.cloud.ibm.com/v3/resources/search", "/v3/resources/search"),
        ("globalcatalog.cloud.ibm.com/api/v1/850b5a5f", "/catalog/api/v1/850b5a5f"),
        ("globalcatalog.cloud.ibm.com/api/v1", "/catalog/api/v1"),
        ("globalcatalog.cloud.ibm.com/api/v10", "/api/v10"),
        ("resource-controller.cloud.ibm.com/v2/resource_instances/crn%3Av1%3A", "/v2/resource_instances/crn%3Av1%3A"),
        ("quantum.cloud.ibm.com/api/v1/backends", "/api/v1/backends"),
        ("eu-de.quantum.cloud.ibm.com/api/v1/jobs/1", "/api/v1/jobs/1"),
        ("private.us-east.quantum.cloud.ibm.com/api/v1/jobs", "/api/v1/jobs"),
        ("qiskit-serverless.quantum.ibm.com/api/v1/programs/", "/functions/api/v1/programs/"),
        ("us-east.quantum-computing.cloud.ibm.com/jobs?limit=1", "/api/v1/jobs?limit=1"),
        ("eu-de.quantum-computing.cloud.ibm.com/jobs/1/results", "/api/v1/jobs/1/results"),
        ("us-east.quantum-computing.cloud.ibm.com/api/v1/jobs", "/api/v1/jobs"),
        ("gateway.hub.kipu-quantum.com/token", "/token"),
        ("gateway.hub.kipu-quantum.com/acme/sum/1.0.0", "/services/sum"),
        ("gateway.hub.kipu-quantum.com/acme/sum/1.0.0/", "/services/sum/"),
        ("gateway.platform.planqk.de/acme/sum/1.0.0/42/result/a%2Fb", "/services/sum/42/result/a%2Fb"),
        ("gateway.platform.planqk.de/token/sum/1.0.0", "/services/sum"),
        ("api.hub.kipu-quantum.com/quantum/backends", "/quantum/backends"),
        ("api.hub.kipu-quantum.com/qc-catalog/datapools", "/platform/datapools"),
        ("platform.planqk.de/quantum/jobs", "/quantum/jobs"),
    ],
)
def test_a_path_of_a_real_host_is_found_here(address, here):
    host, slash, path = address.partition("/")
    found = Sites(real_sites()).find(host)
    assert found is not None
    assert found.path(slash + path) == here


@pytest.mark.parametrize(
    "host",
    [
        "cloud.ibm.com",
        "containers.cloud.ibm.com",
        "evil-quantum.cloud.ibm.com",
        "quantum.cloud.ibm.com.example.org",
        "kipu-quantum.com",
        "example.net",
        "",
    ],
)
def test_no_other_host_is_answered_for(host):
    assert Sites(real_sites()).find(host) is None


def test_a_host_of_ones_own_may_stand_under_a_prefix():
    table = sites("api.lab.example, cloud.example.org/oqtopus/user/ ,*.example.net", real_sites())
    assert table.find("api.lab.example").path("/jobs") == "/jobs"
    assert table.find("cloud.example.org").path("/oqtopus/user/jobs") == "/jobs"
    assert table.find("cloud.example.org").path("/oqtopus/users") == "/oqtopus/users"
    assert table.find("a.b.example.net") is not None
    assert table.find("example.net") is None


@pytest.mark.parametrize(
    "text", ["localhost", "127.0.0.1", "https://api.example.org", "a b.example", "*", "*.", "a..b", "/x"]
)
def test_what_is_no_host_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="is no host to answer for: say it as"):
        site(text)


def test_host_names_are_compared_in_small_letters_without_the_last_dot():
    assert host_name("IAM.Cloud.IBM.com.") == "iam.cloud.ibm.com"
    assert host_name("a" * 64 + ".com") == ""
    assert host_name(".".join(["abcdefgh"] * 29)) == ""


def test_the_authority_gets_each_domain_once():
    domains = Sites([site("quantum.example.org"), site("*.quantum.example.org"), *real_sites()]).domains
    assert {"quantum.cloud.ibm.com", "quantum.example.org", "iam.cloud.ibm.com"} <= set(domains)
    assert "private.iam.cloud.ibm.com" not in domains  # it is below iam.cloud.ibm.com
    assert all(any(f".{one.domain}".endswith(f".{name}") for name in domains) for one in real_sites())


@pytest.mark.parametrize("host", ["auth.quantum-computing.ibm.com", "containers.cloud.ibm.com", "api.planqk.de"])
def test_a_host_of_the_same_domain_with_a_word_in_common_may_be_one_of_the_clouds(host):
    assert Sites(real_sites()).find(host) is None
    known = (*real_sites(), site("api.v2.planqk.de"))
    assert Sites(known).resembles(host)


@pytest.mark.parametrize("host", ["www.ibm.com", "example.org", "quantum.example.org", "localhost", "ibm.com"])
def test_another_host_is_not_taken_for_one_of_the_clouds(host):
    assert not Sites(real_sites()).resembles(host)
