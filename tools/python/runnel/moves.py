"""Values of a source graph, and what only moves their elements.

Moves are not carried out but noted: chains of them collapse, and an operation is added only where something needs the
elements in an order that is not theirs in the slots.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from .builder import Slot
from .errors import ExportError
from .model import INDEX
from .validation import MAX_OPERANDS


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the source graph.

    slots hold a frame's elements, one behind the other. picks, where the elements are not just these in order, are
    the number of each element in the slots, and -1 for a zero. `time` is the axis of time, None where the tensor is of
    one frame. `states` are numbers of elements of the state that the tensor is: as it goes in, or as it comes out where
    there are slots too or `is_new` is set.
    """

    shape: tuple[int, ...]
    time: int | None
    slots: tuple[Slot, ...] = ()
    states: np.ndarray | None = None
    is_new: bool = False
    picks: np.ndarray | None = None

    @property
    def frame_shape(self):
        """The shape of a frame: without time."""
        return tuple(size for axis, size in enumerate(self.shape) if axis != self.time)

    @property
    def size(self):
        return int(np.prod(self.frame_shape, dtype=np.int64))

    @property
    def numbers(self):
        """The number of each element in the slots, -1 for a zero."""
        return np.arange(self.size) if self.picks is None else self.picks

    @property
    def is_whole(self):
        """Whether the elements are those of the slots, each once, in whatever order."""
        count = sum(map(_width, self.slots))
        return self.picks is None or np.array_equal(np.sort(self.picks), np.arange(count))


@dataclass
class Moves:
    """Slots and moves of values.

    `frame_count` is the length of the time axis in the source graph.
    """

    builder: object
    frame_count: int
    _made: dict = field(default_factory=dict)

    def slot(self, value):
        """The one slot of a frame's elements, in order."""
        joined = self.joined(value)
        if value.picks is None:
            return joined
        if joined.kind == INDEX:
            raise ExportError("an index is repeated or moved")
        return self._once((joined, value.picks.tobytes()), lambda: self.builder.gather(joined, value.picks))

    def joined(self, value):
        """The one slot of all elements that a value has slots for, in their order there."""
        self._refuse_state(value)
        if len(value.slots) == 1:
            return value.slots[0]
        return self._once(value.slots, lambda: self._concatenated(value.slots))

    def _concatenated(self, slots):
        while len(slots) > MAX_OPERANDS:
            groups = [slots[at : at + MAX_OPERANDS] for at in range(0, len(slots), MAX_OPERANDS)]
            slots = [self.builder.concatenate(group) for group in groups]
        return self.builder.concatenate(slots)

    def _refuse_state(self, value):
        if not value.slots:
            if value.states is not None and value.is_new:
                raise ExportError("a cell state is used, or given out, outside of its cell; a step keeps it to itself")
            raise ExportError("a state is used outside of its cell")

    def _once(self, key, make):
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def moved(self, value, move):
        """The value after an operation that only moves, drops or repeats elements.

        move: a function of an array of the value's shape.
        """
        numbers = np.arange(value.size).reshape(value.frame_shape)
        frames = np.zeros(value.shape, np.int64)
        if value.time is not None:
            numbers = np.expand_dims(numbers, value.time)
            across = [1] * len(value.shape)
            across[value.time] = self.frame_count
            frames = frames + np.arange(self.frame_count).reshape(across)
        numbers, frames = move(np.broadcast_to(numbers, value.shape)), move(frames)
        time = self._time_axis(frames) if value.time is not None else None
        picked = numbers if time is None else numbers.take(0, time)
        if time is not None and (numbers != np.expand_dims(picked, time)).any():
            raise ExportError("elements of a frame stand elsewhere in the next one")
        return shaped(self.picked(value, picked), numbers.shape, time)

    def _time_axis(self, frames):
        """Where time is after a move; None if only the last frame is left."""
        if frames.size and (frames == self.frame_count - 1).all():
            return None
        for axis, size in enumerate(frames.shape):
            across = [1] * frames.ndim
            across[axis] = self.frame_count
            if size == self.frame_count and (frames == np.arange(size).reshape(across)).all():
                return axis
        raise ExportError("frames are mixed, dropped, or not in order: a step sees one frame, and answers at once")

    def picked(self, value, numbers):
        """The vector of the elements with these numbers, in one frame; -1 stands for a zero."""
        numbers = np.ravel(numbers)
        states = None if value.states is None or (numbers < 0).any() else value.states.ravel()[numbers]
        picks = _composed(value.numbers, numbers) if value.slots else None
        value = replace(value, shape=(len(numbers),), time=None, states=states, picks=picks)
        return _simplified(value) if value.slots else value

    def whole(self, value):
        """The value with each element of its slots once, in whatever order: gathered, if they are not."""
        if value.is_whole:
            return value
        order = np.arange(value.size)
        if (np.diff(value.picks[value.picks >= 0]) < 0).any():
            # In the order of the slots, in which values of the same moves and the operations on them agree.
            order = np.argsort(value.picks, kind="stable")
        slot = self.slot(self.picked(value, order))
        return replace(value, slots=(slot,), picks=unless_in_order(inverse(order)))

    def concatenate(self, values, axis):
        """The values, side by side along an axis that is not time."""
        times = {value.time for value in values}
        axis %= len(values[0].shape)
        if len(times) != 1 or axis in times:
            raise ExportError("a concatenation along time, or of a stream with a value of the last frame")
        time = values[0].time
        starts = np.cumsum([0] + [value.size for value in values])
        numbers = [
            np.arange(start, start + value.size).reshape(value.frame_shape) for start, value in zip(starts, values)
        ]
        frame_axis = axis - (time is not None and time < axis)
        numbers = np.concatenate(numbers, frame_axis)
        shape = list(values[0].shape)
        shape[axis] = sum(value.shape[axis] for value in values)
        # A cell state has no slot that could be joined; as a state, its numbers are.
        joined = Value(tuple(shape), time)
        if all(value.slots for value in values):
            joined = replace(joined, slots=sum((value.slots for value in values), ()), picks=_side_by_side(values))
        joined = shaped(self.picked(joined, numbers), joined.shape, time)
        # What comes out stays a state, whether it went in or not.
        is_new = all(value.is_new for value in values)
        is_state = all(value.states is not None for value in values) and len({value.is_new for value in values}) == 1
        if is_new or is_state:
            states = np.concatenate([value.states for value in values], frame_axis) if is_state else None
            return replace(joined, states=states, is_new=is_new)
        for value in values:
            self._refuse_state(value)
        return joined


