"""The pictures of the README: both report pages as a browser shows them, of made-up series.

    python -m benchmarks.pictures [--folder docs]

Needs Chromium (Debian: `apt-get install chromium`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser import opened
from made_up import write_books

from freqtrade_fundhedge.cli import run

# Name, width and height in CSS pixels, scheme, first section in sight ("" = the top), device pixels each.
PICTURES = (
    ("report-desk.png", 1000, 1180, "light", "", 1.0),
    ("report-phone.png", 390, 900, "dark", "", 1.5),
    ("report-phone-basis.png", 390, 900, "light", "Basis and hedges", 1.5),
)


def main() -> None:
    """Make the data, the page and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parents[1] / "docs")
    target = parser.parse_args().folder.absolute()
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("config.json").write_text(json.dumps(write_books(Path(folder), 24)))
        if run(["report", "--html", "page.html"]) != 0:
            raise SystemExit("the report failed")
        for name, width, height, scheme, section, scale in PICTURES:
            with opened(Path("page.html"), width, scheme, height, scale) as seen:
                if section:
                    seen.run(f"[...document.querySelectorAll('h2')].find(h => h.textContent == {section!r})"
                             ".scrollIntoView()")  # fmt: skip
                seen.page.screenshot(path=str(target / name))
            print(f"{name}: {(target / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
