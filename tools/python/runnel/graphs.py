"""What the readers of source graphs share: inputs, the axis of time, states that go in and come out."""

from dataclasses import dataclass, replace

import numpy as np

from .builder import Builder
from .clocks import Clock
from .errors import ExportError, WrongTime
from .folding import folded
from .frames import Frames, Value
from .sources import SequenceSource


class NeedsState(Exception):
    """An input of the source turned out to be a state."""

    def __init__(self, name):
        self.name = name


@dataclass(frozen=True)
class GraphInput:
    """An input of the source graph; `rows` is the number of values of an index, None for numbers."""

    name: str
    shape: tuple[int, ...]
    rows: int | None = None


@dataclass(frozen=True)
class Traced:
    """A program, and how the source's inputs and results belong to it."""

    builder: Builder
    inputs: tuple[GraphInput, ...]
    time: int | None  # the axis of the first input
    state_inputs: dict[int, int]  # number of the input: number of the result that follows it
    outputs: tuple[tuple[int, int | None], ...]  # number of the result, its axis of time
    clock: Clock  # of the steps that give a prediction
    reach: int  # how many steps before its own a prediction may come from, but for states of cells

    @property
    def is_of_last_frame(self):
        """Whether there is a result for the last frame only."""
        return any(axis is None for _, axis in self.outputs)

    def refuse_fixed(self, length, instead):
        """Refuses a source of so many frames only that says nothing of the steps before its last one."""
        if self.is_of_last_frame and not self.builder.takes_whole_sequences:
            raise ExportError(
                f"the source takes sequences of {length} frames only, and gives the last one's result, so that the "
                f"other steps cannot be compared with it; expected {instead}, or check=False"
            )

    def model(self, metadata):
        return folded(self.builder.model(metadata))


class GraphReader:
    """Reads one source graph, with a guess of its axis of time and of the inputs that are states of cells.

    A subclass reads the nodes: it takes the inputs from `inputs`, calls `state` for what a cell starts from, and
    `finished` with the results.

    kept: the inputs by name that are states of no cell, with the number of the result that follows each.
    """

    def __init__(self, inputs, time, states, kept=None):
        self._graph_inputs, self._time = tuple(inputs), time
        self.builder = Builder()
        self.frames = Frames(self.builder, 1 if time is None else inputs[0].shape[time])
        self._start, self.inputs = 0, {}
        self._states, self._kept = states, kept or {}
        self._refuse_kept()
        for port in inputs:
            if port.name not in self._kept:
                self.inputs[port.name] = self._value(port, time if port is inputs[0] else None, port.name in states)
        self._numbers = {}
        for port in inputs:
            if port.name in self._kept:
                value = Value(port.shape, None)
                number = self._numbers[port.name] = self.builder.state(port.name, value.size)
                self.inputs[port.name] = replace(value, slots=(self.builder.recall(number),))

    def _refuse_kept(self):
        names = [port.name for port in self._graph_inputs]
        for name in self._kept:
            if name not in names[1:]:
                raise ExportError(
                    f"there is no state {name!r}; expected some of {names[1:]}, the inputs behind the first"
                )
        if self._kept and self._time is not None:
            raise ExportError("states are given for a graph over sequences; expected one of a single frame")

    def _value(self, port, time, is_state):
        value = Value(port.shape, time)
        numbers = np.arange(self._start, self._start + value.size).reshape(value.frame_shape)
        self._start += value.size
        if is_state:
            return Value(port.shape, time, states=numbers)
        if port.rows is None:
            slot = self.builder.vector(port.name, value.size)
        elif value.size == 1:
            slot = self.builder.index(port.name, port.rows)
        else:
            raise ExportError(f"input {port.name}: {value.size} indices in a frame; expected one for each input")
        return Value(port.shape, time, (slot,), numbers)

    @property
    def is_over_sequence(self):
        """Whether there is an axis of time."""
        return self._time is not None

    def state(self, value):
        """What a cell starts from: a constant as it is, or a value with the numbers of a state that goes in."""
        if not isinstance(value, Value):
            if self._time is None:
                raise ExportError(
                    "the cell starts anew in each frame; expected its state as an input and as a result, or a sequence"
                )
            return value
        if value.states is None or value.is_new:
            raise ExportError("what a cell starts from is computed from the frame")
        if value.slots:
            first = value.states.flat[0]
            raise NeedsState(next(name for name, given in self.inputs.items() if first in given.states))
        return value

    def finished(self, results):
        """Gives out the results, but for states that have gone in and for states behind the first result."""
        if not all(isinstance(value, Value) for value in results):
            raise ExportError("a result does not depend on the frame")
        following = {}
        for number, port in enumerate(self._graph_inputs):
            if port.name in self._kept:
                following[number] = self._stored(port, results)
            elif port.name in self._states:
                following[number] = self._follower(port, results)
            elif number > 0 and self.is_over_sequence:
                raise ExportError(f"input {port.name} is no state; expected no input but the sequence and states")
        kept = [
            (place, value)
            for place, value in enumerate(results)
            if place not in following.values() and not (value.is_new and place > 0)
        ]
        # A cell alone gives nothing but states.
        kept = kept or [(place, results[place]) for place in sorted(following.values())[:1]]
        for place, value in kept:
            self.builder.output("prediction" if len(kept) == 1 else f"prediction{place}", self._answer(place, value))
        clock = self.frames.clock
        for place, value in kept:
            if value.time is not None and value.clock != clock:
                raise ExportError(
                    f"result {place} is known at {value.clock}, and others are at {clock}; expected the same steps"
                )
        outputs = tuple((place, value.time) for place, value in kept)
        return Traced(self.builder, self._graph_inputs, self._time, following, outputs, clock, self.frames.reach)

    def _answer(self, place, value):
        try:
            return self.frames.stream(value)
        except ExportError as error:
            raise type(error)(f"result {place}: {error}") from None

    def _stored(self, port, results):
        place = self._kept[port.name]
        if not 0 <= place < len(results) or results[place].shape != port.shape:
            shapes = [list(value.shape) for value in results]
            what = f"the state {port.name} of the shape {list(port.shape)}"
            raise ExportError(f"result {place} follows {what}; the results' are {shapes}")
        self.builder.store(self.frames.slot(results[place]), self._numbers[port.name])
        return place

    def _follower(self, port, results):
        numbers = self.inputs[port.name].states.ravel()
        for place, value in enumerate(results):
            if value.is_new and value.states is not None and np.array_equal(value.states.ravel(), numbers):
                return place
        raise ExportError(f"the state {port.name} goes in, and is no result that comes out")


