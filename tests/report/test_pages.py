"""Both report pages in a real browser: no complaint, no request, nothing cut off, the figures of the JSON."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser import Opened, chromium, opened
from figures import Figures
from made_up import write_books
from matplotlib.figure import Figure
from report.test_backtest_report import FundedCandles, document, perp_at, trade, write

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.report.drawing import frame, svg

# Without a browser nothing is proven; CI asks for one, so that a skipped test can't pass for a page that was looked at.
REQUIRED = os.environ.get("FUNDHEDGE_BROWSER") == "required"
pytestmark = pytest.mark.skipif(
    not chromium() and not REQUIRED, reason="no chromium on this machine: apt-get install chromium"
)
PAIR = "BTC/USDT:USDT"
# What a reader sees: colours of page and text as numbers, as the browser worked them out.
CONTRAST = """() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = (colour) => {
        const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = parts(colour).map(v => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const page = light(getComputedStyle(document.body).backgroundColor);
    const ratio = (colour) => { const other = light(colour);
        return (Math.max(page, other) + 0.05) / (Math.min(page, other) + 0.05); };
    const texts = [...document.querySelectorAll('h1, h2, p, td, th, figcaption, svg text')];
    const shown = texts.filter(e => e.getClientRects().length);
    return [Math.min(...shown.map(e => ratio(e.closest('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color))),
            page];
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """A page of each kind, and the JSON that belongs to it."""
    folder = tmp_path_factory.mktemp("pages")
    config = write_books(folder, 24)
    (folder / "config.json").write_text(json.dumps(config))
    data = folder / "data"
    (data / "futures").mkdir(parents=True)
    candles = FundedCandles()
    candles.load("BTC/USDT", "1h", "spot").to_feather(data / "BTC_USDT-1h.feather")
    for kind in ("futures", "mark", "funding_rate"):
        candles.load(PAIR, "1h", kind).to_feather(data / "futures" / f"BTC_USDT_USDT-1h-{kind}.feather")
    trades = [trade(PAIR, i, [(i, 1.0, perp_at(i)), (i + 90, -1.0, perp_at(i + 90))]) for i in range(0, 900, 100)]
    write(folder / "result.zip", document(trades))
    backtest = ["--backtest", str(folder / "result.zip"), "--datadir", str(data)]
    return {"live": made(folder, "live", []), "backtest": made(folder, "backtest", backtest)}


def made(folder: Path, name: str, options: list[str]) -> tuple[Path, dict[str, Any]]:
    page, machine = folder / f"{name}.html", folder / f"{name}.json"
    with pytest.MonkeyPatch.context() as patch, machine.open("w") as out:
        patch.setattr("sys.stdout", out)
        assert run(["report", "-c", str(folder / "config.json"), "--json", "--html", str(page), *options]) == 0
    return page, json.loads(machine.read_text())


@pytest.mark.parametrize("kind", ["live", "backtest"])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_a_page_opens(pages: dict[str, tuple[Path, dict[str, Any]]], kind: str, width: int, scheme: str) -> None:
    """Phone and desk, light and dark: quiet, self-contained, no wider than the window, legible, one drawing a plot."""
    file, _ = pages[kind]
    with opened(file, width, scheme) as seen:
        assert seen.complaints == []
        assert seen.requests == [file.as_uri()]
        assert seen.run("document.documentElement.scrollWidth") <= width
        worst, background = seen.run(CONTRAST)
        assert worst >= 4.5
        assert (background < 0.2) == (scheme == "dark")
        assert seen.run("[...document.querySelectorAll('figure')].every(f => [...f.querySelectorAll('svg')]"
                        ".filter(s => s.getClientRects().length).length == 1)")  # fmt: skip
        check_accessible(seen)
        check_tables_scroll(seen, width)


def check_accessible(seen: Opened) -> None:
    """Language, title, a name for each plot and box, a heading for each column and row."""
    assert seen.run("document.documentElement.lang") == "en"
    assert "earned" in seen.run("document.title")
    assert seen.run("[...document.querySelectorAll('svg')].every(s => s.getAttribute('role') == 'img'"
                    " && s.getAttribute('aria-label').length > 20)")  # fmt: skip
    assert seen.run("[...document.querySelectorAll('.scroll')].every(b => b.getAttribute('aria-label')"
                    " && b.tabIndex == 0)")  # fmt: skip
    assert seen.run("[...document.querySelectorAll('tbody tr')].every(r => r.cells[0].tagName == 'TH')")
    assert seen.run("[...document.querySelectorAll('thead th')].every(h => h.scope == 'col')")
    assert seen.run("[...document.querySelectorAll('[id]')].length == new Set([...document.querySelectorAll('[id]')]"
                    ".map(e => e.id)).size")  # fmt: skip


def check_tables_scroll(seen: Opened, width: int) -> None:
    """A wide table is wider than its box on a phone, and the box is not wider than the page."""
    boxes = seen.run("[...document.querySelectorAll('.scroll')].filter(b => b.getClientRects().length)"
                     ".map(b => [b.getBoundingClientRect().right, b.scrollWidth - b.clientWidth])")  # fmt: skip
    assert all(right <= width for right, _ in boxes)
    if width < 600:
        assert any(hidden > 0 for _, hidden in boxes)


def test_the_live_page_has_the_figures_of_the_json(pages: dict[str, tuple[Path, dict[str, Any]]]) -> None:
    """What the browser shows of hedges, sums and transfers is the JSON's, to the cent and to the last digit."""
    file, given = pages["live"]
    exact = Figures(file.read_text()).found
    with opened(file, 1280, "light") as seen:
        shown = seen.run("[...document.querySelectorAll('#summary data')].map(d => [d.value, d.textContent])")
    values = [value for name, value in given["summary"].items() if value is not None]
    assert sorted(float(value) for value, _ in shown) == sorted(map(float, values))
    text = {float(value): said for value, said in shown}
    assert text[given["summary"]["total"]] == f"{given['summary']['total']:,.2f} USDT".replace("-", "−")
    columns = ("transfers", "done", "waiting", "attempts", "refused", "lost", "moved", "median_s", "worst_s")
    assert exact["reliability"] == [row[name] for row in given["reliability"] for name in columns]
    totals = exact["by-hedges"]
    for row in given["hedges"]:
        assert {row["total"], row["short_in"], row["spot_in"], row["basis_in"]} <= set(totals)
    moved = [row[name] for row in reversed(given["transfers"]) for name in ("amount", "attempts", "settled_s")]
    assert exact["transfers"] == moved


@pytest.mark.parametrize("width", [360, 900])
def test_no_span_of_time_is_without_ticks(width: int) -> None:
    """From seconds to ten years, every span has dates at its axis and no complaint about them."""
    start = datetime(2026, 3, 7, 11, 59, 30, tzinfo=UTC)
    spans = [60 * 1.3**step for step in range(60)]
    assert spans[-1] > 10 * 365 * 86_400
    for seconds in spans:

        def draw(figure: Figure, seconds: float = seconds) -> None:
            axes = figure.subplots()
            frame(axes, dates=True)
            axes.set_xlim(start, start + timedelta(seconds=seconds))  # type: ignore[arg-type]

        assert 'id="span-xtick_2"' in svg(draw, "span", "ticks", width, 120), seconds
