"""Values of a source graph, and what only moves their elements.

Moves are not carried out but noted: chains of them collapse, and an operation is added only where something needs the
elements in an order that is not theirs in the slots.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from .builder import Slot
from .clocks import EVERY_STEP, Clock
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

    Along time, the first `lead` places hold zeros, and the others the frames from the first on, which are known at the
    steps of `clock`; those at the end may be later than the source's last frame.
    """

    shape: tuple[int, ...]
    time: int | None
    slots: tuple[Slot, ...] = ()
    states: np.ndarray | None = None
    is_new: bool = False
    picks: np.ndarray | None = None
    clock: Clock = EVERY_STEP
    lead: int = 0
    ahead: str = ""  # where in the source there is padding behind the last frame

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

    def computed(self, shape, *slots, picks=None):
        """What is computed from each frame: the value of another shape, and of other slots."""
        return replace(self, shape=tuple(shape), slots=slots, picks=picks, states=None, is_new=False)


@dataclass
class Moves:
    """Slots and moves of values.

    `frame_count` is the length of the time axis in the source graph. Operations that keep nothing from step to step may
    run at more steps than their values' clocks have, but for strides; `slot` and `stream` give what is at those alone.
    """

    builder: object
    frame_count: int
    place: str = ""  # where in the source the reader is
    reach: int = 0  # how many steps before its own a prediction may come from, but for states of cells
    _gates: list = field(default_factory=lambda: [EVERY_STEP])
    _made: dict = field(default_factory=dict)

    @property
    def clock(self):
        """The clock of the steps that go on to the end of the program."""
        return self._gates[-1]

    def slot(self, value):
        """The one slot of a frame's elements, in order, at the steps of its clock alone."""
        slot = self.ordered(value)
        return self.gated(replace(value, slots=(slot,), picks=None)).slots[0]

    def stream(self, value):
        """The same for what sees each frame once: the cells, and the outputs."""
        _refuse_lead(value)
        self.refuse_open(value)
        return self.slot(value)

    def reversed(self, slot):
        """The frames from the last on."""
        if self._gates != [EVERY_STEP]:
            raise ExportError(
                f"a layer runs backward, and other frames are known at {self.clock} only; expected one at each step"
            )
        return self.builder.reverse(slot)

    def refuse_open(self, value):
        """Refuses a stream whose last frame is another one than the source's."""
        length, known = self._lengths(value)
        if length > known:
            raise ExportError(
                f"it looks ahead: the last {length - known} of {length} frames come of padding at the end, for which a "
                "stream has later frames; expected padding on the left only, or that those frames are cut off"
                + (f"; the padding is that of {value.ahead}" if value.ahead else "")
            )
        self.refuse_cut(value)

    def refuse_cut(self, value):
        """Refuses a stream without the source's last frame."""
        length, known = self._lengths(value)
        if length < known:
            raise ExportError(f"the last {known - length} of {known} frames are cut off; a step answers at once")

    def _lengths(self, value):
        """How many frames there are, and how many are known at the source's last frame."""
        if value.time is None:
            return 1, 1
        return value.shape[value.time] - value.lead, len(value.clock.steps(self.frame_count))

    def gated(self, value):
        """The value with slots that are computed at the steps of its clock alone."""
        slots = value.slots
        if value.clock not in self._gates:
            slots = (self._gate(slots[0], value.clock), *slots[1:])
        level = self._gates.index(value.clock)
        return replace(value, slots=tuple(replace(slot, level=max(slot.level, level)) for slot in slots))

    def _gate(self, slot, clock):
        """The slot behind a new gate, which ends all other steps."""
        if self.builder.takes_whole_sequences:
            raise ExportError(f"frames are known at {clock} only, and a layer runs backward; expected one at each step")
        steps = clock.within(self.clock)
        if steps is None:
            raise ExportError(f"two branches give frames at other steps each: at {clock}, and at {self.clock}")
        if slot.kind == INDEX:
            raise ExportError(f"an index is taken at {clock} only; expected that of what is looked up")
        first, stride = steps
        slot = replace(slot, level=len(self._gates) - 1)
        self._gates.append(clock)
        return self.builder.every(slot, stride, first)

    def ordered(self, value):
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
        _refuse_lead(value)
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
        if value.time is None:
            numbers = move(numbers)
            return shaped(self.picked(value, numbers), numbers.shape, None)
        length = value.shape[value.time]
        across = [1] * len(value.shape)
        across[value.time] = length
        frames = np.broadcast_to((np.arange(length) - value.lead).reshape(across), value.shape)
        numbers = np.broadcast_to(np.expand_dims(numbers, value.time), value.shape)
        numbers, frames = move(numbers), move(frames)
        if frames.size and (frames == length - value.lead - 1).all():
            self.refuse_open(value)
            return shaped(replace(self.picked(value, numbers), lead=0), numbers.shape, None)
        time, kept = _time_axis(frames)
        picked = numbers.take(0, time)
        if (numbers != np.expand_dims(picked, time)).any():
            raise ExportError("elements of a frame stand elsewhere in the next one")
        lead = int((kept < 0).sum())
        if lead == len(kept):
            raise ExportError("no frame is left, only padding")
        clock = value.clock.after(int(kept[lead]), int(kept[1] - kept[0]))
        result = replace(self.picked(value, picked), clock=clock, lead=lead)
        if clock.hop > value.clock.hop and value.slots:
            self.refuse_cut(value)
            result = self.gated(result)
        return shaped(result, numbers.shape, time)

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
        slot = self.ordered(self.picked(value, order))
        return replace(value, slots=(slot,), picks=unless_in_order(inverse(order)))

    def concatenate(self, values, axis):
        """The values, side by side along an axis that is not time."""
        axis %= len(values[0].shape)
        time, clock, lead = values[0].time, common_clock(values), values[0].lead
        if axis == time:
            raise ExportError("a concatenation along time")
        if any(value.lead != lead for value in values):
            raise ExportError(f"a concatenation with {[value.lead for value in values]} frames before the first one")
        starts = np.cumsum([0] + [value.size for value in values])
        numbers = [
            np.arange(start, start + value.size).reshape(value.frame_shape) for start, value in zip(starts, values)
        ]
        frame_axis = axis - (time is not None and time < axis)
        numbers = np.concatenate(numbers, frame_axis)
        shape = list(values[0].shape)
        shape[axis] = sum(value.shape[axis] for value in values)
        # A cell state has no slot that could be joined; as a state, its numbers are.
        joined = Value(tuple(shape), time, clock=clock, lead=lead)
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


