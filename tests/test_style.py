"""What CONTRIBUTING.md says of sizes is so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = 300
FUNCTION_LINES = 40


def sources() -> list[Path]:
    """All code that is not a test; a migration is history and stays as it is."""
    found = [
        path for folder in ("freqtrade_fundhedge", "benchmarks", "user_data") for path in (ROOT / folder).rglob("*.py")
    ]
    return [path for path in found if "migrations" not in path.parts]


def too_long(source: str) -> Iterator[str]:
    """What of a module is not below the limits; a function counts from its `def` to its last line."""
    if len(source.splitlines()) >= LINES:
        yield f"{len(source.splitlines())} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines >= FUNCTION_LINES:
                yield f"{node.name}: {lines} lines"


def test_modules_and_functions_are_short() -> None:
    """A module is below 300 lines and a function below 40: the signature and the docstring count, decorators do not."""
    found = {str(path.relative_to(ROOT)): list(too_long(path.read_text())) for path in sources()}
    assert len(found) > 200
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("x = 1\n" * 299, []),
        ("x = 1\n" * 300, ["300 lines"]),
        ('@cached\ndef f():\n    """Of f."""\n' + "    x = 1\n" * 37, []),
        ('def f():\n    """Of f."""\n' + "    x = 1\n" * 38, ["f: 40 lines"]),
        ("class A:\n    async def f(self):\n" + "        x = 1\n" * 40, ["f: 41 lines"]),
    ],
)
def test_what_is_too_long_is_found(source: str, faults: list[str]) -> None:
    """Exactly 300 lines of a module, or 40 of a function wherever it stands, are too many."""
    assert list(too_long(source)) == faults
