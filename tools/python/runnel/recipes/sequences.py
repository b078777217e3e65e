"""Sequences of frames with what should be predicted from them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Sequence:
    """What each program of a network takes in, and what the last one should predict.

    inputs: for each program its frames: numbers [length, size], or indices [length]. targets: at each frame, or at the
    last one alone: classes [length] or [1], or numbers [length, outputs] or [1, outputs].
    """

    inputs: tuple[np.ndarray, ...]
    targets: np.ndarray
    is_at_last: bool

    @property
    def length(self):
        """The number of frames of the last program."""
        return len(self.inputs[-1])

    @property
    def only_class(self):
        """The class of all frames that have a target, where they are of one class; otherwise None."""
        if self.targets.ndim > 1 or (self.targets != self.targets[0]).any():
            return None
        return int(self.targets[0])


@dataclass(frozen=True, eq=False)
class Data:
    """The sequences that a recipe names, ready for training.

    inputs: the port of each program. labels: what the outputs mean. entries: what else the model's metadata says of
    frames and labels.
    """

    inputs: tuple
    output_size: int
    labels: tuple[str, ...]
    entries: dict[str, tuple[str, ...]]
    training: list[Sequence]
    validation: list[Sequence] | None
    test: list[Sequence] | None
