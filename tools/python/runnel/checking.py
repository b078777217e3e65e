"""Compares an export with its source, frame by frame, before anything is written."""

from dataclasses import replace

import numpy as np

from .errors import CheckError, ExportError
from .model import INDEX, GoldenRun
from .reference import Session

TOLERANCE = 1e-5  # of the largest prediction, where that is above 1
CHECKED_FRAMES = 100  # where none are given
GOLDEN_FRAMES = 16
_ANSWERS, _GOLDEN_ANSWERS = 16, 4  # of models that do not answer every frame


def random_frames(program, count, seed=0):
    """Frames of numbers of a standard normal distribution, and of uniform indices."""
    random = np.random.default_rng(seed)
    parts = [
        random.integers(port.size, size=(count, 1)) if port.kind == INDEX else random.normal(size=(count, port.size))
        for port in program.inputs
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def checked_count(clock, reach, usual=CHECKED_FRAMES):
    """How many random frames show what a program does, whose predictions come from up to `reach` steps before."""
    return max(usual, reach + usual // 2, _until(clock, _ANSWERS))


def golden_count(clock):
    """How many frames a golden run has, so that there are predictions among its own."""
    return max(GOLDEN_FRAMES, _until(clock, _GOLDEN_ANSWERS))


def _until(clock, count):
    """The number of frames with so many predictions."""
    return clock.first + 1 + clock.hop * (count - 1)


def checked(model, source, frames, tolerance=TOLERANCE, golden_count=GOLDEN_FRAMES):
    """The model with golden frames, after its predictions have been found to be those of the source.

    source: gives the predictions, [count, prediction size], for frames, [count, frame size], of one stream from its
    start; so does the model's first program. Elements that are masked are not compared. Where the model takes whole
    sequences, the source is called again with the golden frames alone, which are `golden_count`, or all if there are
    fewer. Raises CheckError, and ExportError for frames of another size.
    """
    size = model.programs[0].frame_size
    if frames.ndim != 2 or frames.shape[1] != size or not len(frames):
        raise ExportError(f"frames to compare with, of the shape {list(frames.shape)}; expected [count, {size}]")
    expected, found = _compared(model, source, frames)
    allowed = tolerance * max(1.0, np.abs(expected).max())
    deviation = np.abs(expected - found)
    worst = np.unravel_index(deviation.argmax(), deviation.shape)
    if deviation[worst] > allowed:
        raise CheckError(
            f"the export is not the source: at frame {worst[0]}, element {worst[1]}, it gives {found[worst]:.6g}, and "
            f"the source {expected[worst]:.6g}; expected at most {allowed:.1e} between them, in {len(frames)} frames"
        )
    golden = frames[:golden_count]
    if model.programs[0].takes_whole_sequences and len(golden) < len(frames):
        expected, _ = _compared(model, source, golden)
    run = GoldenRun(0, True, golden.astype("<f4"), expected[: len(golden)].astype("<f4"))
    return replace(model, tolerance=allowed, golden=(run,))


def _compared(model, source, frames):
    """What is to be compared: the source's predictions, with the model's own where they are masked, and the model's."""
    predictions = source(frames)
    expected = np.asarray(np.ma.getdata(predictions), np.float64)
    found = Session(model).run(frames)
    if expected.shape != found.shape:
        raise CheckError(f"the source gives predictions of the shape {expected.shape}, the export {found.shape}")
    expected = np.where(np.ma.getmaskarray(predictions), found, expected)
    if not np.isfinite(expected).all():
        raise CheckError(f"the source's prediction of frame {np.argwhere(~np.isfinite(expected))[0][0]} is not finite")
    return expected, found
