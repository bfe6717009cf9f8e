"""Repeatable random walks that can be read at any minute without walking there."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_PERIODS = tuple(float(4**k) for k in range(9))  # one minute to 45 days
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def seed_of(*words: object) -> int:
    """Make one 63-bit seed from what the noise is for."""
    text = "/".join(str(word) for word in words)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def uniform(seed: int, index: IntArray) -> FloatArray:
    """Draw one number in [-1, 1) for each index, always the same for the same seed.

    Parameters
    ----------
    seed : from :func:`seed_of`
    index : (n,) int64

    Returns
    -------
    (n,) float64
    """
    bits = (index.astype(np.uint64) + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX[0]
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX[1]
    bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)).astype(np.float64) / float(1 << 52) - 1.0


def walk(seed: int, minutes: FloatArray) -> FloatArray:
    """Read a walk whose typical change over one minute is about one.

    Octaves of value noise whose amplitudes grow with the root of their periods look like a random walk up to
    the longest period, and any point costs the same to read.

    Parameters
    ----------
    seed : from :func:`seed_of`
    minutes : (n,) float64, minutes since the epoch

    Returns
    -------
    (n,) float64
    """
    total = np.zeros(minutes.shape, dtype=np.float64)
    for octave, period in enumerate(_PERIODS):
        position = minutes / period
        left = np.floor(position)
        part = position - left
        index = left.astype(np.int64)
        key = seed + octave * 7919
        edge = uniform(key, index)
        total += period**0.5 * (edge + (uniform(key, index + 1) - edge) * part)
    return total * 0.8
