"""Debian's Chromium, driven by playwright: pages as a reader sees them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
)  # fmt: skip


def chromium() -> str:
    """Where it is, "" if it is not on this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""


@dataclass
class Opened:
    """A page in a window, and all that the browser complained of or asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def run(self, script: str) -> Any:
        """The value of an expression, in the page."""
        return self.page.evaluate(script)


@contextlib.contextmanager
def opened(file: Path, width: int, scheme: str, height: int = 900, scale: float = 1.0) -> Iterator[Opened]:
    """A file in a browser of its own, with a new empty profile; `scheme` is light or dark."""
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            profile, executable_path=chromium(), headless=True, args=list(FLAGS), color_scheme=scheme,
            viewport={"width": width, "height": height}, device_scale_factor=scale,
        )  # fmt: skip
        try:
            page = context.pages[0]
            seen = Opened(page)
            page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: seen.complaints.append(str(error)))
            page.on("requestfailed", lambda request: seen.complaints.append(f"failed: {request.url}"))
            page.on("request", lambda request: seen.requests.append(request.url))
            page.goto(file.absolute().as_uri(), wait_until="load", timeout=60_000)
            yield seen
        finally:
            context.close()
