"""Reads Sequential and functional models of Keras."""

from dataclasses import dataclass

import keras
from keras.src.models.functional import Functional

from ..builder import Builder
from ..checking import CHECKED_FRAMES, checked_count
from ..clocks import Clock
from ..errors import ExportError
from ..frames import Frames, Value
from ..model import INDEX
from . import layers
from .weights import private

# How many frames the axis of time has while a model is read: any number that no layer has as a size, and more than
# windows without padding take.
FRAMES = 1009
_CHECKED_LAST_FRAMES = 40  # where each prediction takes a call for all the frames before it


class _NeedsIndex(Exception):
    """An input turned out to be an index of a table with so many rows."""

    def __init__(self, place, rows):
        self.place, self.rows = place, rows


@dataclass(frozen=True)
class Reading:
    """A program, and how the model's inputs and outputs belong to it."""

    builder: Builder
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    times: dict[tuple[str, ...], int | None]  # the axis of time of each input layer, also of nested models
    is_fixed: bool  # whether an input layer has a size for time, or for more than one stream
    clock: Clock  # of the steps that give a prediction
    reach: int  # how many steps before its own a prediction may come from, but for states of cells

    @property
    def is_of_last_frame(self):
        """Whether there is an output for the last frame only."""
        return any(value.time is None for value in self.outputs)

    @property
    def checked_count(self):
        """How many random frames show what the program does."""
        takes_calls = self.is_of_last_frame and not self.builder.takes_whole_sequences
        return checked_count(self.clock, self.reach, _CHECKED_LAST_FRAMES if takes_calls else CHECKED_FRAMES)


def read(model):
    """The program of a model. Raises ExportError."""
    if type(model) not in (keras.Sequential, Functional):
        why = layers.reason(type(model).__name__, type(model).__module__)
        raise ExportError(f"model {model.name!r} ({type(model).__name__}): {why}; expected Sequential or functional")
    if not hasattr(model, "inputs"):
        raise ExportError(f"model {model.name!r} (Sequential) is not built: it has no weights; expected an Input in it")
    rows = {}
    while True:
        try:
            return _Reader(rows).read(model)
        except _NeedsIndex as need:
            rows[need.place] = need.rows


