"""Which frames of which streams are computed together, and their rows.

Streams are ordered from the longest to the shortest, so those that still run at a frame are always the first ones, and
an array over a window holds just their rows: for each frame, one row for each running stream, which is the order of
torch's PackedSequence. There is no padding to compute, to mask or to leak from.
"""

from dataclasses import dataclass

import numpy as np
import torch


class Window:
    """A window over streams with so many frames each, from the most to the fewest; some may have none."""

    def __init__(self, lengths):
        lengths = np.asarray(lengths)
        if (np.diff(lengths) > 0).any() or not lengths[0]:
            raise ValueError(f"streams of {lengths.tolist()} frames; expected the longest first, and one or more")
        self.lengths = lengths
        self.frames = int(lengths[0])
        # For each frame, how many streams run.
        self.active = np.searchsorted(-lengths, -np.arange(self.frames), side="left")
        self.offsets = np.concatenate([[0], np.cumsum(self.active)])
        self.batch_sizes = torch.from_numpy(self.active)

    @property
    def streams(self):
        """How many streams have a frame."""
        return int(self.active[0])

    def frames_of_streams(self):
        """For each row, its frame and its stream."""
        frames = np.repeat(np.arange(self.frames), self.active)
        return frames, np.arange(len(frames)) - self.offsets[frames]

    def last_rows(self):
        """For each stream that runs, its last row."""
        streams = np.arange(self.streams)
        return self.offsets[self.lengths[: self.streams] - 1] + streams

    def packed(self, parts):
        """The rows of an array for each stream that runs: [length, …] each."""
        frames, streams = self.frames_of_streams()
        starts = np.concatenate([[0], np.cumsum(self.lengths[: self.streams])])
        return np.concatenate(parts)[starts[streams] + frames]


@dataclass(frozen=True)
class Rows:
    """A program's window with its frames: [rows, width] of numbers, or [rows] of indices.

    order: the number of the stream, among those of the last program, that stands at each place.
    """

    window: Window
    frames: torch.Tensor
    order: torch.Tensor | None = None
