"""Everything that the doctor looks at, made to fail in turn on a sandbox of its own: the fault, and what it says.

`python tests/doctor_faults.py` writes the table between the markers in docs/doctor.md; a test holds it to that.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import create_engine, text

from freqtrade_fundhedge import cli_doctor, round_trip
from freqtrade_fundhedge.cli_common import load
from freqtrade_fundhedge.cli_doctor_setup import Installed, installed
from freqtrade_fundhedge.cli_doctor_steps import Check, Doctor
from freqtrade_fundhedge.core.intents import Move
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, freqtrade_config
from freqtrade_fundhedge.starter_files import STARTERS
from freqtrade_fundhedge.venue.connect import connect_account, connect_public
from freqtrade_fundhedge.venue.port import Direction, Fill, Side

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "doctor.md"
BEGIN, END = "<!-- faults: written by tests/doctor_faults.py -->", "<!-- end of faults -->"
DAY_MS = 86_400_000
BTC = "BTC/USDT:USDT"


@dataclass
class Case:
    """What a fault can turn: the sandbox, the configuration, the package list, and whether to move 1 USDT."""

    sandbox: SandboxControl
    config: dict[str, Any]
    installed: Installed = field(default_factory=installed)
    transfer_test: bool = False

    def permit(self, **permissions: Any) -> None:
        self.sandbox.post("permissions", **permissions)

    def journal(self) -> Journal:
        return Journal("sqlite:///tradesv3-fundhedge.sqlite", "freqtrade")

    def version(self, name: str, version: str) -> None:
        versions = {**self.installed.versions, name: version}
        self.installed = replace(self.installed, versions={n: v for n, v in versions.items() if v})

    def short(self) -> None:
        """A position that somebody opened by hand."""
        self.sandbox.post("balance", asset="USDT", amount="5000", wallet="futures")
        exchange = self.config["exchange"]
        section = load(["config.json"]).section
        api = connect_account(connect_public(exchange), exchange, section.spot, "USDT").futures_api
        api.create_order(BTC, "market", "sell", "0.02")


@dataclass(frozen=True)
class Fault:
    """One row of the table: what goes wrong, how to make it so, and what the check has to say about it."""

    check: str
    verdict: str
    what: str
    make: Callable[[Case], Any]
    says: str


def opened_hedge(case: Case, coins: str = "0.02") -> None:
    """A hedge of the bot's own, its coins bought."""
    journal, now = case.journal(), time.time()
    hedge = journal.hedge(1, now, BTC, "BTC/USDT")
    order = journal.begin_order(hedge, Side.BUY, D(coins), D(65000), now)
    journal.order_done(order.intent_id, Move.ACCEPT, Fill("1", D(coins), D(1300)), now, "BTC", "USDT")
    journal.note_hedge(hedge.id, wanted=D(coins))
    journal.close()


def lost_transfer(case: Case, age_s: float) -> None:
    """A sweep whose answer never came."""
    journal, at = case.journal(), time.time() - age_s
    row = journal.begin_transfer(Direction.SWEEP, "USDT", D("12.34"), D(20), {}, at)
    journal.send_transfer(row.intent_id, D("12.34"), D(20), at)
    journal.transfer_moved(row.intent_id, Move.LOSE, "timed out", at)
    journal.close()


def tables_of_version(case: Case, version: str) -> None:
    """A journal that another release wrote."""
    case.journal().close()
    engine = create_engine("sqlite:///tradesv3-fundhedge.sqlite")
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    engine.dispose()


def other_bot(case: Case) -> None:
    """A journal in which somebody else writes."""
    journal = Journal("sqlite:///tradesv3-fundhedge.sqlite", "another")
    journal.event("note", "hello", time.time())
    journal.close()


HELD: list[FileLock] = []


def running_bot(case: Case) -> None:
    """The lock of a bot, held by this process instead of one of its own."""
    case.journal().close()
    lock = FileLock("tradesv3-fundhedge.sqlite.lock")
    lock.acquire(blocking=False)
    HELD.append(lock)


def setting(path: str, value: Any) -> Callable[[Case], None]:
    """Change one key of the configuration."""

    def change(case: Case) -> None:
        *folders, last = path.split(".")
        target = case.config
        for name in folders:
            target = target.setdefault(name, {})
        target[last] = value

    return change


def posted(control: str, **body: Any) -> Callable[[Case], None]:
    """Change the sandbox."""
    return lambda case: case.sandbox.post(control, **body) and None


def both(*changes: Callable[[Case], Any]) -> Callable[[Case], None]:
    """One after the other."""
    return lambda case: [change(case) for change in changes] and None


def testing(case: Case) -> None:
    case.transfer_test = True


def expires(days: float) -> Callable[[Case], None]:
    return lambda case: case.permit(tradingAuthorityExpirationTime=int(time.time() * 1000 + days * DAY_MS))


