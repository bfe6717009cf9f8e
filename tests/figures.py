"""What a page shows, for tests."""

from __future__ import annotations

from html.parser import HTMLParser


class Figures(HTMLParser):
    """The exact values of a page's `<data>` elements, by the id of their table, and all that it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.table, self.found, self.loads = "cards", dict[str, list[float]](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self.table = str(given["id"])
        if tag == "data":
            self.found.setdefault(self.table, []).append(float(str(given["value"])))
        self.loads += [str(given[name]) for name in ("src", "href") if name in given]
        self.loads += [tag] if tag in {"script", "iframe", "object"} else []
