"""The doctor's questions in their order, each answered as far as the earlier ones allow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from freqtrade_fundhedge.cli_common import Loaded, freqtrade_fault
from freqtrade_fundhedge.cli_doctor_journal import Known, journal_findings, known_hedges, transfer_finding
from freqtrade_fundhedge.cli_doctor_plan import below_minimum, free_slots, one_hedge, planned_leverage, whitelist
from freqtrade_fundhedge.cli_doctor_setup import Installed, keys_of, strategy_of
from freqtrade_fundhedge.cli_journal_file import Place, place
from freqtrade_fundhedge.core.account_checks import (
    AccountFacts,
    Funds,
    Holdings,
    clock_finding,
    funds_finding,
    holding_findings,
    key_findings,
    mode_findings,
)
from freqtrade_fundhedge.core.checks import Finding, Verdict, fail, ok, skipped, warn, worst
from freqtrade_fundhedge.core.pair_checks import PairFacts, least, pair_facts, pair_findings, pair_line
from freqtrade_fundhedge.core.setup_checks import config_findings, version_findings
from freqtrade_fundhedge.errors import BackOff, Denied, FundHedgeError, NotSent, OutcomeUnknown, in_words
from freqtrade_fundhedge.venue.connect import connect_account, connect_public
from freqtrade_fundhedge.venue.facts import clock_ahead
from freqtrade_fundhedge.venue.live import LiveVenue, PublicSpot
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount

NO_CONFIG: Final = "the configuration can't be used"


class Skip(Exception):
    """A question that can't be asked; the message says why."""


