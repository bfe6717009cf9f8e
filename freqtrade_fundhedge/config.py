"""The `fundhedge` section of a Freqtrade configuration: frozen, validated, unknown keys refused.

Freqtrade passes the section on unchecked, so everything a user can get wrong in it is caught here, with the full
name of the key and what would be right.
"""

from __future__ import annotations

import difflib
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from freqtrade_fundhedge.errors import ConfigError, redact


def _number(value: object) -> object:
    """Truth is not a number, though Python would take it for one."""
    if isinstance(value, bool):
        raise ValueError("a number is expected")
    return value


def _exact(value: object) -> object:
    """JSON numbers arrive as floats; their shortest text is what the user wrote."""
    return Decimal(str(value)) if isinstance(value, float) else value


def _none_if_empty(value: object) -> object:
    """Freqtrade's own example configurations leave an unused key as ""."""
    return None if value == "" else value


def _none_if_auto(value: object) -> object:
    """Left to the bot."""
    return None if value == "auto" else value


Credential = Annotated[SecretStr | None, BeforeValidator(_none_if_empty)]
Money = Annotated[Decimal, BeforeValidator(_exact), BeforeValidator(_number), Field(allow_inf_nan=False)]
Auto = Annotated[Decimal | None, BeforeValidator(_exact), BeforeValidator(_number), BeforeValidator(_none_if_auto)]
Real = Annotated[float, BeforeValidator(_number)]
Count = Annotated[int, BeforeValidator(_number)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


class Carry(_Section):
    """When a hedge pays. Rates are fractions of notional per 365-day year, simple."""

    entry_apr: Real = Field(
        0.04, ge=-1, le=10, description="Smoothed funding APR, as a fraction, below which no hedge is opened."
    )
    exit_apr: Real = Field(
        0.0, ge=-5, le=10, description="Smoothed funding APR, as a fraction, from which on funding closes no hedge."
    )
    max_breakeven_hours: Real = Field(
        720.0, gt=0, le=8760, description="Longest time, in hours, for a hedge to earn back the round trip's costs."
    )
    spot_fee: Real = Field(0.001, ge=0, le=0.02, description="Fee of one spot order, as a fraction of notional.")
    futures_fee: Real = Field(0.0005, ge=0, le=0.02, description="Fee of one futures order, as a fraction.")
    slippage: Real = Field(
        0.0001, ge=0, le=0.02, description="Half the spread and the impact of one order, as a fraction."
    )

    maker_entries: bool = Field(
        False, description="Let entries wait in the book for the maker's fee while that can't cost more than it saves."
    )
    pairlist_file: str = Field(
        "", description="File that the bot keeps the best pairs in, for Freqtrade's RemotePairList; empty: none."
    )

    def thresholds(self) -> dict[str, float]:
        """The numbers among the keys: what the carry rule depends on."""
        return self.model_dump(exclude={"maker_entries", "pairlist_file"})

    @model_validator(mode="after")
    def _ordered(self) -> Carry:
        if self.exit_apr >= self.entry_apr:
            raise ValueError("exit_apr must be below entry_apr, or every hedge would be closed as soon as it opens")
        return self


class Hedge(_Section):
    """How the spot leg follows the short leg."""

    max_slippage: Money = Field(
        Decimal("0.003"), gt=0, le=Decimal("0.05"),
        description="Furthest from the best price, as a fraction, that a spot order may fill.",
    )  # fmt: skip
    unhedged_timeout_s: Real = Field(
        30.0, ge=1, le=3600, description="Seconds for the spot leg to be completed before the short is asked to exit."
    )
    orphans: Literal["close", "report"] = Field(
        "close",
        description="What to do with surplus spot, or a short of ours that Freqtrade does not know: close, report.",
    )
    stream: bool = Field(
        True, description="Hear of fills from the exchange's own stream and hedge them at once, not at the next loop."
    )


class Transfer(_Section):
    """How USDT moves between the spot and the futures wallet."""

    enabled: bool = Field(True, description="Move USDT at all. Off: only the spot leg is handled.")
    keep_usdt: Money = Field(Decimal(0), ge=0, description="USDT that always stays free in the futures wallet.")
    min_usdt: Money = Field(Decimal(1), ge=Decimal("0.01"), description="Smallest transfer worth making, in USDT.")
    max_attempts: Count = Field(4, ge=1, le=10, description="Sends of one sweep in one go, each a little smaller.")
    retry_delay_s: Real = Field(0.5, ge=0, le=10, description="Seconds between two sends of one sweep.")


class Margin(_Section):
    """The futures wallet and the leverage of the short leg."""

    leverage: Real = Field(3.0, ge=1, le=20, description="Leverage of the short leg.")
    fund_entries: bool = Field(
        True, description="USDT lives on spot; the margin of an entry is moved to futures just before it."
    )
    stress_move: Auto = Field(  # type: ignore[assignment]
        "auto", ge=0, le=3,
        description="Price rise, as a fraction, that shorts must survive; auto: from each pair's own volatility.",
    )  # fmt: skip
    min_liquidation_distance: Money = Field(
        Decimal("0.15"), gt=0, le=1, description="Price rise to liquidation, as a fraction, below which the guard acts."
    )
    guard: bool = Field(
        True, description="Add margin to shorts near liquidation, else shrink or close both legs. Off: only told."
    )


class Spot(_Section):
    """A second API key for spot orders and transfers; without it Freqtrade's own key serves."""

    key: Credential = Field(None, description="API key for the spot leg and the transfers.")
    secret: Credential = Field(None, description="Its secret.")
    password: Credential = Field(None, description="Its passphrase, where the exchange has one.")

    @model_validator(mode="after")
    def _whole(self) -> Spot:
        if (self.key is None) != (self.secret is None):
            raise ValueError("key and secret go together: set both or neither")
        return self


class Paper(_Section):
    """Dry-run only."""

    spot_usdt: Money = Field(Decimal(10_000), ge=0, description="USDT in the paper spot wallet at the first start.")


class FundHedgeConfig(_Section):
    """The whole section. `fundhedge: {}` is a valid one: every key has a default."""

    carry: Carry = Carry()
    hedge: Hedge = Hedge()
    transfer: Transfer = Transfer()
    margin: Margin = Margin()
    spot: Spot = Spot()
    paper: Paper = Paper()
    db_url: str = Field(
        "", description="Journal database; empty: a file named after Freqtrade's own, with -fundhedge.sqlite added."
    )


def parse(config: dict[str, Any]) -> FundHedgeConfig:
    """Validate the section of a whole Freqtrade configuration.

    Parameters
    ----------
    config : Freqtrade's configuration; a missing section means all defaults

    Raises
    ------
    ConfigError : one line with the full key name for the first fault, and how many more there are
    """
    section = config.get("fundhedge", {})
    if not isinstance(section, dict):
        raise ConfigError(f"fundhedge: an object like {{...}} is expected, not {type(section).__name__}")
    try:
        return FundHedgeConfig.model_validate(section)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ConfigError(_fault_line(faults[0]) + more) from None


def bot_name(config: dict[str, Any], dry_run: bool) -> str:
    """Under what name a bot signs in the journal; a dry-run is a bot of its own, also on the same database."""
    name = str(config.get("bot_name") or "freqtrade")
    return f"{name} (dry-run)" if dry_run else name


def check_freqtrade(config: dict[str, Any], section: FundHedgeConfig) -> None:
    """Check the parts of Freqtrade's own configuration that a hedge depends on.

    Raises
    ------
    ConfigError : one line that names the key and what would be right
    """
    mode = str(getattr(config.get("trading_mode"), "value", config.get("trading_mode") or "spot"))
    margin_mode = str(getattr(config.get("margin_mode"), "value", config.get("margin_mode") or ""))
    if mode != "futures":
        raise ConfigError(
            f'trading_mode: "futures" is needed, not "{mode}": Freqtrade trades the short leg, fundhedge the spot leg'
        )
    if margin_mode not in ("isolated", "cross"):
        raise ConfigError(f'margin_mode: "isolated" or "cross" is needed, not "{margin_mode}"')
    if section.transfer.keep_usdt and not section.transfer.enabled:
        raise ConfigError("fundhedge.transfer.keep_usdt: has no effect while fundhedge.transfer.enabled is false")
    for part in ("ccxt_config", "ccxt_sync_config", "ccxt_async_config"):
        if _mentions((config.get("exchange") or {}).get(part), "maxRetriesOnFailure"):
            raise ConfigError(
                f"exchange.{part}: maxRetriesOnFailure has to go: ccxt would send orders and transfers a second time"
            )


def _mentions(value: object, key: str) -> bool:
    """Whether a key stands anywhere in nested objects."""
    if not isinstance(value, dict):
        return False
    return key in value or any(_mentions(inner, key) for inner in value.values())


def _fault_line(fault: Any) -> str:
    where = ".".join(_printable(str(part)) for part in ("fundhedge", *fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return f"{where}: unknown key{_did_you_mean(fault['loc'])}"
    if fault["type"] == "model_type":
        return f"{where}: an object like {{...}} is expected"
    message = str(fault["msg"]).removeprefix("Value error, ")
    value = fault["input"]
    plain = isinstance(value, str | int | float | Decimal) and "spot" not in fault["loc"]
    shown = redact(f", not {str(value)!r}")[:80] if plain else ""
    return f"{where}: {message[0].lower()}{message[1:]}{shown}"


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)


def _did_you_mean(loc: tuple[str | int, ...]) -> str:
    model: Any = FundHedgeConfig
    for part in loc[:-1]:
        model = model.model_fields[str(part)].annotation
    known = list(model.model_fields)
    close = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f", did you mean {close[0]}?" if close else f"; known keys: {', '.join(known)}"