def _refuse_lead(value):
    if value.lead:
        raise ExportError(f"{value.lead} frames of zeros stand before the first one; expected a convolution of them")


def _time_axis(frames):
    """Where time is after a move, and the numbers of the frames that are left along it."""
    for axis, size in enumerate(frames.shape):
        along = np.moveaxis(frames, axis, 0).reshape(size, -1)
        if size > 1 and along.size and (along == along[:, :1]).all():
            kept = along[:, 0]
            if kept[1] > kept[0] and (np.diff(kept) == kept[1] - kept[0]).all():
                return axis, kept
    raise ExportError("frames are mixed, dropped, or not in order: a step sees one frame, and answers at once")


def common_clock(values):
    """The clock of values that meet: that of their frames, or the one that the last of last frames has to wait for."""
    if len({value.time for value in values}) != 1:
        raise ExportError("a stream meets a value of the last frame, which a step does not know yet")
    clocks = {value.clock for value in values}
    last = max(clocks, key=lambda clock: (clock.hop, clock.first))
    is_same = len(clocks) == 1 if values[0].time is not None else all(map(last.within, clocks))
    if not is_same:
        first, other, *_ = sorted(clocks)
        raise ExportError(
            f"frames that are known at {first} meet such that are known at {other}; expected the same steps (what a "
            "convolution gives is known when all is that it takes: pad on the left only, or cut the first frames off)"
        )
    return last


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
