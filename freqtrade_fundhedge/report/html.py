"""The template of all pages: no script, nothing loaded from anywhere, for desk and phone, light and dark.

Every figure stands in a `<data>` element whose value is the exact number of the JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from importlib.resources import files

from freqtrade_fundhedge.report.drawing import Draw, svg
from freqtrade_fundhedge.report.words import shown

DESK, PHONE = 860, 350
# Nothing may be loaded; should a name ever slip through unescaped, the browser still runs no script.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def begin(title: str, about: str) -> str:
    """Everything up to the first section; `title` and `about` are text, not HTML."""
    style = files("freqtrade_fundhedge.report").joinpath("page.css").read_text()
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="color-scheme" content="light dark">
<title>{escape(title)}</title><link rel="icon" href="data:,">
<style>{style}</style></head><body>
<header><h1>{escape(title)}</h1><p class="muted">{escape(about)}</p></header><main>
"""


def end(note: str) -> str:
    """The end of the page, with a note in its foot."""
    return f'</main><footer class="muted">{escape(note)}</footer></body></html>\n'


def note(text: str) -> str:
    """Something that a reader has to know before the figures."""
    return f'<p class="note">{escape(text)}</p>\n'


def when(at: float) -> str:
    """A moment (seconds since 1970) to the minute, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def cards(figures: Iterable[tuple[object, str, str]]) -> Iterator[str]:
    """What counts most: (value, kind, label) each."""
    yield '<div class="cards">'
    for value, kind, label in figures:
        yield f'<div class="card">{data(value, kind)}<span>{escape(label)}</span></div>'
    yield "</div>\n"


def plot(heading: str, caption: str, draw: Draw, height: int, narrow: int | None = None) -> Iterator[str]:
    """Drawn for two widths, of which the style sheet shows one: text in a drawing that shrinks can't be read.

    Parameters
    ----------
    draw : puts axes into the figure that it is given
    height, narrow : pixels for a desk, for a phone
    """
    name, label = "".join(filter(str.isalnum, heading.lower())), f"{heading}. {caption}"
    yield f"<h2>{escape(heading)}</h2><figure><figcaption>{escape(caption)}</figcaption>\n"
    yield f'<div class="wide">{svg(draw, f"w{name}", label, DESK, height)}</div>\n'
    yield f'<div class="narrow">{svg(draw, f"n{name}", label, PHONE, narrow or height)}</div></figure>\n'


def table(name: str, label: str, columns: Iterable[str], rows: Iterable[str]) -> Iterator[str]:
    """A table that scrolls inside its own box; each row begins with a `head_cell`.

    Parameters
    ----------
    name : the element's id
    label : what it lists, for those who can't see the heading above it
    columns : headings
    rows : cells of each row, as HTML
    """
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">'
    yield f'<table id="{name}"><thead><tr>{heads}</tr></thead><tbody>\n'
    for row in rows:
        yield f"<tr>{row}</tr>\n"
    yield "</tbody></table></div>\n"


def sums(name: str, lines: Iterable[tuple[str, str, str, object]], currency: str) -> Iterator[str]:
    """A list of figures: (name, label, kind, value) each."""
    yield f'<table class="sums" id="{name}"><tbody>\n'
    for key, label, kind, value in lines:
        row = '<tr class="total">' if key == "total" else "<tr>"
        yield f"{row}{head_cell(label)}<td>{data(value, kind, currency)}</td></tr>\n"
    yield "</tbody></table>\n"


def head_cell(text: str) -> str:
    """The first cell of a row, which names it."""
    return f'<th scope="row">{escape(text)}</th>'


def text_cell(text: str) -> str:
    """A cell of words."""
    return f"<td>{escape(text)}</td>"


def cell(value: object, kind: str) -> str:
    """A cell with a figure."""
    return f"<td>{data(value, kind)}</td>"


def data(value: object, kind: str, currency: str = "") -> str:
    """A figure as text with its exact value beside it; losses of results are marked."""
    text = shown(value, "money" if kind == "result" else kind, currency)
    if value is None:
        return text
    loss = ' class="loss"' if text.startswith("-") and kind == "result" else ""
    return f'<data value="{value!r}"{loss}>{text.replace("-", "−", 1)}</data>'