def fault_at(kind: str, path: str, **settings: Any) -> Callable[[Case], None]:
    return lambda case: case.sandbox.fault(kind, path, **settings) and None


TRANSFER = "/sapi/v1/asset/transfer"
LOST = {"method": "POST", "seconds": 0.1}
FAULTS = (
    Fault("versions", "fail", "Python is too old", lambda c: setattr(c, "installed", replace(c.installed, python="3.10.4")), "Python 3.10.4, >=3.11 is needed"),
    Fault("versions", "fail", "a package is older than supported", lambda c: c.version("pandas", "1.5.3"), "pandas 1.5.3, >=2.2 is supported"),
    Fault("versions", "fail", "a package is newer than supported", lambda c: c.version("ccxt", "4.7.1"), "ccxt 4.7.1, "),
    Fault("versions", "fail", "a package is missing", lambda c: c.version("ta-lib", ""), "TA-Lib is not installed"),
    Fault("config", "fail", "the file is not there", lambda c: Path("config.json").unlink(), "config.json: no such file"),
    Fault("config", "fail", "the file is not JSON", lambda c: Path("config.json").write_text("{,}"), "config.json: not valid JSON, line 1"),
    Fault("config", "fail", "an unknown key", setting("fundhedge.tranfer", {}), "unknown key, did you mean transfer?"),
    Fault("config", "fail", "a value out of its range", setting("fundhedge.margin.leverage", 50), "fundhedge.margin.leverage: "),
    Fault("config", "fail", "a value that Freqtrade's schema refuses", setting("max_open_trades", "many"), "max_open_trades: "),
    Fault("config", "fail", "spot instead of futures", setting("trading_mode", "spot"), '"futures" is needed'),
    Fault("config", "fail", "a key that Freqtrade needs is missing", lambda c: c.config.pop("stake_amount"), "stake_amount is missing"),
    Fault("config", "fail", "market orders priced on the wrong side", setting("entry_pricing.price_side", "same"), 'price_side = "other"'),
    Fault("config", "fail", "exit signals off", setting("use_exit_signal", False), "use_exit_signal is false"),
    Fault("config", "fail", "exits at a profit only", setting("exit_profit_only", True), "exit_profit_only is true"),
    Fault("config", "fail", "the strategy is not in the user folder", lambda c: Path("user_data/strategies/FundHedgeStrategy.py").unlink(), "no FundHedgeStrategy.py in"),
    Fault("config", "warn", "the strategy is another than this release's", lambda c: Path("user_data/strategies/FundHedgeStrategy.py").write_text("pass"), "not the one of this release"),
    Fault("config", "fail", "posted entries", setting("fundhedge.carry.maker_entries", True), "maker_entries is true"),
    Fault("config", "warn", "limit orders", setting("order_types.entry", "limit"), "order_types.entry is limit"),
    Fault("config", "warn", "margin is to be fetched, transfers are off", setting("fundhedge.transfer.enabled", False), "fund_entries has no effect"),
    Fault("config", "warn", "leverage so high that the warning is always on", setting("fundhedge.margin.leverage", 10), "min_liquidation_distance is 15%"),
    Fault("config", "warn", "a pair list that nobody reads", setting("fundhedge.carry.pairlist_file", "pairs.json"), "no RemotePairList reads it"),
    Fault("config", "warn", "a slow loop", setting("internals.process_throttle_secs", 120), "is looked after only that often"),
    Fault("keys", "fail", "no key, live", setting("exchange.key", ""), "no exchange.key, and the bot is to trade live"),
    Fault("keys", "fail", "a key without its secret", setting("exchange.secret", ""), "exchange.secret is not"),
    Fault("clock", "fail", "the exchange can't be reached", setting("exchange.ccxt_config.urls", {"api": {"public": "http://127.0.0.1:9/api/v3", "fapiPublic": "http://127.0.0.1:9/fapi/v1"}}), "the exchange can't be reached"),
    Fault("clock", "fail", "the exchange is down", fault_at("http", "/api/v3/exchangeInfo", status=503), "the exchange can't be reached"),
    Fault("clock", "fail", "the exchange has banned this address", fault_at("limit", "/api/v3/exchangeInfo", status=418, retry_after=120), "the exchange has asked for a pause"),
    Fault("clock", "fail", "this clock is 3 s ahead", posted("clock", offset_ms=-3000), "ahead of the exchange's, limit 1,000"),
    Fault("clock", "fail", "this clock is 15 s behind", posted("clock", offset_ms=15000), "behind the exchange's, limit 10,000"),
    Fault("clock", "warn", "this clock is 0.8 s ahead", posted("clock", offset_ms=-800), "ahead of the exchange's, limit 1,000"),
    Fault("permissions", "fail", "a key that the exchange does not know", setting("exchange.key", "no-such-key"), "the exchange refuses the key: Invalid API-key"),
    Fault("permissions", "fail", "a wrong secret", setting("exchange.secret", "wrong"), "Signature for this request is not valid. (-1022)"),
    Fault("permissions", "fail", "no reading", lambda c: c.permit(enableReading=False), "the exchange refuses the key"),
    Fault("permissions", "fail", "no spot trading", lambda c: c.permit(enableSpotAndMarginTrading=False), "the key may not trade spot"),
    Fault("permissions", "fail", "no futures trading", lambda c: c.permit(enableFutures=False), "the key may not trade futures"),
    Fault("permissions", "fail", "no universal transfer", lambda c: c.permit(permitsUniversalTransfer=False), "may not move USDT between wallets"),
    Fault("permissions", "fail", "withdrawals allowed", lambda c: c.permit(enableWithdrawals=True), "the key may withdraw"),
    Fault("permissions", "warn", "not bound to an IP", lambda c: c.permit(ipRestrict=False), "works from any address"),
    Fault("permissions", "warn", "ends in six days", expires(6.1), "its right to trade ends in 6 days"),
    Fault("permissions", "fail", "has ended", expires(-1), "its right to trade has ended"),
    Fault("account", "fail", "hedge mode", posted("account", dual_side=True), "is in hedge mode"),
    Fault("account", "fail", "multi-assets mode, isolated margin", posted("account", multi_assets=True), "multi-assets mode, which margin_mode isolated can't use"),
    Fault("account", "warn", "multi-assets mode, cross margin", both(posted("account", multi_assets=True), setting("margin_mode", "cross")), "other coins in the futures wallet are margin too"),
    Fault("account", "fail", "portfolio margin", lambda c: c.permit(enablePortfolioMarginTrading=True), "portfolio margin account"),
    Fault("holdings", "warn", "a position that is not the bot's", Case.short, "a short of 0.02 that the journal does not know"),
    Fault("holdings", "fail", "coins of a hedge are gone", opened_hedge, "the journal holds 0.02 BTC for its hedges, spot has 0"),
    Fault("holdings", "ok", "coins of your own", posted("balance", asset="ETH", amount="1.5"), "not this bot's, never touched: 1.5 ETH"),
    Fault("pairs", "warn", "a pair without a perpetual", setting("exchange.pair_whitelist", [BTC, "NOPE/USDT:USDT"]), "NOPE/USDT:USDT is never entered: the exchange has no such perpetual"),
    Fault("pairs", "warn", "a pair without a spot market", setting("exchange.pair_whitelist", [BTC, "FARTCOIN/USDT:USDT"]), "FARTCOIN/USDT:USDT is never entered: no spot market"),
    Fault("pairs", "warn", "a spot market that is closed", posted("market", symbol="ETHUSDT", market="spot", status="BREAK"), "ETH/USDT is not open for trading"),
    Fault("pairs", "warn", "a perpetual that is closed", posted("market", symbol="ETHUSDT", market="perp", status="SETTLING"), "the perpetual is not open for trading"),
    Fault("pairs", "warn", "a stake below the exchange's minimum", setting("stake_amount", 10), "stake x leverage is 30.00, the perpetual's minimum 50.00"),
    Fault("pairs", "fail", "no pair that can be hedged", setting("exchange.pair_whitelist", ["FARTCOIN/USDT:USDT"]), "no pair can be hedged"),
    Fault("wallets", "fail", "empty wallets", posted("balance", asset="USDT", amount="-9990"), "not one fits"),
    Fault("wallets", "warn", "enough for two of three hedges", posted("balance", asset="USDT", amount="-5000"), "2 of 3 fit"),
    Fault("wallets", "fail", "margin of your own, and none there", setting("fundhedge.margin.fund_entries", False), "not one fits"),
    Fault("wallets", "fail", '"unlimited" stakes too small for an order', both(posted("balance", asset="USDT", amount="-9900"), setting("stake_amount", "unlimited")), "the exchange's minimum 50.00"),
    Fault("journal", "fail", "its folder is not there", setting("fundhedge.db_url", "sqlite:///gone/journal.sqlite"), "its folder gone does not exist"),
    Fault("journal", "fail", "the file is something else", lambda c: Path("tradesv3-fundhedge.sqlite").write_text("x" * 5000), "not a database"),
    Fault("journal", "fail", "written by a newer release", lambda c: tables_of_version(c, "9999"), "of version 9999, which this release does not know"),
    Fault("journal", "warn", "written by an older release", lambda c: tables_of_version(c, "0001"), "of version 0001, this release writes"),
    Fault("journal", "warn", "of another bot", other_bot, 'Nothing of "freqtrade" is in this journal'),
    Fault("journal", "warn", "kept in memory", setting("fundhedge.db_url", "sqlite://"), "kept in memory only"),
    Fault("journal", "warn", "an outcome unknown for a minute", lambda c: lost_transfer(c, 60), "1 of what was sent has no known outcome yet"),
    Fault("journal", "fail", "an outcome unknown for an hour", lambda c: lost_transfer(c, 3600), "sweep of 12.34 USDT: outcome unknown for 60 min"),
    Fault("transfer", "fail", "a bot is running", both(testing, running_bot), "a bot is running on this journal"),
    Fault("transfer", "fail", "nothing on spot to move", both(testing, posted("balance", asset="USDT", amount="-9999.5")), "less than 1 USDT is free on spot"),
    Fault("transfer", "fail", "an earlier transfer is unknown", both(testing, lambda c: lost_transfer(c, 60)), "sweep of 12.34 USDT has no known outcome yet"),
    Fault("transfer", "fail", "the exchange refuses it", both(testing, fault_at("error", TRANSFER, method="POST", code=-5013, msg="Asset transfer failed: insufficient balance")), "rejected: refused as insufficient"),
    Fault("transfer", "fail", "the way back is refused", both(testing, fault_at("error", TRANSFER, method="POST", skip=1, code=-3020, msg="Transfer out amount exceeds max amount.")), "went to futures and did not come back"),
    Fault("transfer", "fail", "the answer is lost, and the history is silent", both(testing, fault_at("drop_before", TRANSFER, **LOST)), "outcome not known"),
    Fault("transfer", "ok", "the answer is lost, and the history has it", both(testing, fault_at("drop_after", TRANSFER, **LOST)), "USDT to futures in"),
)  # fmt: skip