class _Reader:
    """Reads one model; `rows` has the rows of the table for each input that is an index, by its place."""

    def __init__(self, rows):
        self._rows = rows
        self.builder = Builder()
        self.frames = Frames(self.builder, FRAMES)
        self._inputs, self._path, self._times, self._is_fixed = (), [], {}, False

    def read(self, model):
        try:
            self._inputs = tuple(self._input(place, tensor) for place, tensor in enumerate(model.inputs))
            outputs = tuple(keras.tree.flatten(self._graph(model, self._inputs)))
            self._give_out(outputs, _output_names(model))
        except ExportError as error:
            # Where it was raised, the path still says where that is.
            layer = self._path[-1] if self._path else model
            kind = "layer" if self._path else "model"
            name = "/".join(self._names()) or model.name
            raise ExportError(f"{kind} {name!r} ({type(layer).__name__}): {error}") from None
        clock, reach = self.frames.clock, self.frames.reach
        return Reading(self.builder, self._inputs, outputs, self._times, self._is_fixed, clock, reach)

    def _give_out(self, outputs, names):
        for value, name in zip(outputs, names):
            try:
                self.builder.output(name, self.frames.stream(value))
            except ExportError as error:
                raise ExportError(f"output {name!r}: {error}") from None
        clock = self.frames.clock
        for value, name in zip(outputs, names):
            if value.time is not None and value.clock != clock:
                raise ExportError(
                    f"output {name!r} is known at {value.clock}, and others are at {clock}; expected all at the same "
                    "steps"
                )

    def _names(self):
        return [layer.name for layer in self._path]

    def _input(self, place, tensor):
        rows, sizes, name = self._rows.get(place), list(tensor.shape[1:]), _name(tensor)
        # [batch, features] has no time, [batch, time] has.
        has_time = len(sizes) > 1 or len(sizes) == 1 and (sizes[0] is None or rows is not None)
        if has_time:
            sizes[0] = FRAMES
        if None in sizes:
            raise ExportError(f"input {name!r} has the shape {tensor.shape}; expected sizes behind time")
        value = Value((1, *sizes), 1 if has_time else None)
        if rows is None:
            slot = self.builder.vector(name, value.size)
        elif value.size == 1:
            slot = self.builder.index(name, rows)
        else:
            raise ExportError(f"input {name!r}: {value.size} indices in a frame; expected one for each input")
        return Value(value.shape, value.time, (slot,))

    def index(self, value, rows):
        """The slot of an index into a table of so many rows."""
        slot = self.frames.slot(value)
        if slot.kind != INDEX and slot.index < len(self._inputs):
            raise _NeedsIndex(slot.index, rows)
        if slot.kind != INDEX or slot.size != rows:
            raise ExportError(f"it looks up something else than an index of the frame below {rows}")
        return slot

    def called(self, layer, *arguments, **named):
        """What a layer, a nested model or an operation gives."""
        self._path.append(layer)
        self.frames.place = "/".join(self._names())
        result = self._called(layer, arguments, named)
        self._path.pop()
        return result

    def _called(self, layer, arguments, named):
        kind = type(layer)
        operation = layers.OPERATIONS.get(kind.__module__, {}).get(kind.__name__)
        if operation is not None:
            return operation(self.frames, *arguments, **named)
        if kind not in (*layers.TABLE, keras.Sequential, Functional):
            raise ExportError(layers.reason(kind.__name__, kind.__module__))
        if named.pop("training", None):
            raise ExportError("it is called with training=True, which a step never is")
        given = [key for key, value in named.items() if value is not None]
        if given or len(arguments) != 1 and kind is not Functional:
            raise ExportError(f"it is called with {' and '.join(given) or 'several arguments'}; expected a value alone")
        if kind in (keras.Sequential, Functional):
            return self._graph(layer, keras.tree.flatten(arguments))
        if getattr(layer, "quantization_mode", None):
            raise ExportError(f"its weights are quantized to {layer.quantization_mode}; expected floats")
        return layers.TABLE[kind](self, ".".join(self._names()), layer, arguments[0])

    def _graph(self, model, inputs):
        """What a model gives for the values of its inputs, which are a flat sequence: a value, or a list of them."""
        for tensor, value in zip(model.inputs, inputs):
            self._times[*self._names(), _name(tensor)] = value.time
            self._is_fixed |= tensor.shape[0] not in (None, 1)
            self._is_fixed |= value.time is not None and tensor.shape[value.time] is not None
        if type(model) is keras.Sequential:
            (value,) = inputs
            for layer in model.layers:
                value = self.called(layer, value)
            return value
        values = {id(tensor): value for tensor, value in zip(model.inputs, inputs)}
        for _, nodes in sorted(private(model, "_nodes_by_depth").items(), reverse=True):
            for node in nodes:
                if not node.is_input:
                    arguments, named = node.arguments.fill_in(values)
                    results = keras.tree.flatten(self.called(node.operation, *arguments, **named))
                    values.update((id(tensor), value) for tensor, value in zip(node.outputs, results))
        results = [values[id(tensor)] for tensor in model.outputs]
        return results[0] if len(results) == 1 else results


def _name(tensor):
    """The name of the layer that gives a tensor."""
    return private(tensor, "_keras_history").operation.name


def _output_names(model):
    """The names of the layers that give the outputs, if there are several and each has one of its own."""
    names = [_name(tensor) for tensor in model.outputs]
    if len(names) == 1:
        return ["prediction"]
    return names if len(set(names)) == len(names) else [f"prediction{place}" for place in range(len(names))]