def traced(read, axes):
    """The first of the axes with which `read(axis, names of states)` gives a program."""
    refusals, states = [], set()
    for axis in axes:
        while True:
            try:
                return read(axis, states)
            except NeedsState as need:
                states = states | {need.name}
            except ExportError as error:
                refusals.append(error)
                break
    wrong = [error for error in refusals if isinstance(error, WrongTime)]
    raise next((error for error in refusals if error not in wrong), refusals[0])


def time_axes(shape, is_over_sequences):
    """The axes of the first input that may be time, the likeliest first; [None] for a step of one frame."""
    if not is_over_sequences:
        return [None]
    axes = [axis for axis in (1, 0, *range(2, len(shape))) if axis < len(shape) and shape[axis] > 1]
    if not axes:
        raise ExportError(f"the input has the shape {list(shape)}; expected two frames or more, so that time shows")
    return axes


class Source(SequenceSource):
    """The source of a traced program.

    call: gives a list of arrays for a list of arrays, in the order of the source's inputs and results; it is called
    with any number of frames where the graph is one of sequences.
    """

    def __init__(self, traced, call):
        super().__init__(traced.clock, traced.is_of_last_frame, traced.builder.takes_whole_sequences, has_more=True)
        self._traced, self._call = traced, call

    def __call__(self, frames):
        return self._stepped(frames) if self._traced.time is None else super().__call__(frames)

    def _whole(self, frames):
        first, *others = self._traced.inputs
        shape = [size for axis, size in enumerate(first.shape) if axis != self._traced.time]
        sequence = np.moveaxis(frames.reshape([len(frames), *shape]), 0, self._traced.time)
        results = self._call([_typed(first, sequence), *(np.zeros(port.shape, np.float32) for port in others)])
        return self._joined([(np.asarray(results[place]), axis) for place, axis in self._traced.outputs], len(frames))

    def _stepped(self, frames):
        following = self._traced.state_inputs
        states = {number: np.zeros(self._traced.inputs[number].shape, np.float32) for number in following}
        rows = []
        for frame in frames:
            start, arguments = 0, []
            for number, port in enumerate(self._traced.inputs):
                if number in states:
                    arguments.append(states[number])
                    continue
                size = int(np.prod(port.shape))
                arguments.append(_typed(port, frame[start : start + size].reshape(port.shape)))
                start += size
            results = self._call(arguments)
            states = {
                number: np.reshape(results[place], self._traced.inputs[number].shape)
                for number, place in following.items()
            }
            rows.append(np.concatenate([np.ravel(results[place]) for place, _ in self._traced.outputs]))
        return np.stack(rows)


def _typed(port, array):
    return np.ascontiguousarray(array, np.float32 if port.rows is None else np.int64)
