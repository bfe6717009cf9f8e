"""Columns of many trades, a chunk at a time on disk: a report holds one chunk in memory, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile
from typing import Any
from weakref import finalize

import numpy as np

CHUNK = 8192
Column = np.ndarray[tuple[int], np.dtype[Any]]


class Spool:
    """A temporary file of chunks, each the same number of arrays; gone with the object."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115
        self._chunks: list[tuple[int, int]] = []
        finalize(self, self._file.close)

    def append(self, columns: Sequence[Column]) -> None:
        """Write the arrays of one chunk."""
        self._chunks.append((self._file.seek(0, 2), len(columns)))
        for column in columns:
            np.save(self._file, column, allow_pickle=False)

    def __iter__(self) -> Iterator[list[Column]]:
        """The chunks in the order of writing."""
        for begin, count in self._chunks:
            self._file.seek(begin)
            yield [np.load(self._file, allow_pickle=False) for _ in range(count)]
