"""Key, account and funds where the exchange has no questions of Binance's kind, or one pool for both sides."""

from __future__ import annotations

from decimal import Decimal as D

from freqtrade_fundhedge.core.account_checks import Funds, funds_finding, told_findings
from freqtrade_fundhedge.core.checks import Verdict


def test_reasons_fail_and_advice_warns() -> None:
    """Each in one line; without either both are well."""
    account, advice = told_findings(["a", "b"], ["c"])
    assert (account.verdict, account.line, advice.verdict, advice.line) == (Verdict.FAIL, "a; b", Verdict.WARN, "c")
    assert {found.verdict for found in told_findings([], [])} == {Verdict.OK}


def test_one_pool_is_counted_once() -> None:
    """1,000 USDT carry two hedges of 400, not four."""
    pooled = funds_finding(Funds(D(100), D(300), 4, True, D(1000), D(0), pooled=True))
    assert pooled.verdict is Verdict.WARN
    assert pooled.text.startswith("1,000.00 USDT free: ")
    assert "2 of 4 fit" in pooled.text
