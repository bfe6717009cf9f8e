"""The `fundhedge` section: what it accepts, and how it says no."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from freqtrade.configuration.config_validation import validate_config_consistency
from freqtrade.enums import RunMode
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from freqtrade_fundhedge.config import FundHedgeConfig, check_freqtrade, parse
from freqtrade_fundhedge.config_reference import rows
from freqtrade_fundhedge.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "config.json.example"
KEYS = [tuple(key.split(".")[1:]) for key, *_ in rows()]
HIDDEN = "Zq9-very-private-Zq9"


def section(*path_and_value: Any) -> dict[str, Any]:
    """`section("carry", "entry_apr", 1)` is a configuration with that one key."""
    *path, value = path_and_value
    for part in reversed(path):
        value = {part: value}
    return {"fundhedge": value}


def refusal(config: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def answer_to(config: dict[str, Any]) -> FundHedgeConfig | str:
    try:
        return parse(config)
    except ConfigError as error:
        return str(error)


def test_everything_has_a_default() -> None:
    """A configuration without the section, and one with an empty section, mean all defaults."""
    assert parse({}) == parse({"fundhedge": {}}) == FundHedgeConfig()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("tranfer", {}), "fundhedge.tranfer: unknown key, did you mean transfer?"),
        (("transfer", "keep_usd", 1), "fundhedge.transfer.keep_usd: unknown key, did you mean keep_usdt?"),
        (("spot", "sercet", HIDDEN), "fundhedge.spot.sercet: unknown key, did you mean secret?"),
        (
            ("zzz", 1),
            "fundhedge.zzz: unknown key; known keys: carry, hedge, transfer, margin, spot, paper, db_url",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(path: tuple[Any, ...], message: str) -> None:
    """A misspelt key is an error that names what was probably meant, never a silent default."""
    assert refusal(section(*path)) == message


@pytest.mark.parametrize(
    "path",
    [
        ("carry", 5),
        ("carry", None),
        ("carry", [1]),
        ("carry", "entry_apr", "high"),
        ("carry", "entry_apr", True),
        ("carry", "entry_apr", float("nan")),
        ("carry", "entry_apr", 11),
        ("carry", "max_breakeven_hours", 0),
        ("hedge", "max_slippage", 0),
        ("hedge", "max_slippage", 0.051),
        ("hedge", "max_slippage", "inf"),
        ("hedge", "unhedged_timeout_s", 0.5),
        ("transfer", "enabled", "maybe"),
        ("transfer", "enabled", 2),
        ("transfer", "keep_usdt", -0.01),
        ("transfer", "keep_usdt", True),
        ("transfer", "keep_usdt", {"a": 1}),
        ("transfer", "min_usdt", 0),
        ("transfer", "max_attempts", 1.5),
        ("transfer", "max_attempts", True),
        ("transfer", "max_attempts", 0),
        ("transfer", "retry_delay_s", -1),
        ("margin", "leverage", 0.5),
        ("margin", "stress_move", "NaN"),
        ("margin", "min_liquidation_distance", 0),
        ("paper", "spot_usdt", -1),
        ("db_url", None),
        ("db_url", 5),
    ],
)
def test_a_bad_value_is_refused_by_its_full_name(path: tuple[Any, ...]) -> None:
    """The one line starts with the full name of the key whose value is wrong."""
    assert refusal(section(*path)).startswith("fundhedge." + ".".join(str(part) for part in path[:-1]) + ": ")


def test_the_refused_value_is_shown() -> None:
    """A plain wrong value stands in the message, so that nobody has to search for it."""
    assert refusal(section("hedge", "max_slippage", 0.06)).endswith("not '0.06'")


def test_further_faults_are_counted() -> None:
    """Two faults still make one line, which says that there is another."""
    assert refusal({"fundhedge": {"a": 1, "carry": 2}}).endswith("(and 1 more)")


@pytest.mark.parametrize("value", [[], "text", 1, None])
def test_a_section_that_is_no_object_is_refused(value: object) -> None:
    """`fundhedge: []` is an error of its own."""
    assert refusal({"fundhedge": value}).startswith("fundhedge: an object like {...} is expected")


def test_exit_must_be_below_entry() -> None:
    """Thresholds that would close every hedge as it opens are refused."""
    assert refusal(section("carry", {"entry_apr": 0.1, "exit_apr": 0.1})).startswith("fundhedge.carry: exit_apr")


@pytest.mark.parametrize("given_part", [{"key": HIDDEN}, {"secret": HIDDEN}, {"key": HIDDEN, "secret": ""}])
def test_half_a_credential_is_refused_without_showing_it(given_part: dict[str, str]) -> None:
    """Key and secret go together, and neither is ever printed."""
    message = refusal(section("spot", given_part))
    assert "both or neither" in message
    assert HIDDEN not in message


@pytest.mark.parametrize("value", [HIDDEN, [HIDDEN], {"key": [HIDDEN]}, {"secret": {"a": HIDDEN}}, {HIDDEN[:3]: 1}])
def test_no_fault_prints_a_secret(value: object) -> None:
    """Whatever is wrong in the credentials, their text stays out of the message."""
    assert HIDDEN not in refusal(section("spot", value))


def test_a_credential_is_not_printed_by_the_section() -> None:
    """repr and str of a parsed section hide the credentials."""
    parsed = parse(section("spot", {"key": HIDDEN, "secret": HIDDEN, "password": HIDDEN}))
    assert HIDDEN not in f"{parsed!r} {parsed}"
    assert parsed.spot.secret is not None
    assert parsed.spot.secret.get_secret_value() == HIDDEN


def test_an_empty_credential_is_none() -> None:
    """`"key": ""`, as in Freqtrade's own examples, means that there is no second key."""
    assert parse(section("spot", {"key": "", "secret": "", "password": ""})).spot == FundHedgeConfig().spot


