"""Sources as functions from the frames of one stream to their predictions, as `checked` wants them."""

import numpy as np

from .errors import CheckError


class SequenceSource:
    """A source that takes whole sequences; a subclass calls it, in `_whole`.

    has_more: whether it may give more frames than are known at the last one; those are made of padding.
    """

    def __init__(self, clock, is_of_last_frame, takes_whole_sequences, has_more=False):
        self._clock, self._has_more = clock, has_more
        self._takes_prefixes = is_of_last_frame and not takes_whole_sequences

    def __call__(self, frames):
        if not self._clock.steps(len(frames)):
            raise CheckError(
                f"{len(frames)} frames, and the first one with a prediction is frame {self._clock.first}; expected "
                "more frames"
            )
        return self._prefixes(frames) if self._takes_prefixes else self._whole(frames)

    def _prefixes(self, frames):
        """The last rows of one call for each prediction, where only those say something."""
        rows = {step: self._whole(frames[: step + 1])[-1] for step in self._clock.steps(len(frames))}
        none = np.zeros_like(next(iter(rows.values())))
        return np.stack([rows.get(step, none) for step in range(len(frames))])

    def _joined(self, results, count):
        """The rows of results, each with its axis of time; masked, where one says nothing but for the last frame."""
        parts = [self._rows(value, axis, count) for value, axis in results]
        return np.ma.concatenate(parts, axis=1) if any(map(np.ma.isMA, parts)) else np.concatenate(parts, axis=1)

    def _rows(self, value, axis, count):
        """A result's rows, one for each frame; zeros for the steps that give none."""
        if axis is None:
            rows = np.ma.masked_all((count, value.size))
            rows[-1] = value.ravel()
            return rows
        steps, value = self._clock.steps(count), np.moveaxis(value, axis, 0)
        if len(value) < len(steps) or len(value) > len(steps) and not self._has_more:
            raise CheckError(f"the source gives {len(value)} frames for {count}; expected {len(steps)}")
        rows = np.zeros((count, value[0].size))
        rows[steps] = value[: len(steps)].reshape(len(steps), -1)
        return rows
