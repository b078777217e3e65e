"""Padding, convolutions and pooling, within a frame and over frames: along the last axis, with channels before it."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from .errors import ExportError, WrongTime
from .moves import Value, unless_in_order
from .rows import Rows
from .validation import MAX_DIMENSION

_MAX_PLACES = 1 << 24  # that windows take together, before it is known which are the same


@dataclass
class Windows(Rows):
    """Operations on windows of positions.

    They take the channels of each position side by side, and give them so: where the source's tensors are
    [..., channels, positions], the transposition is noted and is no operation.

    Where time is the last axis, positions are frames: a window is that of a frame and the frames before it, and zeros
    before the first one. What it gives is known when its last frame is.
    """

    def padded(self, value, before, after, constant=0.0, mode="constant"):
        """The value with elements before and after it, so many along each axis; along time, zeros alone.

        Negative numbers take elements away. mode: that of numpy.pad: `constant`, `edge`, `reflect` or `wrap`.
        """
        cuts = tuple(
            slice(max(-first, 0), size - max(-last, 0))
            for first, last, size in zip(before, after, value.shape, strict=True)
        )
        value = self.moved(value, lambda array: array[cuts])
        before, after = np.maximum(before, 0), np.maximum(after, 0)
        if value.time is not None and (before[value.time] or after[value.time]):
            if mode != "constant" or constant:
                raise ExportError("frames are padded along time with something else than zeros; a step has none of it")
            value = self._with_lead(value, int(before[value.time]), int(after[value.time]))
            before, after = (np.where(np.arange(len(pads)) == value.time, 0, pads) for pads in (before, after))
        shape = tuple(int(size + first + last) for size, first, last in zip(value.shape, before, after))
        if np.prod(shape, dtype=float) > _MAX_PLACES:
            raise ExportError(f"padding to the shape {list(shape)}; expected at most {_MAX_PLACES} elements")
        widths = list(zip(before, after))
        if value.time is not None:
            widths.pop(value.time)
        numbers = np.arange(value.size).reshape(value.frame_shape)
        numbers = np.pad(numbers, widths, mode, **({"constant_values": -1} if mode == "constant" else {}))
        result = replace(self.picked(value, numbers), shape=shape, time=value.time, states=None, is_new=False)
        if mode != "constant":
            return result
        # The constant is added to zeros, and zeros are to the others.
        constants = np.where(numbers < 0, float(constant), 0.0)
        return self.affine(result, 1, constants if value.time is None else np.expand_dims(constants, value.time))

    def side_by_side(self, operands, axis):
        """The values side by side along an axis; along time, one value with constants around it, which are zeros."""
        values = [operand for operand in operands if isinstance(operand, Value)]
        if len(values) == 1 and axis % len(values[0].shape) == values[0].time:
            return self._with_zeros(operands, values[0])
        if len(values) < len(operands):
            raise ExportError("a concatenation with a constant; expected values that are computed from the frame")
        return self.concatenate(values, axis)

    def _with_zeros(self, operands, value):
        place = next(place for place, operand in enumerate(operands) if operand is value)
        others = operands[:place], operands[place + 1 :]
        if any(np.any(np.asarray(operand)) for operand in [*others[0], *others[1]]):
            raise ExportError("a concatenation along time with something else than zeros; a step has none of it")
        before, after = np.zeros((2, len(value.shape)), int)
        before[value.time], after[value.time] = (sum(operand.shape[value.time] for operand in part) for part in others)
        return self.padded(value, before, after)

    def convolution(self, value, weights, bias, stride=1, dilation=1, groups=1, before=0, after=0, name="convolution"):
        """A convolution with weights [outputs, channels / groups, width], and zeros before and after the positions."""
        if _is_over_time(value):

            def of_window(value):
                return self.convolution(value, weights, bias, groups=groups, name=name)

            return self._over_time(value, of_window, weights.shape[2], stride, dilation, before, after, name)
        channels, length = self._positions(value)
        outputs, taken, width = weights.shape
        if taken * groups != channels or outputs % groups:
            raise ExportError(f"weights {list(weights.shape)} in {groups} groups, and {channels} channels")
        if groups > 1 and not groups == channels == outputs:
            return self._grouped(value, weights, bias, groups, stride, dilation, before, after, name)
        windows = _Positions.of(length, width, stride, dilation, before, after)
        # Weights that meet padding only, at the first and the last places of windows, change nothing.
        used = np.flatnonzero(windows.is_there.any(axis=0))
        if len(used):
            weights = weights[:, :, used[0] : used[-1] + 1]
            windows = replace(windows, places=windows.places[:, used[0] : used[-1] + 1])
        slot, stride = self._laid_out(value, windows, channels)
        matrix = weights.transpose(0, 2, 1).reshape(outputs, -1)
        if groups > 1:
            slot = self.builder.depthwise(slot, matrix.T, bias, stride=stride, name=name)
        elif slot.size == matrix.shape[1]:
            slot = self.builder.dense(slot, matrix, bias, name=name)
        else:
            slot = self.builder.convolution(slot, matrix, bias, stride=stride, name=name)
        return self._transposed(value, slot, outputs)

    def max_pool(self, value, width, stride, dilation=1, before=0, after=0):
        """The largest of each window; nothing counts that is before or after the positions."""
        if _is_over_time(value):
            if before:
                raise ExportError(
                    "the largest of frames, with less than zeros before the first one; expected no padding"
                )
            pool = partial(self.max_pool, width=width, stride=1)
            return self._over_time(value, pool, width, stride, dilation, 0, after)
        channels, length = self._positions(value)
        windows = _Positions.of(length, width, stride, dilation, before, after)
        slot, stride = self._laid_out(value, windows.repeated(), channels)
        return self._transposed(value, self.builder.maximum(slot, channels, width, stride), channels)

    def average_pool(self, value, width, stride, dilation=1, before=0, after=0, counts_padding=False):
        """The mean of each window; of all its elements, or of those alone that are no padding."""
        if _is_over_time(value):
            if before and not counts_padding:
                raise ExportError(
                    "the mean of fewer frames at the start; expected one that counts padding, or has none"
                )
            pool = partial(self.average_pool, width=width, stride=1)
            return self._over_time(value, pool, width, stride, dilation, before, after)
        channels, length = self._positions(value)
        windows = _Positions.of(length, width, stride, dilation, before, after)
        is_even = counts_padding or (windows.counts() == width).all()
        slot, stride = self._laid_out(value, windows, channels)
        weights = np.full((width, channels), 1 / width if is_even else 1)
        result = self._transposed(value, self.builder.depthwise(slot, weights, stride=stride, name="pool"), channels)
        return result if is_even else self.affine(result, 1 / windows.counts(), 0)

    def _over_time(self, value, function, width, stride, dilation, before, after, name="pool"):
        """What a function gives for each window of frames.

        function: gives [..., outputs, 1] for the value [..., channels, width] of a window.
        """
        if stride > 1:
            self.refuse_cut(value)
        value, span = self._with_lead(value, before, after), (width - 1) * dilation
        if value.lead > span:
            raise ExportError(
                f"{value.lead} frames of zeros before the first one, and windows of {span + 1}; expected at most {span}"
            )
        length = (value.shape[-1] - span - 1) // stride + 1
        if length < 2:
            raise ExportError(
                f"windows of {span + 1} frames, {stride} apart, leave less than two of {value.shape[-1]}; expected an "
                "example of more frames, and no window of all of them"
            )
        result = function(self._window(value, width, stride, dilation, name))
        return replace(result, shape=(*result.shape[:-1], length), time=value.time)

    def _window(self, value, width, stride, dilation, name):
        """The value [..., channels, width] of the window that a frame is the last one of."""
        if len(value.shape) < 2 or value.shape[-2] != value.size:
            raise ExportError(
                f"windows of frames over the last axis of {list(value.shape)}; expected [1, channels, time]"
            )
        span = (width - 1) * dilation
        clock = value.clock.after(span - value.lead, stride)
        if value.lead:
            # The zeros before the first frame are those that the window starts from.
            value = self.gated(replace(value, lead=0))
        value = self.whole(value)
        self.reach += span * value.clock.hop
        slots, places = self._windowed(self.joined(value), width, dilation, name)
        picks = places[value.numbers].ravel()
        window = value.computed((*value.shape[:-1], width), *slots, picks=unless_in_order(picks))
        window = replace(window, time=None, clock=clock)
        return window if stride == 1 else self.gated(window)

    def _windowed(self, slot, width, dilation, name):
        """The slots of a window of frames, and where those hold each element of a frame, [size, width]."""
        if width == 1:
            return [slot], np.arange(slot.size)[:, None]
        kept = (width - 1) * dilation
        # As many elements of a frame as a state of the frames before it may have.
        most = MAX_DIMENSION // max(kept, width)
        if not most:
            raise ExportError(f"windows of {kept + 1} frames; expected at most {MAX_DIMENSION + 1}")
        slots, places = [], []
        for start in range(0, slot.size, most):
            numbers = np.arange(start, min(start + most, slot.size))
            part = slot if len(numbers) == slot.size else self.builder.gather(slot, numbers, name=f"{name}.part")
            slots.append(self.builder.window(part, width, dilation, name=f"{name}.window"))
            places.append(start * width + np.arange(part.size)[:, None] + np.arange(width) * part.size)
        return slots, np.concatenate(places)

    def _with_lead(self, value, before, after):
        """The value with so many zeros before its first frame and behind its last one."""
        shape = list(value.shape)
        shape[value.time] += before + after
        if after:
            self.refuse_cut(value)
        ahead = self.place if after else value.ahead
        return replace(value, shape=tuple(shape), lead=value.lead + before, states=None, is_new=False, ahead=ahead)

    def _positions(self, value):
        """The numbers of channels and of positions."""
        if len(value.shape) < 2 or value.time == len(value.shape) - 2:
            raise WrongTime(f"windows over the positions of {list(value.shape)}, whose axis {value.time} is time")
        channels, length = value.shape[-2:]
        if channels * length != value.size:
            raise ExportError(f"windows in {value.size // (channels * length)} tensors of a frame; expected one")
        return channels, length

    def _laid_out(self, value, windows, channels):
        """A slot with the channels of each position side by side, and how far apart its windows start."""
        places, stride = windows.laid_out()
        if len(places) * channels > MAX_DIMENSION:
            raise ExportError(f"windows of {len(places) * channels} elements; expected at most {MAX_DIMENSION}")
        numbers = np.arange(channels) * windows.length + places[:, None]
        numbers[(places < 0) | (places >= windows.length)] = -1
        return self.ordered(self.picked(value, numbers)), stride * channels

    def _transposed(self, value, slot, channels):
        """The result [..., channels, positions] of a slot of positions, each with its channels."""
        length = slot.size // channels
        picks = unless_in_order(np.arange(slot.size).reshape(length, channels).T.ravel())
        return value.computed((*value.shape[:-2], channels, length), slot, picks=picks)

    def _grouped(self, value, weights, bias, groups, stride, dilation, before, after, name):
        parts, taken = [], weights.shape[1]
        for group, part in enumerate(np.split(weights, groups)):
            channels = slice(group * taken, (group + 1) * taken)
            biases = None if bias is None else np.split(np.asarray(bias), groups)[group]
            of_group = self.moved(value, lambda array: array[..., channels, :])
            parts.append(self.convolution(of_group, part, biases, stride, dilation, 1, before, after, name))
        return self.concatenate(parts, -2)


def _is_over_time(value):
    return value.time is not None and value.time == len(value.shape) - 1


@dataclass(frozen=True, eq=False)
class _Positions:
    """The places that windows take, [windows, width], of `length` positions; others are padding."""

    places: np.ndarray
    stride: int
    length: int

    @classmethod
    def of(cls, length, width, stride, dilation, before, after):
        """As many windows as fit into the positions and the padding before and after them."""
        extent = (width - 1) * dilation + 1
        starts = np.arange(-before, length + after - extent + 1, stride)
        if not len(starts):
            raise ExportError(f"windows of {extent} positions, and there are {length + before + after}")
        if len(starts) * width > _MAX_PLACES:
            raise ExportError(f"{len(starts)} windows of {width} positions; expected at most {_MAX_PLACES} in all")
        return cls(starts[:, None] + np.arange(width) * dilation, stride, length)

    @property
    def is_there(self):
        """Which of the places are positions, and no padding."""
        return (self.places >= 0) & (self.places < self.length)

    def counts(self):
        """The number of positions of each window, which has one at least."""
        counts = self.is_there.sum(axis=1)
        if not counts.all():
            raise ExportError("a window is all padding; expected a position in each")
        return counts

    def repeated(self):
        """With the nearest position of the same window instead of each padding."""
        self.counts()
        first = self.places[np.arange(len(self.places)), self.is_there.argmax(axis=1)]
        last = self.places[np.arange(len(self.places)), -1 - self.is_there[:, ::-1].argmax(axis=1)]
        return replace(self, places=np.clip(self.places, first[:, None], last[:, None]))

    def laid_out(self):
        """The places one behind the other, and how far apart windows start there."""
        count, width = self.places.shape
        in_order = np.arange(count)[:, None] * self.stride + np.arange(width)
        end = in_order[-1, -1] + 1
        if np.array_equal(self.places, in_order) and end <= self.length < end + self.stride:
            return np.arange(self.length), self.stride
        # One stretch, if windows share what they have in common; else one window behind the other.
        stretch = np.empty(end, np.int64)
        stretch[in_order] = self.places
        if self.stride <= width and np.array_equal(stretch[in_order], self.places):
            return stretch, self.stride
        return self.places.ravel(), width
