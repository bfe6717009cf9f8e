"""Putting the parts together for one running bot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from freqtrade_fundhedge.client import freqtrade_api, order_prefix, refresh_markets, spot_api, stream_api
from freqtrade_fundhedge.config import FundHedgeConfig, bot_name
from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.carry import CarryParams
from freqtrade_fundhedge.errors import ConfigError, StartRefused
from freqtrade_fundhedge.frames import SpotCandles, startup_candles, timeframe_ms
from freqtrade_fundhedge.health import Health
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_locks import SingleBot
from freqtrade_fundhedge.journal_open import default_url
from freqtrade_fundhedge.legs import FreqtradeWallet
from freqtrade_fundhedge.market import spot_symbol
from freqtrade_fundhedge.pairlist_file import check_target
from freqtrade_fundhedge.pairlist_refresh import PairlistRefresh
from freqtrade_fundhedge.scan import Scan, Wish, patterns
from freqtrade_fundhedge.stream import FillStream
from freqtrade_fundhedge.venue.answers import Answers
from freqtrade_fundhedge.venue.live import LiveVenue, PublicSpot
from freqtrade_fundhedge.venue.order_stream import listen
from freqtrade_fundhedge.venue.paper import PaperVenue
from freqtrade_fundhedge.venue.port import Venue


@dataclass
class Bot:
    """Everything that lives as long as one FreqtradeBot object."""

    controller: Controller
    spot: PublicSpot
    candles: SpotCandles
    single: SingleBot
    source: Any
    health: Health
    pairlist: PairlistRefresh | None = None
    stream: FillStream | None = None

    @property
    def venue(self) -> Venue:
        """The account that this bot works on."""
        return self.controller.ctx.venue

    def before_loop(self) -> None:
        """Cheap upkeep: markets that Freqtrade reloaded."""
        refresh_markets(self.spot.api, self.source)

    def after_loop(self) -> None:
        """The daily checks, and the pair list by one request, while there is nothing more urgent."""
        if not self.controller.troubles.unreachable and not self.controller.troubles.quiet():
            self.health.step()
        if self.pairlist is not None and not self.controller.trouble and self.controller.plan is None:
            self.pairlist.step()

    def close(self) -> None:
        """Finish what is under way and let the next bot have the journal."""
        if self.stream is not None and not self.stream.stop(3 * self.controller.ctx.request_timeout_s):
            logger.warning("the fill stream did not end in time")
        self.controller.close()
        self.single.release()


def start_bot(
    config: dict[str, Any],
    settings: FundHedgeConfig,
    exchange: Any,
    wallets: Any,
    open_trades: Callable[[], Iterable[Any]],
    whitelist: Callable[[], Sequence[str]],
    tell: Callable[[str], None],
) -> Bot:
    """Connect journal, venue and controller.

    Raises
    ------
    StartRefused, ConfigError, JournalError : one line with the remedy
    """
    dry_run = bool(config.get("dry_run", True))
    stake = str(config["stake_currency"])
    url = settings.db_url or default_url(str(config.get("db_url", "")))
    name = bot_name(config, dry_run)
    single = SingleBot(url, name, str(config["exchange"]["name"]))
    single.acquire()
    try:
        journal = Journal(url, name)
        _check_shorts(journal, open_trades())
        source = freqtrade_api(exchange)
        api = spot_api(source, config["exchange"], settings.spot, with_keys=not dry_run)
        check_markets(api.markets, stake, whitelist())
        wallet = FreqtradeWallet(wallets, stake, open_trades) if dry_run else None
        venue = _venue(api, source, wallet, journal, stake, settings)
        wait_s = float(api.timeout or 10_000) / 1000
        cross, turn = _cross(config), single.turn
        ctx = Context(venue, journal, settings, stake, cross, tell=tell, request_timeout_s=wait_s, turn=turn)
        return _bot(config, ctx, venue, single, source, whitelist)
    except BaseException:
        single.release()
        raise


def _bot(
    config: dict[str, Any], ctx: Context, venue: LiveVenue | PaperVenue, single: SingleBot, source: Any,
    whitelist: Callable[[], Sequence[str]],
) -> Bot:  # fmt: skip
    """What works on a context, begun."""
    live = isinstance(venue, LiveVenue)
    controller, candles = Controller(ctx), _candles(venue, str(config["timeframe"]))
    pairlist = _pairlist(config, ctx.settings, venue.api, controller)
    health = Health(ctx, Answers(venue), whitelist, "cross" if ctx.cross else "isolated", signed=live)
    health.start()
    bot = Bot(controller, venue, candles, single, source, health, pairlist)
    if ctx.settings.hedge.stream and live:
        bot.stream = _stream(controller, source, config["exchange"])
    return bot


def _check_shorts(journal: Journal, trades: Iterable[Any]) -> None:
    """Refuse shorts that the journal knows nothing of: in another one they may have their coins already."""
    hedged = {hedge.pair for hedge in journal.unsettled()}
    for trade in trades:
        if trade.is_short and trade.pair not in hedged and journal.allowance(trade.pair, answered=True) is None:
            raise StartRefused(
                f"{trade.pair}: Freqtrade has a short that the journal knows nothing of; its coins would be "
                "bought, maybe once more. Put back the journal that it was hedged in (same bot_name), or close it by "
                "hand first"
            )


def _venue(
    api: Any, source: Any, wallet: FreqtradeWallet | None, journal: Journal, stake: str, settings: FundHedgeConfig
) -> LiveVenue | PaperVenue:
    """Paper on Freqtrade's dry-run wallet, else the real account."""
    if wallet is not None:
        return PaperVenue(api, wallet, journal, stake, settings.paper.spot_usdt)
    venue = LiveVenue(api, source if settings.spot.key is not None else api, stake)
    if venue.untried:
        logger.warning(
            "%s: never tried against the real exchange; start with a dry-run and small sums, see docs/exchanges.md",
            venue.name,
        )
    return venue


