"""`fundhedge scan`, and the file that the bot keeps for Freqtrade's RemotePairList, against the sandbox exchange."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freqtrade_fundhedge import cli_progress, cli_scan
from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.core.carry import CarryParams
from freqtrade_fundhedge.pairlist_file import write_pairlist
from freqtrade_fundhedge.pairlist_refresh import AGAIN_S, LEAST_S, PairlistRefresh
from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, freqtrade_config
from freqtrade_fundhedge.scan import Scan, Wish
from freqtrade_fundhedge.venue.bulk import public_api
from freqtrade_fundhedge.venue.live import PublicSpot


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sandbox() -> Iterator[SandboxControl]:
    with SandboxServer() as server:
        yield SandboxControl(server.url)


def configured(sandbox: SandboxControl, **exchange: Any) -> str:
    config = {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "exchange": freqtrade_config(sandbox.url, **exchange),
    }
    Path("c.json").write_text(json.dumps(config))
    return "c.json"


def scanned(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str], *options: str, **exchange: Any) -> Any:
    assert run(["scan", "-c", configured(sandbox, **exchange), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def pays(sandbox: SandboxControl, symbol: str, rate: str) -> None:
    sandbox.post("funding", symbol=symbol, rate=rate, past=rate, hours=24 * 60)


def names(answer: Any) -> list[str]:
    return [row["pair"] for row in answer["pairs"]]


def test_every_pair_with_both_markets_is_ranked(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    """One request for all rates, one for each bulk answer, none with a key, and the best net carry is first."""
    pays(sandbox, "1000PEPEUSDT", "0.0008")
    pays(sandbox, "ORCAUSDT", "0.0003")
    pays(sandbox, "XRPUSDT", "-0.0002")
    answer = scanned(sandbox, capsys)
    assert names(answer)[:2] == ["1000PEPE/USDT:USDT", "ORCA/USDT:USDT"]
    assert names(answer)[-1] == "XRP/USDT:USDT"
    assert (answer["perpetuals"], answer["hedgeable"], answer["passed"], answer["measured"]) == (14, 13, 13, 13)
    assert len(answer["pairs"]) == 13
    once = ["/fapi/v1/premiumIndex", "/fapi/v1/fundingInfo", "/fapi/v1/ticker/24hr", "/fapi/v1/ticker/bookTicker",
            "/api/v3/ticker/24hr", "/api/v3/exchangeInfo", "/fapi/v1/exchangeInfo"]  # fmt: skip
    assert [sandbox.count("GET", path) for path in once] == [1] * len(once)
    requests = sandbox.requests()
    assert len(requests) == len(once) + 13
    assert not [request for request in requests if "signature" in request["params"]]  # type: ignore[operator]


def test_the_columns_are_the_markets_own(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    """Interval, multiplier, APR, basis and break-even are those of the pair; what never breaks even is null."""
    pays(sandbox, "ORCAUSDT", "0.0003")
    pays(sandbox, "XRPUSDT", "-0.0002")
    sandbox.post("basis", symbol="1000PEPEUSDT", basis="0.02")
    rows = {row["pair"]: row for row in scanned(sandbox, capsys)["pairs"]}
    orca, pepe, xrp = (rows[f"{coin}/USDT:USDT"] for coin in ("ORCA", "1000PEPE", "XRP"))
    apr = 0.0003 / 4 * 8760
    assert orca["interval_h"] == 4
    assert orca["predicted_apr"] == pytest.approx(apr)
    assert orca["apr_smooth"] == pytest.approx(apr)
    cost = replace(CarryParams(), slippage=orca["spread"] / 4).round_trip
    assert cost > CarryParams().round_trip
    assert orca["net_carry"] == pytest.approx(apr * 720 / 8760 - cost)
    assert orca["breakeven_h"] == pytest.approx(cost / apr * 8760)
    assert (pepe["spot"], pepe["multiplier"]) == ("PEPE/USDT", "1000")
    assert pepe["basis"] == pytest.approx(0.02, abs=0.003)
    assert pepe["spot_volume"] > 1e6
    assert 0 < rows["BTC/USDT:USDT"]["spread"] < pepe["spread"] < 0.01
    assert xrp["breakeven_h"] is None


def test_filters(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    """Thin, halted and blacklisted pairs are left out, and --top cuts the rest."""
    sandbox.post("market", symbol="LTCUSDT", market="spot", status="BREAK")
    sandbox.post("market", symbol="ADAUSDT", market="perp", status="SETTLING")
    answer = scanned(sandbox, capsys, "--min-volume", "20000000", pair_blacklist=["(bnb|doge)/.*"])
    assert (answer["perpetuals"], answer["hedgeable"], answer["passed"]) == (13, 11, 8)
    assert not {f"{coin}/USDT:USDT" for coin in ("LTC", "ADA", "ORCA", "BNB", "DOGE")} & set(names(answer))
    assert len(scanned(sandbox, capsys, "--top", "2")["pairs"]) == 2


def test_a_wide_spread_is_no_promise(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two pairs with the same funding the one with the narrower books is first; without a book there is no pair."""
    for symbol in ("BNBUSDT", "ADAUSDT", "LTCUSDT"):
        pays(sandbox, symbol, "0.002")
    sandbox.post("book", symbol="ADAUSDT", spread_bps="60")
    sandbox.post("book", symbol="LTCUSDT", market="perp", levels=0)
    answer = scanned(sandbox, capsys, "--history", "1")
    assert names(answer)[:2] == ["BNB/USDT:USDT", "ADA/USDT:USDT"]
    assert [row["net_carry"] is None for row in answer["pairs"][:2]] == [False, True]
    assert "LTC/USDT:USDT" not in names(answer)
    bnb, ada = (row["net_carry"] for row in scanned(sandbox, capsys)["pairs"][:2])
    assert bnb - ada == pytest.approx(answer["pairs"][1]["spread"] - 4 * CarryParams().slippage)


