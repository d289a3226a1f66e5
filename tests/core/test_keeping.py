"""Rules of what is kept: which one holds, and what is no rule."""

from __future__ import annotations

import pytest

from qumulus.core.keeping import Limits, Rules

RULES = Rules("days=400 jobs=1000; kind=service days=30; account=ci jobs=10; account=ci kind=service days=1 gib=0.5")


@pytest.mark.parametrize(
    ("account", "kind", "limits"),
    [
        ("local", None, Limits(days=400, jobs=1000)),
        ("local", "service", Limits(days=30, jobs=1000)),
        ("ci", None, Limits(days=400, jobs=10)),
        ("ci", "service", Limits(days=1, jobs=10, gib=0.5)),
    ],
)
def test_the_rule_that_says_most_holds_limit_by_limit(account, kind, limits):
    assert RULES.limits(account, kind) == limits


def test_kinds_that_rules_name_are_counted_by_themselves():
    assert Rules("days=1; account=ci kind=sampler jobs=1").kinds("local") == frozenset()
    assert RULES.kinds("local") == {"service"}


@pytest.mark.parametrize(
    "text", ["days", "days=", "days=-1", "days=nan", "days=1 days=2", "weeks=3", "account=ci", "days=inf"]
)
def test_what_is_no_rule_is_told(text):
    with pytest.raises(ValueError, match=r"rule|limit|number"):
        Rules(text)


def test_no_rules_keep_everything():
    assert Rules("").limits("local") == Limits()