def shaped(value, shape, time):
    """The vector of a frame's elements as those of a tensor."""
    value = replace(value, shape=shape, time=time)
    return value if value.states is None else replace(value, states=value.states.reshape(value.frame_shape))


def _width(slot):
    """How many elements of a value stand in a slot."""
    return 1 if slot.kind == INDEX else slot.size


def _side_by_side(values):
    """The numbers of all elements, in the slots of one value behind those of the one before it."""
    starts = np.cumsum([0] + [sum(map(_width, value.slots)) for value in values])
    return np.concatenate([np.where(value.numbers < 0, -1, value.numbers + at) for at, value in zip(starts, values)])


def _composed(numbers, picks):
    """Numbers of numbers, where -1 stands for -1."""
    return np.where(picks < 0, -1, numbers[picks])


def inverse(order):
    """Where each number stands in a permutation of 0, 1, 2 and so on."""
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places


def unless_in_order(picks):
    """None where they are 0, 1, 2 and so on: a value needs no picks then."""
    return None if np.array_equal(picks, np.arange(len(picks))) else picks


def _simplified(value):
    """The value with as few slots as its elements take, and without picks where these are whole slots."""
    starts = np.cumsum([0] + [*map(_width, value.slots)]).tolist()
    whole = _whole_slots(value, dict(zip(starts, value.slots)))
    if whole:
        return replace(value, slots=whole, picks=None)
    places = set((np.searchsorted(starts, value.picks[value.picks >= 0], "right") - 1).tolist())
    kept = list(dict.fromkeys(value.slots[place] for place in sorted(places))) or list(value.slots[:1])
    firsts = dict(zip(kept, np.cumsum([0] + [*map(_width, kept)]).tolist()))
    renumbered = np.concatenate([np.arange(_width(slot)) + firsts.get(slot, 0) for slot in value.slots])
    return replace(value, slots=tuple(kept), picks=_composed(renumbered, value.picks))


def _whole_slots(value, by_start):
    """The slots whose elements, one behind the other, are the value's, and are not more than it has; else None."""
    found, place = [], 0
    while place < value.size:
        first = int(value.picks[place])
        slot = by_start.get(first)
        if slot is None or len(found) == len(value.slots):
            return None
        following = place + _width(slot)
        if not np.array_equal(value.picks[place:following], np.arange(first, first + _width(slot))):
            return None
        found.append(slot)
        place = following
    return tuple(found)
