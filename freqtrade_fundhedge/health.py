"""The doctor's questions, asked by the running bot at its start and once a day: what changed, and may it still enter.

Asked after the loop's own work and in a handful of requests. What can't be asked now is asked again later; what was
found goes into the journal, so that a change is known across restarts too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.core.account_checks import AccountFacts, clock_finding, fitness, told_findings
from freqtrade_fundhedge.core.checks import Change, Finding, Verdict, changes, fail, ok, remembered, skipped, warn
from freqtrade_fundhedge.core.pair_checks import pair_facts
from freqtrade_fundhedge.errors import Denied, StartRefused, VenueError
from freqtrade_fundhedge.journal_rows import EventRow
from freqtrade_fundhedge.journal_trail import Wish, newest

DAY_S: Final = 86_400.0
SOON_S: Final = 600.0
DENIED_S: Final = 60.0
KIND: Final = "checks"
PASSED: Final = "check_passed"
NOT_READ: Final = "the key's permissions could not be read yet"


class Source(Protocol):
    """Where the answers come from; every method but the last two may raise VenueError."""

    def facts(self) -> AccountFacts | None:
        """Keys and modes; None where the venue has no such questions."""

    def refuse_reasons(self) -> Sequence[str]:
        """What forbids hedging, one line each."""

    def advice(self) -> Sequence[str]:
        """What a careful person would change, one line each."""

    def clock(self) -> tuple[float, float]:
        """Milliseconds that this machine is ahead, and the round trip's."""

    def markets(self) -> Mapping[str, Any]:
        """ccxt's, as loaded last."""

    def denied(self) -> bool:
        """Whether the exchange has refused the key since this was asked last."""


@dataclass
class Health:
    """Remembers what was found last.

    Attributes
    ----------
    whitelist : pairs as they are now
    margin_mode : Freqtrade's
    signed : requests carry the clock's time; false in a dry-run
    refusal : why nothing may be entered, "" when something may
    """

    ctx: Context
    source: Source
    whitelist: Callable[[], Sequence[str]]
    margin_mode: str
    signed: bool = True
    refusal: str = NOT_READ
    _next_at: float = float("-inf")
    _looked_at: float = float("-inf")
    _before: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def start(self) -> None:
        """The first look.

        Raises
        ------
        StartRefused : key or account are not fit, with the remedy. A bot with open hedges starts nevertheless and only
            enters nothing: somebody has to close them.
        """
        self._before = self._remembered()
        self._look()
        if self.refusal and self.refusal != NOT_READ:
            if not any(hedge.state != "closed" for hedge in self.ctx.journal.unsettled()):
                raise StartRefused(self.refusal)
            self.ctx.once("check start", f"no new entries, open hedges are looked after: {self.refusal}")

    def step(self) -> None:
        """Look again when it is time, or soon after the exchange has refused the key."""
        now = self.ctx.clock()
        if self.source.denied():
            self._next_at = min(self._next_at, self._looked_at + DENIED_S)
        if now >= self._next_at:
            self._look()

    def _look(self) -> None:
        """Failures of the check itself change nothing but the time of the next one."""
        now = self._looked_at = self.ctx.clock()
        try:
            account = list(self._account(now))
        except VenueError as error:
            self._next_at = now + (SOON_S if self._before and self.refusal != NOT_READ else 0.0)
            why = "no entries until they can" if self.refusal == NOT_READ else "the last answer stands"
            logger.warning("the key's permissions can't be read now, %s: %s", why, error)
            return
        findings = [*account, *self._clock(), *self._pairs()]
        bad = [finding.line for finding in account if finding.verdict is Verdict.FAIL]
        self.refusal = "; ".join(bad)
        self._next_at = now + (SOON_S if bad else DAY_S)
        if not bad:
            self.ctx.settled("check start")
        self._tell(findings)

    def _account(self, now: float) -> Iterator[Finding]:
        try:
            facts = self.source.facts()
            if facts is not None:
                yield from fitness(facts, self.margin_mode, now)
            else:
                yield from told_findings(self.source.refuse_reasons(), self.source.advice())
        except Denied as error:
            yield fail("key-refused", f"exchange.key: the exchange refuses the key: {error}")
        else:
            yield ok("key-refused", "the exchange takes the key")

    def _clock(self) -> Iterator[Finding]:
        try:
            yield clock_finding(*self.source.clock(), signed=self.signed)
        except VenueError as error:
            yield skipped("clock", str(error))

    def _pairs(self) -> Iterator[Finding]:
        """One each; a pair that is new to the list is no news whatever it is."""
        markets = self.source.markets()
        for pair in self.whitelist():
            facts, topic = pair_facts(pair, markets), f"pair {pair}"
            if facts.never and topic in self._before:
                yield warn(topic, f"{pair} is not entered any more: {facts.never}")
            elif not facts.never:
                yield ok(topic, f"{pair} can be hedged")

    def _tell(self, findings: Sequence[Finding]) -> None:
        news = list(changes(self._before, findings))
        self._before = dict(remembered(self._before, findings))
        for change in news:
            self._say(change)
        bad = sum(finding.verdict in (Verdict.WARN, Verdict.FAIL) for finding in findings)
        text = f"{len(findings)} checks of key, account, clock and pairs, {bad} not well, {len(news)} changed"
        self.ctx.record(KIND, text, verdicts=self._before)

    def _say(self, change: Change) -> None:
        topic = f"check {change.finding.topic}"
        # A stage further is a new call; what it said before is over.
        if change.worse:
            self.ctx.once(topic, change.finding.line)
            return
        self.ctx.settled(topic)
        self.ctx.record(PASSED, f"put right: {change.finding.text}", tell=True, topic=change.finding.topic)

    def _remembered(self) -> dict[str, Mapping[str, str]]:
        """What the journal says was found last; whatever somebody made of it."""
        wish = Wish(frozenset({"event"}), event=KIND)
        rows = [entry.row for entry in newest(self.ctx.journal.engine, self.ctx.journal.bot, wish, 1)]
        data = rows[0].data if rows and isinstance(rows[0], EventRow) else {}
        known = data.get("verdicts") if isinstance(data, dict) else None
        if not isinstance(known, dict):
            return {}
        return {str(topic): value for topic, value in known.items() if isinstance(value, dict)}