def test_a_parsed_section_is_frozen() -> None:
    """Nobody changes the configuration behind the others' back."""
    with pytest.raises(ValidationError, match="frozen"):
        FundHedgeConfig().carry.entry_apr = 1.0


@given(st.decimals(min_value=Decimal("0.01"), max_value=10**9, places=8))
def test_money_is_what_the_user_wrote(value: Decimal) -> None:
    """An amount that JSON carried as a float is the decimal that was written, not its binary neighbour."""
    shortest = Decimal(str(float(value)))
    assert parse(section("transfer", "min_usdt", float(value))).transfer.min_usdt == shortest


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(max_size=8)
    | st.sampled_from(["1", "0.5", "true", "-1", "1e400", "\n", "NaN"])
)
KEY_NAMES = st.sampled_from(["spot", "carry", "secret", "entry_apr"]) | st.text(max_size=3)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=4), SCALARS, max_size=2)


@given(st.sampled_from(KEYS), VALUES)
def test_any_value_is_taken_or_refused_in_one_line(path: tuple[str, ...], value: object) -> None:
    """Whatever stands in a key, the answer is a valid section or one printable line that names the key or its group."""
    answer: Any = answer_to(section(*path, value))
    if isinstance(answer, str):
        assert answer.startswith("fundhedge." + path[0])
        assert answer.isprintable()
        return
    for part in path:
        answer = getattr(answer, part)
    assert not isinstance(answer, BaseModel)


@given(st.recursive(SCALARS, lambda inner: st.dictionaries(KEY_NAMES, inner, max_size=3)))
def test_any_section_is_taken_or_refused(value: object) -> None:
    """No shape of the section ends in anything but a value or a ConfigError."""
    answer = answer_to({"fundhedge": value})
    assert isinstance(answer, FundHedgeConfig) or answer.isprintable()


GOOD = {"trading_mode": "futures", "margin_mode": "isolated"}


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_futures_with_either_margin_mode_is_fit(mode: str) -> None:
    """Both margin modes are supported."""
    check_freqtrade(GOOD | {"margin_mode": mode}, FundHedgeConfig())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"trading_mode": "spot"}, "trading_mode"),
        ({"trading_mode": None}, "trading_mode"),
        ({"margin_mode": ""}, "margin_mode"),
        ({"margin_mode": None}, "margin_mode"),
    ],
)
def test_other_modes_are_refused(change: dict[str, Any], named: str) -> None:
    """Without futures there is no short leg; the line names Freqtrade's key."""
    with pytest.raises(ConfigError, match=f"^{named}: "):
        check_freqtrade(GOOD | change, FundHedgeConfig())


def test_a_float_to_keep_without_transfers_is_refused() -> None:
    """keep_usdt can't be kept when transfers are off; its default of 0 contradicts nothing."""
    off = section("transfer", {"enabled": False, "keep_usdt": 5})
    with pytest.raises(ConfigError, match="keep_usdt"):
        check_freqtrade(GOOD | off, parse(off))
    quiet = section("transfer", {"enabled": False, "keep_usdt": 0})
    check_freqtrade(GOOD | quiet, parse(quiet))


@pytest.fixture(name="example")
def _example() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(EXAMPLE.read_text())
    return loaded


def test_the_example_shows_every_key_with_its_default(example: dict[str, Any]) -> None:
    """config.json.example holds each fundhedge key exactly once, all at their defaults."""
    shown = {
        (group, key) if isinstance(value, dict) else (group,)
        for group, value in example["fundhedge"].items()
        for key in (value if isinstance(value, dict) else [group])
    }
    assert shown == set(KEYS)
    assert parse(example) == FundHedgeConfig()


@pytest.mark.parametrize("mode", [RunMode.DRY_RUN, RunMode.LIVE, RunMode.BACKTEST])
def test_the_example_passes_freqtrades_own_checks(example: dict[str, Any], mode: RunMode) -> None:
    """Freqtrade takes the example as it is, with the stoploss and ROI that a strategy always brings."""
    brought = {"stoploss": -0.99, "minimal_roi": {"0": 100}, "timeframe": "1h", "user_data_dir": "u", "datadir": "d"}
    validate_config_consistency(example | brought | {"runmode": mode})
    check_freqtrade(example, parse(example))


@pytest.mark.parametrize("part", ["ccxt_config", "ccxt_sync_config", "ccxt_async_config"])
@pytest.mark.parametrize("options", [{"maxRetriesOnFailure": 3}, {"transfer": {"maxRetriesOnFailure": 1}}])
def test_ccxt_may_not_send_again_by_itself(part: str, options: dict[str, Any]) -> None:
    """ccxt's own retries would repeat an order or a transfer whose answer was lost."""
    config = {"trading_mode": "futures", "margin_mode": "isolated", "exchange": {part: {"options": options}}}
    with pytest.raises(ConfigError, match=rf"exchange\.{part}: maxRetriesOnFailure has to go"):
        check_freqtrade(config, parse({}))
    config["exchange"] = {part: {"options": {"defaultType": "swap"}}}
    check_freqtrade(config, parse({}))
