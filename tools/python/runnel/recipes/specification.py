"""What a network is made of: programs over shared states, and the loss of the last one.

A sequence runs all programs, one after the other. The first layer with a state of each program works on the same
state, so does the second one, and so on. The non-linearity that a loss implies (softmax, sigmoid) is no layer.
"""

from dataclasses import dataclass

from ..model import INDEX, Input

LOSSES = ("softmax-cross-entropy", "sigmoid-cross-entropy", "mean-squared-error")
SOFTMAX, SIGMOID, SQUARED = LOSSES
STEP = "step"  # the name of the only program

_LARGEST_SIZE = 1 << 20
_LARGEST_COUNT = 1 << 30
_FOR_TRAINING_ONLY = ("dropout", "noise", "offset")


@dataclass(frozen=True)
class Layer:
    """A layer by its kind; `size` is that of its outputs, and None where it is that of the layer before.

    option: the activation of an `rnn` (tanh, relu), the variant of a `gru` (reset-after, reset-before), whether a
    `state` has a cell, the rate of a `dropout`, the deviation of `noise` and `offset`.
    """

    kind: str
    size: int | None = None
    option: object = None

    @property
    def is_for_training_only(self):
        """Whether the layer does nothing but disturb training, and is no part of the exported model."""
        return self.kind in _FOR_TRAINING_ONLY

    def state_sizes(self, input_size):
        """The sizes of the layer's states for one stream."""
        if self.kind == "offset":
            return (input_size, 1)
        if self.kind == "lstm" or self.kind == "state" and self.option:
            return (self.size, self.size)
        return (self.size,) if self.kind in ("rnn", "gru", "state") else ()

    def parameter_count(self, input_size):
        gates = {"rnn": 1, "lstm": 4, "gru": 3}.get(self.kind)
        if gates:
            return gates * self.size * (input_size + self.size + 2)
        return {"dense": (input_size + 1) * (self.size or 0), "embedding": input_size * (self.size or 0)}.get(
            self.kind, 0
        )


@dataclass(frozen=True)
class Program:
    """A program: what a frame holds, whether it is normalised, and the layers from first to last."""

    name: str
    input: Input
    normalises: bool
    layers: tuple[Layer, ...]

    def input_sizes(self):
        """The number of inputs of each layer (of an embedding, the rows of its table), and last that of the outputs."""
        sizes = [self.input.size]
        for layer in self.layers:
            sizes.append(layer.size or sizes[-1])
        return sizes

    def layer_names(self, prefix):
        """Such as gru0: the kind, and how many of it came before."""
        counts, names = {}, []
        for layer in self.layers:
            counts[layer.kind] = counts.get(layer.kind, 0) + 1
            names.append(f"{prefix}{layer.kind}{counts[layer.kind] - 1}")
        return names


@dataclass(frozen=True)
class Specification:
    programs: tuple[Program, ...]
    loss: str

    @property
    def output_size(self):
        return self.programs[-1].input_sizes()[-1]

    @property
    def writes_its_input(self):
        """Whether the last program's frames are the classes that it predicts, as numbers or as vectors with one 1."""
        last = self.programs[-1]
        return self.loss == SOFTMAX and not last.normalises and last.input.size == self.output_size

    def prefix(self, program):
        """What stands before the names of a program's layers."""
        return f"{program.name}." if len(self.programs) > 1 else ""

    def fault(self):
        """What does not fit together: the number of the layer among those of all programs, or None where it is no
        layer's fault, what was found and what was expected. None if all fits."""
        shared, count, first = [], 0, 0
        for program in self.programs:
            place, size = 0, program.input.size
            for number, layer in enumerate(program.layers):
                fault = _layer_fault(program, number, size) or _shared_fault(layer, size, shared, place)
                if fault:
                    return first + number, *fault
                states = layer.state_sizes(size)
                shared += [states] if states and place == len(shared) else []
                place += bool(states)
                count += layer.parameter_count(size)
                size = layer.size or size
            first += len(program.layers)
        if not count:
            return None, "no layer that makes a prediction", "one, such as a dense layer"
        if count > _LARGEST_COUNT:
            return None, f"{count:,} parameters", f"at most {_LARGEST_COUNT:,}"
        return None


def _layer_fault(program, number, size):
    layer, is_index = program.layers[number], program.input.kind == INDEX
    if not number and not 1 <= size <= _LARGEST_SIZE:
        return f"an input of {size} elements", f"from 1 to {_LARGEST_SIZE}"
    if is_index and program.normalises:
        return '"normalise" with an index input', '"normalise": false'
    if layer.kind == "embedding" and (number or not is_index):
        return "an embedding here", 'an embedding only as the first layer, and on an index ("input": "index")'
    if not number and is_index and layer.kind != "embedding":
        return (
            "an index input that goes into no embedding",
            'an embedding as the first layer, or "input": "one-hot"',
        )
    if layer.kind == "state" and size != sum(layer.state_sizes(size)):
        return (
            "an input of another size than the state",
            'a layer before it with as many outputs as the state has elements, "hidden" (twice as many with "cell": '
            "true)",
        )
    return None


def _shared_fault(layer, size, shared, place):
    states = layer.state_sizes(size)
    if states and place < len(shared) and shared[place] != states:
        return (
            "a state of another size than that of the same place in the program before",
            'the same "hidden" and the same kind: the first recurrent layers of all programs share a state, so do the '
            "second ones, and so on",
        )
    return None