@contextlib.contextmanager
def new_case(folder: Path) -> Iterator[Case]:
    """A fit account, a fit configuration, in an empty folder that is the working one meanwhile."""
    before, pause = Path.cwd(), round_trip.BETWEEN_S
    os.chdir(folder)
    round_trip.BETWEEN_S = 0.01  # type: ignore[misc]
    try:
        with SandboxServer() as server:
            for starter in STARTERS[:2]:
                path = Path("user_data") / starter.place
                path.parent.mkdir(parents=True)
                path.write_bytes(starter.content)
            config = json.loads((ROOT / "config.json.example").read_text()) | {"dry_run": False}
            config["bot_name"] = ""
            config["exchange"] = freqtrade_config(server.url)
            config["exchange"]["ccxt_config"]["timeout"] = 3000
            Path("config.json").write_text(json.dumps(config))
            yield Case(SandboxControl(server.url), config)
    finally:
        os.chdir(before)
        round_trip.BETWEEN_S = pause  # type: ignore[misc]
        while HELD:
            HELD.pop().release()


def examine(case: Case) -> list[Check]:
    """The doctor's answers."""
    if Path("config.json").exists() and Path("config.json").read_text() != "{,}":
        Path("config.json").write_text(json.dumps(case.config))
    try:
        loaded, error = load(["config.json"]), ""
    except ConfigError as refusal:
        loaded, error = None, str(refusal)
    return list(Doctor(loaded, error, case.installed, case.transfer_test).checks())


