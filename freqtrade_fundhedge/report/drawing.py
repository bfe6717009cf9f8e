"""Plots as SVG, drawn by matplotlib, coloured by the page's style sheet.

Each colour below stands for a variable of the style sheet, so that one drawing serves light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from freqtrade_fundhedge.core.funding import FloatArray

HEDGE, NAKED, GAIN, LOSS = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04"
INK, MUTED, GRID, OTHER = "#0a0b05", "#0a0b06", "#0a0b07", "#0a0b08"
VARIABLES = {
    HEDGE: "hedge", NAKED: "naked", GAIN: "gain", LOSS: "loss", INK: "ink", MUTED: "muted", GRID: "grid",
    OTHER: "other",
}  # fmt: skip
WIDE_INCHES = 7
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 12,
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "ytick.major.size": 0,
    "grid.color": GRID,
    "axes.axisbelow": True,
}
Draw = Callable[[Figure], None]


def svg(draw: Draw, name: str, label: str, width: int, height: int) -> str:
    """Draw a plot.

    Parameters
    ----------
    draw : puts axes into the figure that it is given
    name : prefix of the element ids, unique within the page
    label : what it shows, for those who can't see it
    width, height : in the page's pixels, at which text has its normal size

    Returns
    -------
    an `<svg>` element that fills the width it is given
    """
    file = StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
        figure.patch.set_alpha(0)
        draw(figure)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inline(file.getvalue(), name, label)


def frame(axes: Axes, dates: bool) -> None:
    """Grid, few ticks, short numbers; a time axis at the bottom if `dates`."""
    axes.grid(axis="y")
    axes.margins(x=0.01)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(amount))
    if dates:
        # Fewer would leave spans, such as 130 seconds or 60 hours, for which there is no interval.
        few, many = (4, 9) if is_wide(axes) else (2, 5)
        locator = AutoDateLocator(minticks=few, maxticks=many)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]


def is_wide(axes: Axes) -> bool:
    """Whether the drawing is the one for a desk."""
    return bool(axes.figure.get_figwidth() > WIDE_INCHES)  # type: ignore[union-attr]


def amount(value: float, _position: int = 0) -> str:
    """A number of few digits, as ticks and bars carry it."""
    if abs(value) >= 1_000_000:
        text = f"{value / 1_000_000:,.3g}M"
    else:
        text = f"{value:,.0f}" if abs(value) >= 10 or value == 0 else f"{value:.3g}"
    return text.replace("-", "−", 1)


def signs(values: FloatArray) -> list[str]:
    """A colour for each value: gain or loss."""
    return [GAIN if value >= 0 else LOSS for value in values]


def _inline(document: str, name: str, label: str) -> str:
    text = document[document.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # The page's own font and size: the viewBox is in pixels already.
    role = f'role="img" aria-label="{escape(label)}"'
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', lambda found: f"{found[1]} {role}", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    return text