@dataclass(frozen=True)
class Check:
    """One question with its findings; `details` are for people who want to see all of it."""

    name: str
    findings: Sequence[Finding]
    details: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of its findings."""
        return worst(self.findings)


@dataclass
class Doctor:
    """Asks one question after the other.

    Attributes
    ----------
    config_error : why there is no configuration, "" when there is
    transfer_test : also move 1 USDT there and back
    """

    loaded: Loaded | None
    config_error: str
    installed: Installed
    transfer_test: bool = False
    clock: Callable[[], float] = time.time
    _api: Any = None
    _offline: str = ""
    _denied: bool = False
    _details: list[str] = field(default_factory=list)
    _wallets: tuple[Mapping[str, Decimal], FuturesAccount] | None = None

    def checks(self) -> Iterator[Check]:
        """Each as soon as it is answered."""
        steps: dict[str, Callable[[], Iterator[Finding]]] = {
            "versions": self._versions,
            "config": self._config,
            "keys": self._keys,
            "clock": self._clock,
            "permissions": self._permissions,
            "account": self._account,
            "holdings": self._holdings,
            "pairs": self._pairs,
            "wallets": self._funds,
            "journal": self._journal,
            "transfer": self._transfer,
        }
        for name, step in steps.items():
            self._details = []
            findings = list(self._answers(name, step))
            yield Check(name, findings, tuple(self._details))

    def _answers(self, name: str, step: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        """The step's findings; what stops it is a finding, too."""
        try:
            yield from step()
        except Skip as why:
            yield skipped(name, str(why))
        except (NotSent, OutcomeUnknown) as error:
            self._offline = "the exchange can't be reached"
            text = in_words(str(error).partition("can't be reached: ")[2] or str(error))
            yield fail(name, f"{self._offline}: {text}", "check network, proxies and exchange.ccxt_config")
        except BackOff as error:
            self._offline = "the exchange has asked for a pause"
            yield fail(name, f"{self._offline}: {in_words(str(error))}", "wait: each request makes it longer")
        except Denied as error:
            self._denied = True
            remedy = "check key, secret, its permissions and the IP that it is bound to"
            yield fail(name, f"exchange.key: the exchange refuses the key: {in_words(str(error))}", remedy)
        except (FundHedgeError, OSError) as error:
            yield fail(name, in_words(str(error)))

    # --- what the steps share

    @property
    def _there(self) -> Loaded:
        if self.loaded is None:
            raise Skip(NO_CONFIG)
        return self.loaded

    @property
    def _dry_run(self) -> bool:
        return bool(self._there.config["dry_run"])

    @cached_property
    def _place(self) -> Place:
        return place(self._there)

    @cached_property
    def _known(self) -> Known:
        return known_hedges(self._place)

    @cached_property
    def _venue(self) -> LiveVenue:
        loaded = self._there
        exchange, stake = loaded.config["exchange"], str(loaded.config["stake_currency"])
        return connect_account(self._public(), exchange, loaded.section.spot, stake)

    @cached_property
    def _facts(self) -> AccountFacts | None:
        """None where the exchange has no such questions."""
        return self._private().facts()

    def _public(self) -> Any:
        """Markets, loaded once."""
        if self._offline:
            raise Skip(self._offline)
        if self._api is None:
            self._api = connect_public(self._there.config["exchange"])
        return self._api

    def _private(self) -> LiveVenue:
        """The account, if there is a key that the exchange takes."""
        if self._dry_run:
            raise Skip("dry-run: no key is used")
        if keys_of(self._there).verdict is Verdict.FAIL:
            raise Skip("no key")
        self._public()
        if self._denied:
            raise Skip("the exchange refuses the key")
        return self._venue

    # --- the questions

    def _versions(self) -> Iterator[Finding]:
        there = self.installed
        yield from version_findings(there.python, there.wanted_python, there.requirements, there.versions)

    def _config(self) -> Iterator[Finding]:
        if self.loaded is None:
            yield fail("config", self.config_error)
            return
        if fault := freqtrade_fault(self.loaded.config):
            yield fail("freqtrade", f"Freqtrade refuses the configuration: {fault}", "see Freqtrade's documentation")
        yield from config_findings(self.loaded.config, self.loaded.section)
        yield strategy_of(self.loaded)

    def _keys(self) -> Iterator[Finding]:
        yield keys_of(self._there)

    def _clock(self) -> Iterator[Finding]:
        api = self._public()
        ahead, rtt = clock_ahead(api)
        # The questions that follow are signed by the exchange's clock.
        api.options["timeDifference"] = round(ahead)
        yield clock_finding(ahead, rtt, signed=not self._dry_run)

    def _permissions(self) -> Iterator[Finding]:
        if self._facts is None:
            reasons = self._venue.refuse_reasons()
            yield from (fail(f"account {number}", reason) for number, reason in enumerate(reasons))
            if not reasons:
                yield ok("account", f"{self._venue.name} has nothing against hedging with this key and account")
            yield from (warn(f"advice {number}", line) for number, line in enumerate(self._venue.advice()))
            return
        for key in self._facts.keys:
            yield from key_findings(key, self.clock())

    def _account(self) -> Iterator[Finding]:
        if self._facts is None:
            raise Skip(f"the modes of {self._venue.name} are checked with its permissions")
        yield from mode_findings(self._facts, str(self._there.config["margin_mode"]))

    def _holdings(self) -> Iterator[Finding]:
        spot, futures = self._balances()
        stake = str(self._there.config["stake_currency"])
        yield from holding_findings(Holdings(spot, futures, stake, self._known.coins, self._known.pairs))

    def _balances(self) -> tuple[Mapping[str, Decimal], FuturesAccount]:
        if self._wallets is None:
            venue = self._private()
            if self._facts is not None and not all(key.trades_futures(self.clock()) for key in self._facts.keys):
                raise Skip("the key may not ask about futures")
            self._wallets = venue.spot_balances(), venue.futures_account()
        return self._wallets

    def _pairs(self) -> Iterator[Finding]:
        facts = self._pair_facts
        if facts is None:
            methods = ", ".join(str(item.get("method")) for item in self._there.config.get("pairlists") or [])
            yield ok(
                "pairs", f"chosen while the bot runs ({methods or 'no pairlists'}); those without spot are left out"
            )
            return
        self._details.extend(pair_line(item) for item in facts if not item.never)
        yield from pair_findings(facts)

    @cached_property
    def _pair_facts(self) -> Sequence[PairFacts] | None:
        """None where the configuration does not say which pairs."""
        api, loaded = self._public(), self._there
        names = whitelist(loaded.config["exchange"], api.markets)
        if not names:
            return None
        funding = PublicSpot(api).funding()
        notional = None
        if isinstance(loaded.config.get("stake_amount"), int | float):
            notional = Decimal(str(loaded.config["stake_amount"])) * planned_leverage(loaded)
        facts = []
        for name in names:
            quote = funding.get(name)
            price, interval = (quote.mark_price, quote.interval_h) if quote is not None else (0.0, None)
            facts.append(pair_facts(name, api.markets, notional, price, interval))
        return facts

    def _funds(self) -> Iterator[Finding]:
        config, section = self._there.config, self._there.section
        stake = str(config["stake_currency"])
        if self._dry_run:
            wallet = config.get("dry_run_wallet", 1000)
            futures = wallet.get(stake, 0) if isinstance(wallet, dict) else wallet
            spot_free, futures_free = section.paper.spot_usdt, Decimal(str(futures))
        else:
            balances, account = self._balances()
            spot_free, futures_free = balances.get(stake, ZERO), account.free
        slots = free_slots(config, self._known.open_hedges)
        pooled = not self._dry_run and not self._venue.separate_wallets
        futures_free = ZERO if pooled else futures_free
        margin, cost = one_hedge(self._there, spot_free + futures_free, slots)
        shared = pooled or (section.margin.fund_entries and section.transfer.enabled)
        found = funds_finding(Funds(margin, cost, slots, shared, spot_free, futures_free, stake, pooled))
        yield below_minimum(found, cost, self._minimum())

    def _minimum(self) -> Decimal:
        """The largest minimum order of the pairs; 0 when they are not known."""
        try:
            return least(self._pair_facts or ())
        except (Skip, FundHedgeError):
            return ZERO

    def _journal(self) -> Iterator[Finding]:
        yield from journal_findings(self._place, self.clock())

    def _transfer(self) -> Iterator[Finding]:
        if not self.transfer_test:
            raise Skip("not asked for: --transfer-test moves 1 USDT there and back")
        if not self._there.section.transfer.enabled:
            raise Skip("fundhedge.transfer.enabled is false")
        if not self._private().separate_wallets:
            raise Skip("spot and futures are one account")
        yield transfer_finding(self._there, self._place, self._private())
