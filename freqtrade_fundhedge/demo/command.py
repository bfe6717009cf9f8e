"""The `demo` command."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from filelock import FileLock, Timeout
from rich.markup import escape

from freqtrade_fundhedge.cli_common import JsonOption, print_json
from freqtrade_fundhedge.demo.bot import BotProcess, find_strategies
from freqtrade_fundhedge.demo.facts import SYMBOL, Books, JournalView, read_books
from freqtrade_fundhedge.demo.narrator import Narrator, console
from freqtrade_fundhedge.demo.page import write_report
from freqtrade_fundhedge.demo.result import Evidence, checks
from freqtrade_fundhedge.demo.show import as_json, show
from freqtrade_fundhedge.demo.story import TRANSFER_PATH, Story, set_scene
from freqtrade_fundhedge.errors import ConfigError, FundHedgeError
from freqtrade_fundhedge.sandbox import ControlError, SandboxControl, SandboxServer


def demo_command(
    output: Annotated[
        Path, typer.Option(help="Folder for the bot's log, journal and trades; made if it is not there.")
    ] = Path("demo-output"),
    as_machine: JsonOption = False,
) -> None:
    """Play a hedge from entry to sweep: a real bot, live, on a sandbox exchange on this machine.

    \b
    Examples:
      fundhedge demo
      fundhedge demo --output /tmp/demo --json
    """
    strategies = find_strategies()
    folder = output.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder), _terminable():
        answer = run_demo(folder, strategies, quiet=as_machine)
    if as_machine:
        print_json(answer)
    if not answer["ok"]:
        raise typer.Exit(1)


def run_demo(folder: Path, strategies: Path, quiet: bool) -> dict[str, Any]:
    """Play the story and show the result; whatever happens, nothing is left running.

    Parameters
    ----------
    folder : absolute, exists
    strategies : where FundHedgeStrategy.py is
    quiet : print nothing
    """
    out, began = console(quiet), time.monotonic()
    answer: dict[str, Any] = {"ok": False, "folder": str(folder)}
    with SandboxServer() as server:
        bot = BotProcess(folder, server.url, strategies)
        journal = JournalView(bot.journal_file, bot.journal_url)
        narrator = Narrator(out, journal, lambda: _books(server.control))
        try:
            evidence = _perform(bot, server.control, narrator)
            found = list(checks(evidence))
            answer |= as_json(evidence, found) | {"ok": all(check.holds for check in found)}
            show(out, evidence, found)
            answer["report"] = write_report(folder)
            out.print("\nThe same as a page, for a browser:", end=" ")
            out.print(answer["report"], markup=False, soft_wrap=True)
        except (FundHedgeError, ControlError, OSError) as error:
            answer |= {"error": str(error), "log": bot.last_lines()}
            out.print(f"\n[bold red]✗ {escape(str(error))}[/bold red]\n\nThe last lines of the bot's log:")
            out.print("\n".join(answer["log"]), markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            out.print("\nInterrupted. Ending the bot and the exchange.")
            raise
        finally:
            bot.stop()
            journal.close()
    answer |= {"seconds": round(time.monotonic() - began, 1), "story": narrator.lines}
    out.print(f"\n{answer['seconds']:.0f} seconds. The bot's log, journal and trades are in", end=" ")
    out.print(f"{folder}", markup=False, soft_wrap=True)
    return answer


def _perform(bot: BotProcess, exchange: SandboxControl, narrator: Narrator) -> Evidence:
    set_scene(exchange)
    before = _books(exchange)
    story = Story(bot, exchange, narrator)
    bot.start()
    story.play()
    trades = bot.rest("trades?limit=50")["trades"]
    bot.stop()
    state: Any = exchange.get("state")
    return Evidence(
        before=before,
        after=narrator.follow(),
        hedges=narrator.journal.hedges(),
        transfers=narrator.journal.transfers(),
        trades=trades,
        checkpoints=story.checkpoints,
        price=Decimal(state["spot"][SYMBOL]["mid"]),
        fewest_coins=story.fewest_coins,
        transfer_requests=exchange.count("POST", TRANSFER_PATH),
    )


def _books(exchange: SandboxControl) -> Books:
    return read_books(exchange.books())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One demo per folder; the lock goes with the process."""
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ConfigError(f"another demo is running in {folder}: wait for it, or choose another --output") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: with everything that it started."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    known = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, known)