def _stream(controller: Controller, source: Any, exchange: dict[str, Any]) -> FillStream | None:
    """Started, if there is one for this exchange."""
    if stream_api(source, exchange) is None:
        return None
    controller.early.prefix = order_prefix(source)
    controller.ctx.journal.rehearse()
    stream = FillStream(
        partial(listen, partial(stream_api, source, exchange)), controller.early.inbox.append, controller.on_fills
    )
    stream.start()
    return stream


def _cross(config: dict[str, Any]) -> bool:
    return str(getattr(config.get("margin_mode"), "value", config.get("margin_mode"))) == "cross"


def _candles(spot: PublicSpot, timeframe: str) -> SpotCandles:
    return SpotCandles(spot.candles, timeframe, startup_candles(timeframe) + 50)


def _pairlist(
    config: dict[str, Any], settings: FundHedgeConfig, api: Any, controller: Controller
) -> PairlistRefresh | None:
    """Ranks what the controller's own request for all funding rates brought."""
    if not settings.carry.pairlist_file:
        return None
    path = check_target(Path(settings.carry.pairlist_file), "fundhedge.carry.pairlist_file")
    params = CarryParams(**settings.carry.thresholds())
    wish = Wish(str(config["stake_currency"]), blacklist=patterns(config["exchange"].get("pair_blacklist", [])))
    period_s = timeframe_ms(str(config["timeframe"])) / 1000
    return PairlistRefresh(path, lambda: Scan(api, lambda: controller.funding, params, wish), period_s)


def check_exits(strategy: Any) -> None:
    """Refuse settings with which Freqtrade would not ask us whether a short has to close.

    Raises
    ------
    ConfigError : one line that names the setting
    """
    if not strategy.use_exit_signal:
        raise ConfigError("use_exit_signal: true is needed; without it a short whose spot leg failed would stay open")
    if strategy.exit_profit_only:
        raise ConfigError("exit_profit_only: false is needed; a hedged short also has to close at a loss of its own")


def check_markets(markets: dict[str, Any], stake: str, whitelist: Sequence[str]) -> None:
    """Refuse a stake currency or a whitelist that nothing on spot can hedge.

    Raises
    ------
    StartRefused : one line with the remedy
    """
    if not any(m.get("spot") and m.get("quote") == stake for m in markets.values()):
        raise StartRefused(f"stake_currency: this exchange has no spot market in {stake}; choose one that it has")
    without = [pair for pair in whitelist if spot_symbol(pair, markets) is None]
    if without and len(without) == len(whitelist):
        raise StartRefused(
            f"exchange.pair_whitelist: none of its pairs has a spot market: {', '.join(without[:5])}; "
            "list pairs that have one"
        )
    if without:
        logger.warning("never entered, because they have no spot market: %s", ", ".join(without))
