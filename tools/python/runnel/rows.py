"""Products, sums and norms over axes of a frame."""

from dataclasses import dataclass

import numpy as np

from .elements import Elements
from .errors import ExportError
from .moves import inverse, unless_in_order

_MAX_ROWS = 64  # that are normalised by an operation each


@dataclass
class Rows(Elements):
    """Operations on the rows of a frame, along one axis or several ones."""

    def linear(self, value, weights, bias, name="dense"):
        """x W' + b over the last axis."""
        weights = np.asarray(weights)
        if value.time == len(value.shape) - 1 or value.shape[-1] != weights.shape[1]:
            raise ExportError(f"a matrix {list(weights.shape)} multiplies a tensor {list(value.shape)} along time")
        bias = np.zeros(len(weights)) if bias is None else np.asarray(bias)
        shape = (*value.shape[:-1], len(weights))
        if value.size == weights.shape[1]:
            # Columns may stand in the order of the slot.
            value = self.whole(value)
            matrix = weights[:, inverse(value.numbers)]
            return value.computed(shape, self.builder.dense(self.joined(value), matrix, bias, name=name))
        slot = self.builder.convolution(self.ordered(value), weights, bias, stride=weights.shape[1], name=name)
        return value.computed(shape, slot)

    def total(self, value, axes, keeps, is_mean=False):
        """The sum, or the mean, over axes that are not time; `keeps` leaves them there, of size 1."""

        def by_rows(slot, count, size):
            weights = np.full((1, size), 1 / size if is_mean else 1)
            if count == 1:
                return self.builder.dense(slot, weights, name="total")
            return self.builder.convolution(slot, weights, stride=size, name="total")

        def by_lanes(slot, count, size):
            return self.builder.depthwise(slot, np.full((size, count), 1 / size if is_mean else 1), name="total")

        return self._reduced(value, axes, keeps, "a sum, or a mean,", by_rows, by_lanes)

    def maximum(self, value, axes, keeps):
        """The largest element over axes that are not time; `keeps` leaves them there, of size 1."""

        def by_rows(slot, count, size):
            return self.builder.maximum(slot, 1, size, size)

        def by_lanes(slot, count, size):
            return self.builder.maximum(slot, count, size, 1)

        return self._reduced(value, axes, keeps, "a maximum", by_rows, by_lanes)

    def minimum(self, value, axes, keeps):
        """The smallest element over axes that are not time."""
        return self.affine(self.maximum(self.affine(value, -1, 0), axes, keeps), -1, 0)

    def norm(self, value, axes, keeps, order=2):
        """The sum of magnitudes, or the square root of the sum of squares, over axes that are not time."""
        if order == 1:
            return self.total(self.leaky_relu(value, -1), axes, keeps)
        return self.unary(self.builder.square_root, self.total(self.multiply(value, value), axes, keeps))

    def layer_norm(self, value, axes, weight, bias, epsilon):
        """(x - mean) / sqrt(variance + epsilon) weight + bias, over each row of the last `axes` axes."""
        first = len(value.shape) - axes
        if value.time is not None and value.time >= first:
            raise ExportError(f"a layer norm over {list(value.shape[first:])} of {list(value.shape)} is one along time")
        weight, bias = (default if given is None else given for given, default in ((weight, 1.0), (bias, 0.0)))
        size = int(np.prod(value.shape[first:], dtype=np.int64))

        def norm(slot, *constants):
            return self.builder.layer_norm(slot, *constants, epsilon)

        if size == value.size:
            return self.weighted(norm, value, weight, bias)
        constants = [np.broadcast_to(constant, value.shape[first:]).ravel() for constant in (weight, bias)]
        return self._row_by_row(lambda slot: norm(slot, *constants), value, size, "a layer norm")

    def normalised(self, value, axes, epsilon):
        """(x - mean) / sqrt(variance + epsilon) over axes that are not time."""
        centred = self.add(value, self.affine(self.total(value, axes, True, is_mean=True), -1, 0))
        variance = self.total(self.multiply(centred, centred), axes, True, is_mean=True)
        return self.divide(centred, self.unary(self.builder.square_root, self.affine(variance, 1, epsilon)))

    def softmax(self, value, axis):
        """e^x / Σ e^x, over an axis that is not time."""
        return self._softmax(self.builder.softmax, value, axis)

    def log_softmax(self, value, axis):
        """x - log Σ e^x, over an axis that is not time."""
        return self._softmax(self._log_softmax, value, axis)

    def _softmax(self, function, value, axis):
        axis %= len(value.shape)
        if axis == value.time:
            raise ExportError(f"a softmax over axis {axis} of {list(value.shape)}, which is time")
        if value.shape[axis] == value.size:
            return self.unary(function, value)
        last = self.moved(value, lambda array: np.moveaxis(array, axis, -1))
        last = self._row_by_row(function, last, value.shape[axis], "a softmax")
        return self.moved(last, lambda array: np.moveaxis(array, -1, axis))

    def _log_softmax(self, slot):
        builder = self.builder

        def less(x, y):
            return builder.add(x, builder.affine(builder.gather(y, np.zeros(x.size)), -1, 0))

        # No power is of a number above 0.
        distances = less(slot, builder.maximum(slot, 1, slot.size, 1))
        total = builder.dense(builder.exponential(distances), np.ones((1, slot.size)), name="total")
        return less(distances, builder.logarithm(total))

    def _row_by_row(self, function, value, size, what):
        """function of each row of so many elements, the last axes of the value."""
        count = value.size // size
        if count > _MAX_ROWS:
            raise ExportError(f"{what} of {count} rows in a frame; expected at most {_MAX_ROWS}")
        rows = [self.ordered(self.picked(value, np.arange(size) + size * row)) for row in range(count)]
        return value.computed(value.shape, *[function(row) for row in rows])

    def _reduced(self, value, axes, keeps, what, by_rows, by_lanes):
        """One element for each of those that differ only along axes.

        by_rows, by_lanes: give the slot of `count` results for a slot, count and size. The elements of a result stand
        side by side, or `count` apart.
        """
        rank = len(value.shape)
        if any(not -rank <= axis < rank for axis in axes):
            raise ExportError(f"{what} over the axes {sorted(axes)} of {list(value.shape)}")
        axes = {axis % rank for axis in axes}
        if value.time in axes:
            raise ExportError(f"{what} over frames: a step sees one frame, and answers at once")
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
        result = value.computed(kept, *value.slots, picks=value.picks)
        count, size = result.size, value.size // result.size
        if size > 1:
            among = [axis for axis in range(rank) if axis != value.time]
            order = sorted(range(len(among)), key=lambda place: among[place] in axes)
            # A row of numbers of elements for each result.
            elements = np.arange(value.size).reshape(value.frame_shape).transpose(order).reshape(count, size)
            slot, picks = self._reduction(value, elements, by_rows, by_lanes)
            result = value.computed(kept, slot, picks=picks)
        return result if keeps else self.moved(result, lambda array: np.squeeze(array, tuple(axes)))

    def _reduction(self, value, elements, by_rows, by_lanes):
        """The slot and picks of results; a row of elements for each. Nothing is moved if the order is a good one."""
        count, size = elements.shape
        if value.is_whole:
            places = value.numbers[elements]
            rows = places.min(axis=1) // size
            if (places // size == rows[:, None]).all():
                return by_rows(self.joined(value), count, size), unless_in_order(rows)
            lanes = places[:, 0] % count
            if (places % count == lanes[:, None]).all():
                return by_lanes(self.joined(value), count, size), unless_in_order(lanes)
        return by_lanes(self.ordered(self.picked(value, elements.T)), count, size), None