def code(checks: list[Check]) -> int:
    """The exit code."""
    return cli_doctor._code(checks)


def row(fault: Fault, checks: list[Check]) -> str:
    """The fault's line of the table; what differs from run to run is left out."""
    check = next(check for check in checks if check.name == fault.check)
    found = [f for f in check.findings if f.verdict == fault.verdict and fault.says in steady(f.text)]
    assert found, [f"{f.verdict}: {steady(f.text)}" for f in check.findings]
    cells = (fault.check, fault.what, fault.verdict, steady(found[0].text), steady(found[0].remedy))
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def steady(told: str) -> str:
    """Without times, ports and the last digits of a clock."""
    told = re.sub(r" \(± [\d,]+ ms\)", "", told)
    told = re.sub(r"([\d,]+) ms (?=ahead|behind)", lambda m: f"{round(int(m[1].replace(',', '')), -2):,} ms ", told)
    told = re.sub(r"(?<=this release writes )\d+", "...", told)
    told = re.sub(r"in \d+\.\d s", "in 0.1 s", told)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:...", told)


def table(rows: list[str]) -> str:
    """All of it, as it stands in the docs."""
    return "\n".join(["| check | fault | verdict | what it says | what to do |", "|---|---|---|---|---|", *rows])


def main() -> None:
    """Write the table."""
    rows = []
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as folder, new_case(Path(folder)) as case:
            fault.make(case)
            rows.append(row(fault, examine(case)))
    before, _, rest = DOCS.read_text().partition(BEGIN)
    DOCS.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{rest.partition(END)[2]}")
    sys.stdout.write(f"{len(rows)} faults\n")


if __name__ == "__main__":
    main()
