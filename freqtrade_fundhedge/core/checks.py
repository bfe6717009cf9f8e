"""What a check says: one finding a question, and what is news in it since the last time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """From harmless to harmful; a skipped question was not answered."""

    OK = "ok"
    SKIPPED = "skipped"
    WARN = "warn"
    FAIL = "fail"


_RANK: Final = {verdict: rank for rank, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes
    ----------
    topic : names the question, the same each time it is asked
    text : what was found; for skipped, why
    remedy : what to do about it; "" when nothing has to be done
    stage : how far a warning has come; a change of it is news, a change of `text` alone is not
    """

    topic: str
    verdict: Verdict
    text: str
    remedy: str = ""
    stage: str = ""

    @property
    def line(self) -> str:
        """Text and remedy in one."""
        return f"{self.text}; {self.remedy}" if self.remedy else self.text


def ok(topic: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(topic, Verdict.OK, text)


def warn(topic: str, text: str, remedy: str = "", stage: str = "") -> Finding:
    """It works, but a careful person would look at it."""
    return Finding(topic, Verdict.WARN, text, remedy, stage)


def fail(topic: str, text: str, remedy: str = "") -> Finding:
    """It can't work, or must not."""
    return Finding(topic, Verdict.FAIL, text, remedy)


def skipped(topic: str, why: str) -> Finding:
    """Not asked."""
    return Finding(topic, Verdict.SKIPPED, why)


def worst(findings: Iterable[Finding]) -> Verdict:
    """The most harmful verdict; skipped only when nothing at all was answered."""
    verdicts = {finding.verdict for finding in findings}
    if not verdicts - {Verdict.SKIPPED}:
        return Verdict.SKIPPED
    return max(verdicts - {Verdict.SKIPPED}, key=_RANK.__getitem__)


@dataclass(frozen=True)
class Change:
    """A finding that is not what it was; `worse` calls for a person."""

    finding: Finding
    worse: bool


def changes(before: Mapping[str, Mapping[str, str]], now: Sequence[Finding]) -> Iterator[Change]:
    """What is news since the last time.

    Parameters
    ----------
    before : verdict and stage by topic, as `remembered` wrote them; a topic that is not there counts as ok
    now : findings; skipped ones are no news
    """
    for finding in now:
        if finding.verdict is Verdict.SKIPPED:
            continue
        known = before.get(finding.topic, {})
        old, stage = str(known.get("verdict", Verdict.OK)), str(known.get("stage", ""))
        if (old, stage) != (finding.verdict, finding.stage):
            yield Change(finding, finding.verdict is not Verdict.OK)


def remembered(before: Mapping[str, Mapping[str, str]], now: Sequence[Finding]) -> dict[str, dict[str, str]]:
    """Verdict and stage by topic, for the next time; a skipped question keeps its last answer."""
    kept = {}
    for finding in now:
        if finding.verdict is not Verdict.SKIPPED:
            kept[finding.topic] = {"verdict": str(finding.verdict), "stage": finding.stage}
        elif finding.topic in before:
            kept[finding.topic] = dict(before[finding.topic])
    return kept
