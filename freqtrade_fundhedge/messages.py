"""What the user is told through Freqtrade's channels: one line for one change."""

from __future__ import annotations

from decimal import Context as Digits
from decimal import Decimal
from typing import Final

from freqtrade_fundhedge.core.fills import Fills, Result, price
from freqtrade_fundhedge.journal_rows import HedgeRow, TransferRow
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import Direction

HOURS_A_YEAR = 24 * 365
# Telegram takes 4,096 characters; nobody reads that many.
LONGEST: Final = 1000
REMEDY: Final = "if it stays so, see fundhedge settle"
# Freqtrade sends messages to Telegram as Markdown, which refuses one with an opening mark that is never closed.
_MARKS: Final = str.maketrans({"_": " ", "*": " ", "`": "'", "[": "(", "]": ")"})


def for_channels(text: str) -> str:
    """A message that every channel takes: on one line, not too long, and without Markdown's marks."""
    line = " ".join(text.split()).translate(_MARKS)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def opened(hedge: HedgeRow, fills: Fills, multiplier: Decimal, funding: FundingQuote | None) -> str:
    """Both legs stand."""
    perp, spot = price(fills.sold, fills.entered), price(fills.spent, fills.coins_bought)
    text = f"{hedge.pair}: hedge opened: short {number(fills.short)} at {digits(perp)}"
    text += f", spot {number(hedge.held)} at {digits(spot)}"
    if spot:
        text += f", basis {basis(perp, spot, multiplier):+.2%}"
    return text if funding is None else f"{text}, funding {funding_apr(funding):+.1%} a year now"


def changed(hedge: HedgeRow, fills: Fills, before: Fills) -> str:
    """A part was closed or added."""
    step, base = fills.since(before), hedge.symbol.partition("/")[0]
    if fills.short < before.short:
        perp = f"{number(step.exited)} bought back at {digits(price(step.bought, step.exited))}"
        spot = f"{number(step.coins_sold)} {base} sold on spot at {digits(price(step.earned, step.coins_sold))}"
        done = "reduced"
    else:
        perp = f"{number(step.entered)} more short at {digits(price(step.sold, step.entered))}"
        spot = f"{number(step.coins_bought)} {base} bought on spot at {digits(price(step.spent, step.coins_bought))}"
        done = "raised"
    moved = step.coins_sold if done == "reduced" else step.coins_bought
    return f"{hedge.pair}: hedge {done} to {number(fills.short)}: {perp}, {spot if moved else 'nothing on spot'}"


def given_up(hedge: HedgeRow) -> str:
    """An entry waited in the book, and nothing of it was filled."""
    return f"{hedge.pair}: its entry was given up before any of it was filled"


def closed(hedge: HedgeRow, found: Result | None, seconds: float) -> str:
    """What a hedge brought; without `found`, as far as the journal can tell by itself."""
    base, _, quote = hedge.symbol.partition("/")
    total = hedge.short_realised + hedge.spot_cash
    if found is None:
        parts = (
            f"short {cents(hedge.short_realised)} (its fees and funding of {cents(hedge.funding)} included), "
            f"spot {cents(hedge.spot_cash)}"
        )
    else:
        others = "".join(f" and {number(fee)} {coin}" for coin, fee in found.other_fees.items())
        parts = (
            f"funding {cents(found.funding)}, short {cents(found.short)}, spot {cents(found.spot)}, "
            f"fees {cents(-found.fees)}{others}"
        )
    dust = f"; {number(hedge.held)} {base} of dust stays" if hedge.held else ""
    return f"{hedge.pair}: hedge closed after {lasted(seconds)}: {parts}, together {cents(total)} {quote}{dust}"


def transfer(row: TransferRow) -> str:
    """A transfer in a few words."""
    name = "sweep" if row.direction is Direction.SWEEP else "top-up"
    return f"{name} of {number(row.amount)} {row.asset}"


def transferred(row: TransferRow, found: bool = False) -> str:
    """A transfer took effect, and what it took."""
    count = "1 attempt" if row.attempts == 1 else f"{row.attempts} attempts"
    return f"{transfer(row)} done, {count}{', found in the history of the exchange' if found else ''}"


def over(message: str) -> str:
    """What a person was called for has come to an end."""
    return f"no longer: {message}"


def funding_apr(funding: FundingQuote) -> float:
    """The predicted rate as a fraction a year."""
    return funding.rate * HOURS_A_YEAR / funding.interval_h if funding.interval_h else 0.0


def basis(perp: Decimal, spot: Decimal, multiplier: Decimal) -> Decimal:
    """(perp - spot) / spot, for a perpetual that stands for `multiplier` coins."""
    return perp / (spot * multiplier) - 1


def number(value: Decimal) -> str:
    """A quantity without needless zeros or exponents."""
    return f"{value.normalize():f}"


def digits(value: Decimal) -> str:
    """A price, seven digits of it."""
    return number(Digits(prec=7).plus(value))


def cents(value: Decimal) -> str:
    """An amount of quote with its sign; never -0.00."""
    return f"{round(value, 2) + 0:+,.2f}"


def lasted(seconds: float) -> str:
    """A length of time for people."""
    hours = seconds / 3600
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    return f"{hours:.1f} hours" if hours >= 1 else f"{seconds / 60:.0f} min"
