"""Transfers: resolve what is unknown, then at most one movement towards what the wallets should hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.core.intents import Move, State, unique_amount
from freqtrade_fundhedge.core.margin import Stress, same_for_all
from freqtrade_fundhedge.core.outcome import INTERRUPTED, by_records
from freqtrade_fundhedge.core.treasury import (
    Movement,
    Needs,
    Rules,
    allocate,
    applied_by_balances,
    decide,
    reduced,
)
from freqtrade_fundhedge.errors import BackOff, Denied, Insufficient, NotSent, OutcomeUnknown, Rejected
from freqtrade_fundhedge.journal_rows import HedgeRow, TransferRow, epoch
from freqtrade_fundhedge.messages import REMEDY, transferred
from freqtrade_fundhedge.messages import transfer as phrase
from freqtrade_fundhedge.pauses import Pauses
from freqtrade_fundhedge.schema import transfers
from freqtrade_fundhedge.venue.port import (
    Direction,
    Evidence,
    FuturesAccount,
    TransferRecord,
    TransferRequest,
)

# How late Binance's history may be is not documented. An empty answer counts only after this long, three times over,
# and only when the futures balance agrees that nothing moved.
ABSENT_AFTER_S = 120.0
CLOCK_SLACK_S = 5.0
# The history counts in whole seconds. A wider margin would meet what our own loop before had moved.
BY_HAND_SLACK_S = 1.0
REFUSED_PAUSE_S = 60.0
FOUND = "found in the history"
TRANSFER = "transfer"
BY_HAND = "asked_for"
SWEEPS_IN_A_ROW = 3
BOUNDLESS = Decimal(10) ** 18


@dataclass
class Treasurer:
    """Acts on the two wallets of one account."""

    ctx: Context
    stress: Stress = field(init=False)
    _not_before: float = float("-inf")
    _cut: Decimal = Decimal(0)
    _pauses: Pauses = field(default_factory=lambda: Pauses(SWEEPS_IN_A_ROW))

    def __post_init__(self) -> None:
        self.stress = same_for_all(self.ctx.settings.margin.stress_move)

    def rules(self) -> Rules:
        """The user's settings as the pure core wants them."""
        transfer, margin = self.ctx.settings.transfer, self.ctx.settings.margin
        return Rules(transfer.keep_usdt, transfer.min_usdt, self.stress, self.ctx.cross, margin.fund_entries)

    def resolve_all(self, account: FuturesAccount | None) -> bool:
        """True when no transfer is without a known outcome any more."""
        return not [row for row in self.ctx.journal.open_transfers() if not self.resolve(row, account)]

    def resolve(self, row: TransferRow, account: FuturesAccount | None = None) -> bool:
        """Settle a transfer without a known outcome from the exchange's evidence. True when it is settled."""
        ctx, journal = self.ctx, self.ctx.journal
        if row.state is State.PLANNED:
            journal.transfer_moved(row.intent_id, Move.GIVE_UP, "stopped before it was sent", ctx.clock())
            return True
        if row.state is State.SENT:
            row = journal.transfer_moved(row.intent_id, Move.LOSE, INTERRUPTED, ctx.clock())
        record = self._match(row)
        evidence = record.evidence if record is not None else Evidence.NOT_SEEN
        lookups = journal.not_seen(transfers, row.intent_id) if record is None else 0
        move = by_records(evidence, lookups, ctx.clock() - epoch(row.sent_at), ABSENT_AFTER_S)
        if move is Move.PROVE_ABSENT and not self._unmoved(row, account or ctx.venue.futures_account()):
            move = None
        if move is None:
            open_end = f": outcome not known yet; nothing else moves until it is; {REMEDY}"
            stands = open_end if record is None else " is pending at the exchange"
            ctx.once(f"transfer {row.intent_id}", phrase(row) + stands)
            return False
        if record is not None and move is Move.FIND:
            self.conclude(row, move, FOUND, record.exchange_id)
            return True
        absent = f"not in the history in {lookups} lookups, and the balance has not moved"
        self.conclude(row, move, absent if record is None else "the history says FAILED")
        return True

    def conclude(self, row: TransferRow, move: Move, answer: str, exchange_id: str | None = None) -> None:
        """Write the outcome of a transfer; a sweep that took effect is credited to the hedges that freed it."""
        ctx, applied = self.ctx, move in (Move.ACCEPT, Move.FIND)
        shares = self.shares(row) if applied else None
        ctx.journal.transfer_moved(row.intent_id, move, answer, ctx.clock(), exchange_id, shares)
        ctx.settled(f"transfer {row.intent_id}")
        if applied:
            ctx.settled("key")
            text = transferred(row, found=answer == FOUND)
            ctx.record("transfer_done", text, tell=True, intent=row.intent_id, amount=str(row.amount))
        elif move is Move.REFUSE:
            ctx.record("transfer_failed", f"{phrase(row)} failed at the exchange")
        else:
            ctx.record("transfer_absent", f"{phrase(row)} never took effect", tell=True)

    def _match(self, row: TransferRow) -> TransferRecord | None:
        since = epoch(row.sent_at) - CLOCK_SLACK_S
        listed = self.ctx.venue.transfers(row.direction, row.asset, since)
        if key := self.ctx.venue.transfer_key(_attempt_key(row)):
            return next((r for r in listed if r.client_key == key), None)
        fitting = [r for r in listed if r.amount == row.amount and r.at >= int(since)]
        claimed = self.ctx.journal.claimed([r.exchange_id for r in fitting])
        return next((r for r in sorted(fitting, key=lambda r: r.at) if r.exchange_id not in claimed), None)

    def _unmoved(self, row: TransferRow, account: FuturesAccount) -> bool:
        """Whether the futures balance is what it would be without the transfer.

        Bookings right at the send may stand on either side of it by the exchange's clock, so all readings count: one
        that speaks for the transfer outweighs one that speaks against it.
        """
        sent = epoch(row.sent_at)
        others = self._others(row, sent - BY_HAND_SLACK_S)
        booked = [self.ctx.venue.wallet_flows(row.asset, sent - slack) for slack in (0.0, CLOCK_SLACK_S)]
        moved = [_net(others, start) for start in (sent + 1.0, sent - BY_HAND_SLACK_S)]
        flows = (by_market + by_hand for by_market in booked for by_hand in moved)
        incoming = row.direction is Direction.TOP_UP
        verdicts = {applied_by_balances(row.wallet_before, account.wallet, f, row.amount, incoming) for f in flows}
        return False in verdicts and True not in verdicts

    def _others(self, row: TransferRow, since: float) -> list[TransferRecord]:
        """Transfers that are not ours: the user may have moved USDT by hand in the meantime.

        Our own are all older than the balance that was read before this one: nothing of ours moves until it is settled.
        """
        listed = [r for d in Direction for r in self.ctx.venue.transfers(d, row.asset, since)]
        ours = self.ctx.journal.claimed([r.exchange_id for r in listed], own=True)
        return [r for r in listed if r.evidence is Evidence.APPLIED and r.exchange_id not in ours]

    def step(self, account: FuturesAccount, needs: Needs) -> Movement | None:
        """Make the movement that the wallets need now. The movement that took effect, None without one.

        Raises
        ------
        OutcomeUnknown, NotSent : the exchange is not in a state to be asked for more
        """
        ctx = self.ctx
        if not ctx.settings.transfer.enabled or not ctx.venue.separate_wallets or ctx.clock() < self._not_before:
            return None
        if self._pauses.resting(TRANSFER, ctx.clock()):
            return None
        if self.ctx.settings.margin.fund_entries:
            needs = replace(needs, freed=needs.freed + self._cut)  # what refusals took off the last sweep is due still
        movement = decide(account, self.rules(), replace(needs, spot_free=BOUNDLESS))
        self._cut = self._cut if movement is not None else Decimal(0)
        if movement is not None and movement.direction is Direction.TOP_UP:
            # Only a top-up needs to know what spot can spare: a clean sweep costs no second balance request.
            needs = replace(needs, spot_free=self._spot_free())
            movement = decide(account, self.rules(), needs)
        return self._execute(movement, account, needs) if movement is not None else None

    def _spot_free(self) -> Decimal:
        self.ctx.meanwhile()
        return self.ctx.venue.spot_balances().get(self.ctx.stake, Decimal(0))

    def _execute(self, movement: Movement, account: FuturesAccount, needs: Needs) -> Movement | None:
        """One intent, up to `max_attempts` sends, each after a refusal that proves that nothing moved."""
        ctx, journal = self.ctx, self.ctx.journal
        ctx.meanwhile()
        row = journal.begin_transfer(
            movement.direction, ctx.stake, movement.amount, account.wallet, movement.arithmetic, ctx.clock()
        )
        started = ctx.clock()
        for attempt in range(ctx.settings.transfer.max_attempts):
            if attempt:
                delay = ctx.settings.transfer.retry_delay_s
                if ctx.clock() - started + delay > ctx.request_timeout_s:
                    break
                ctx.wait(delay)
                account = ctx.venue.futures_account()
                again = self._again(movement.direction, account, needs)
                if again is None:
                    break
                movement = again
            amount = self._amount(movement, account, attempt, row)
            if amount < ctx.settings.transfer.min_usdt:
                break
            row = journal.send_transfer(row.intent_id, amount, account.wallet, ctx.clock())
            outcome = self._send(row)
            if outcome is Move.ACCEPT:
                self._cut = movement.amount - amount if movement.direction is Direction.SWEEP else Decimal(0)
            if outcome is not Move.REDUCE:
                return replace(movement, amount=amount) if outcome is Move.ACCEPT else None
        journal.transfer_moved(row.intent_id, Move.GIVE_UP, "refused each time; a later loop goes on", ctx.clock())
        self._pauses.failed(TRANSFER, ctx.clock())
        return None

    def send_once(self, direction: Direction, amount: Decimal, account: FuturesAccount, why: str) -> TransferRow:
        """One attempt of a transfer that a person asked for; `why` goes into the journal. Sweeps nothing freed.

        Raises
        ------
        OutcomeUnknown, NotSent, BackOff : as from `step`
        """
        ctx, journal = self.ctx, self.ctx.journal
        figures = {BY_HAND: why}
        row = journal.begin_transfer(direction, ctx.stake, amount, account.wallet, figures, ctx.clock())
        exact = unique_amount(amount, ctx.venue.transfer_step, row.serial)
        row = journal.send_transfer(row.intent_id, exact, account.wallet, ctx.clock())
        if self._send(row) is Move.REDUCE:
            journal.transfer_moved(row.intent_id, Move.GIVE_UP, "refused as insufficient", ctx.clock())
        return journal.transfer_row(row.intent_id)

    def _again(self, direction: Direction, account: FuturesAccount, needs: Needs) -> Movement | None:
        if direction is Direction.TOP_UP:
            needs = replace(needs, spot_free=self._spot_free())
        movement = decide(account, self.rules(), needs)
        return movement if movement is not None and movement.direction is direction else None

    def _amount(self, movement: Movement, account: FuturesAccount, attempt: int, row: TransferRow) -> Decimal:
        limit = account.withdrawable if movement.direction is Direction.SWEEP else movement.amount
        ceiling = reduced(limit, movement.amount, attempt)
        return unique_amount(ceiling, self.ctx.venue.transfer_step, row.serial)

    def _send(self, row: TransferRow) -> Move:
        """One attempt: accepted, refused, or refused for being too much; anything else is raised."""
        ctx, journal = self.ctx, self.ctx.journal
        request = TransferRequest(_attempt_key(row), row.direction, row.asset, row.amount)
        try:
            exchange_id = ctx.venue.send_transfer(request)
        except OutcomeUnknown as error:
            journal.transfer_moved(row.intent_id, Move.LOSE, str(error), ctx.clock())
            ctx.record("transfer_unknown", f"{phrase(row)}: the answer was lost; looking it up before anything else")
            raise
        except NotSent as error:
            journal.transfer_moved(row.intent_id, Move.PROVE_ABSENT, str(error), ctx.clock())
            self._pauses.failed(TRANSFER, ctx.clock())
            raise
        except Insufficient as error:
            journal.transfer_moved(row.intent_id, Move.REDUCE, str(error), ctx.clock())
            ctx.record("transfer_refused", f"{phrase(row)} refused as insufficient (attempt {row.attempts})")
            return Move.REDUCE
        except Rejected as error:
            self._rejected(row, error)
            if isinstance(error, BackOff):
                raise
            return Move.REFUSE
        self.conclude(row, Move.ACCEPT, "accepted", exchange_id)
        self._pauses.worked(TRANSFER)
        return Move.ACCEPT

    def _rejected(self, row: TransferRow, error: Rejected) -> None:
        ctx = self.ctx
        ctx.journal.transfer_moved(row.intent_id, Move.REFUSE, str(error), ctx.clock())
        pause = error.retry_after_s or REFUSED_PAUSE_S if isinstance(error, BackOff) else REFUSED_PAUSE_S
        self._not_before = ctx.clock() + pause
        logger.warning("%s refused: %s", phrase(row), error)
        if isinstance(error, Denied):
            ctx.once("key", f"the exchange refuses {phrase(row)}: {error}; check the key's permissions")

    def shares(self, row: TransferRow) -> dict[str, Decimal]:
        """How much of a sweep each hedge freed; nobody's when the whole wallet is ours to sweep."""
        if row.direction is not Direction.SWEEP or BY_HAND in row.arithmetic:
            return {}
        hedges: Sequence[HedgeRow] = self.ctx.journal.unsettled()
        return allocate(row.amount, [(hedge.id, hedge.unswept) for hedge in hedges])


def _net(records: Sequence[TransferRecord], start: float) -> Decimal:
    """What transfers since `start` added to the futures wallet."""
    late = [r for r in records if r.at >= int(start)]
    return sum((r.amount if r.direction is Direction.TOP_UP else -r.amount for r in late), Decimal(0))


def _attempt_key(row: TransferRow) -> str:
    """Each attempt under its own key: a venue may refuse to see the key of a refused one again."""
    return row.intent_id if row.attempts <= 1 else f"{row.intent_id}-{row.attempts}"