def test_history_is_bounded_and_said(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    """Settled funding is asked for the most promising only; the others follow by promise, and it is said."""
    pays(sandbox, "XRPUSDT", "0.0004")
    assert run(["scan", "-c", configured(sandbox), "--history", "1"]) == 0
    shown = capsys.readouterr().out
    assert sandbox.count("GET", "/fapi/v1/fundingRate") == 1
    assert "for the 1 most promising of 13" in " ".join(shown.split())
    (row,) = [line.split() for line in shown.splitlines() if line.startswith("XRP/USDT")]
    cost = CarryParams().round_trip
    even, net = f"{cost / 0.438 * 8760:.0f}", f"{43.8 * 720 / 8760 - cost * 100:.2f}%"
    assert row[4:] == ["8", "43.8%", "43.8%", "0.00%", even, net]


def test_the_table_fits_a_terminal(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    """No line is longer than 80 columns, the widest numbers included."""
    pays(sandbox, "1000PEPEUSDT", "0.02")
    pays(sandbox, "SUIUSDT", "-0.02")
    sandbox.post("basis", symbol="SUIUSDT", basis="-0.35")
    assert run(["scan", "-c", configured(sandbox)]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    for text in ("1000PEPE/USDT", "2190.0%", "-17520.0%", "never", "14 perpetuals", "13 with a spot"):
        assert text in shown


def test_no_configuration_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any file it is Binance and the defaults; a file that was named must be there."""
    assert cli_scan._configuration(None).config == {"exchange": {"name": "binance"}, "stake_currency": "USDT"}
    assert run(["scan", "-c", "nowhere.json"]) == 2
    assert capsys.readouterr().err == "fundhedge: nowhere.json: no such file\n"


@pytest.mark.parametrize(
    ("options", "exchange", "told"),
    [
        (["--top", "0"], {}, "--top"),
        (["--history", "9999"], {}, "--history"),
        (["--min-volume", "-1"], {}, "--min-volume"),
        (["--pairlist", "gone/pairs.json"], {}, "--pairlist: gone/pairs.json: there is no folder gone"),
        (["--pairlist", "."], {}, "--pairlist: . is a directory"),
        ([], {"pair_blacklist": ["*/BTC"]}, "exchange.pair_blacklist: '*/BTC' is not a regular expression"),
        ([], {"name": "binanze"}, "exchange.name: 'binanze' is not an exchange that ccxt knows"),
        ([], {"name": "kraken"}, "exchange.name: kraken can't list what is needed here"),
    ],
)
def test_a_users_error_is_one_line_and_code_2(
    options: list[str], exchange: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong options and settings are told before anything is asked of an exchange."""
    nowhere = SandboxControl("http://127.0.0.1:9")
    assert run(["scan", "-c", configured(nowhere, **exchange), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"fundhedge: {told}" if not told.startswith("--") or ":" in told else "fundhedge: ")
    assert told in err
    assert err.count("\n") == 1


def test_an_exchange_out_of_reach_is_one_line_and_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    """No connection is told as such."""
    assert run(["scan", "-c", configured(SandboxControl("http://127.0.0.1:9"))]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fundhedge: binance can't be reached: ")
    assert err.count("\n") == 1


def test_an_exchange_that_fails_on_the_way_is_one_line_and_code_1(
    sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure in the middle leaves the file as it was."""
    Path("pairs.json").write_text("mine")
    sandbox.fault("http", "/fapi/v1/fundingRate", status=503, times=100)
    assert run(["scan", "-c", configured(sandbox), "--pairlist", "pairs.json"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert Path("pairs.json").read_text() == "mine"


def test_the_file_for_remote_pair_list(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    """The pairs that are shown are written, in their order; without any the file stays as it was."""
    answer = scanned(sandbox, capsys, "--top", "3", "--pairlist", "pairs.json")
    assert json.loads(Path("pairs.json").read_text())["pairs"] == names(answer)
    assert run(["scan", "-c", configured(sandbox), "--min-volume", "1e15", "--pairlist", "pairs.json"]) == 1
    assert capsys.readouterr().err == "fundhedge: no pair passes the filters: pairs.json is left as it was\n"
    assert json.loads(Path("pairs.json").read_text())["pairs"] == names(answer)
    assert [path.name for path in Path().iterdir() if "pairs" in path.name] == ["pairs.json"]


def test_a_file_that_cannot_be_written_stays(tmp_path: Path) -> None:
    """What is there is replaced as a whole or not at all, and nothing is left beside it."""
    target = tmp_path / "pairs.json"
    write_pairlist(target, ["A/USDT:USDT"], 0.0)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_pairlist(tmp_path / "folder", ["B/USDT:USDT"], 0.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pairs.json"]
    assert json.loads(target.read_text()) == {"pairs": ["A/USDT:USDT"], "written": "1970-01-01T00:00:00+00:00"}


class Bench:
    """A refresh with a clock of its own, and how many requests each of its steps made."""

    def __init__(self, sandbox: SandboxControl) -> None:
        self.sandbox, self.now, self.path = sandbox, 1_760_000_000.0, Path("pairs.json")
        api = public_api("binance", freqtrade_config(sandbox.url)["ccxt_config"])  # type: ignore[arg-type]
        funding = PublicSpot(api).funding()
        scan = lambda: Scan(api, lambda: funding, CarryParams(), Wish(history=2))  # noqa: E731
        self.refresh = PairlistRefresh(self.path, scan, 3600, lambda: self.now)

    def step(self) -> int:
        before = len(self.sandbox.requests())
        self.refresh.step()
        return len(self.sandbox.requests()) - before

    def steps(self, count: int) -> list[int]:
        return [self.step() for _ in range(count)]


def test_the_bots_file_takes_one_request_a_loop(sandbox: SandboxControl) -> None:
    """The ranking is spread over loops, written when it is complete, and made again with the next candle."""
    bench = Bench(sandbox)
    assert bench.steps(5) == [0, 1, 1, 1, 1]
    assert not bench.path.exists()
    assert bench.step() == 1
    first = json.loads(bench.path.read_text())
    assert len(first["pairs"]) == 13
    assert bench.steps(3) == [0, 0, 0]
    bench.now += 3600
    assert sum(bench.steps(6)) == 5
    assert json.loads(bench.path.read_text())["written"] > first["written"]


def test_a_failing_exchange_never_fails_the_loop(sandbox: SandboxControl, caplog: pytest.LogCaptureFixture) -> None:
    """An error is said once, the file stays, and it is tried again some minutes later."""
    bench = Bench(sandbox)
    sandbox.fault("http", "/fapi/v1/ticker/24hr", status=503, times=100)
    bench.steps(20)
    assert sandbox.count("GET", "/fapi/v1/ticker/24hr") == 1
    bench.now += AGAIN_S
    bench.steps(20)
    assert sandbox.count("GET", "/fapi/v1/ticker/24hr") == 2
    assert len([record for record in caplog.records if "stays as it is" in record.message]) == 1
    sandbox.clear_faults()
    bench.now += AGAIN_S
    bench.steps(6)
    assert bench.path.exists()


def test_short_candles_do_not_make_it_busy(sandbox: SandboxControl) -> None:
    """With candles of a minute the ranking is made every fifteen."""
    bench = Bench(sandbox)
    bench.refresh = PairlistRefresh(bench.path, bench.refresh._new_scan, 60, lambda: bench.now)
    bench.steps(6)
    bench.now += 60
    assert sum(bench.steps(6)) == 0
    bench.now += LEAST_S
    assert sum(bench.steps(6)) == 5


def test_nothing_is_written_for_an_empty_ranking(sandbox: SandboxControl) -> None:
    """A day on which nothing qualifies does not empty the bot's whitelist."""
    bench = Bench(sandbox)
    api = public_api("binance", freqtrade_config(sandbox.url)["ccxt_config"])  # type: ignore[arg-type]
    nothing = lambda: Scan(api, dict, CarryParams(), Wish())  # noqa: E731
    bench.refresh = PairlistRefresh(bench.path, nothing, 3600, lambda: bench.now)
    bench.steps(8)
    assert not bench.path.exists()


def test_a_fault_of_ours_never_fails_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody expected is logged with its traceback, once, and the loop goes on."""
    now = [1e9]
    refresh = PairlistRefresh(Path("pairs.json"), lambda: 1 / 0, 3600, lambda: now[0])  # type: ignore[arg-type, return-value]
    for _ in range(3):
        refresh.step()
        now[0] += AGAIN_S
    assert len([record for record in caplog.records if record.exc_info]) == 1


@pytest.mark.parametrize(("slow_s", "shown"), [(0.0, True), (60.0, False)])
def test_progress_is_shown_when_it_takes_long(
    slow_s: float,
    shown: bool,
    sandbox: SandboxControl,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a terminal a bar counts the requests for settled funding, unless it is over in a moment."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(cli_progress, "SLOW_S", slow_s)
    assert run(["scan", "-c", configured(sandbox), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)
    assert ("settled funding" in err and "/13" in err) == shown
