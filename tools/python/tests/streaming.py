"""Frames, and what the tool predicts for them."""

import numpy as np


def frames_of(count, size, seed=0):
    """Frames of a standard normal distribution."""
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)


def predicted(run_tool, path, frames):
    """The tool's predictions, one row for each frame; zeros where a frame has none."""
    lines = "".join(",".join(f"{value:.9g}" for value in frame) + "\n" for frame in frames)
    result = run_tool("run", path, stdin=lines)
    assert result.returncode == 0, result.stderr
    rows = [[float(text) for text in line.split(",") if text] for line in result.stdout.splitlines()]
    width = max(map(len, rows))
    return np.array([row or [0.0] * width for row in rows])


def assert_close(found, expected):
    """Within 1e-5 of the largest number, or of 1."""
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * max(1, np.abs(expected).max())
