"""Makes .runnel models of networks that were trained on recipes.

Operations and tensors have the names that `runnel train` gives them: for each program its normalisation, the layers one
after the other, and at the end of the last one the non-linearity of the loss.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import layouts
from ..checking import TOLERANCE
from ..errors import CheckError, ExportError
from ..model import GoldenRun, Model, Operation, Output, Program, State, Tensor
from ..reference import Session
from ..safetensors import read_all
from ..validation import validate
from .naming import OUTPUT, STATE
from .normalisation import NEVER, ONCE, TWICE
from .specification import SIGMOID, SOFTMAX
from .trained import KEY, parsed


def is_trained(metadata):
    """Whether a .safetensors file with this metadata is one of `runnel.train`."""
    return KEY in metadata


def export(path, check=True, tolerance=TOLERANCE):
    """The model of a .safetensors file that `runnel.train` wrote.

    With `check`, the network runs in PyTorch, in double precision, on the sequences of the file, all programs in turn,
    and the model in NumPy; the model keeps the frames with the network's numbers. Raises CheckError where they differ
    by more than the tolerance (times the largest output, where that is above 1), ExportError and RecipeError for a file
    that is not whole.
    """
    path = Path(path)
    tensors, metadata = read_all(path)
    if not is_trained(metadata):
        raise ExportError(f"{path.name} has no {KEY} in its metadata; expected a file of runnel.train")
    trained = parsed(tensors, metadata[KEY], path.name)
    model = model_of(trained)
    return checked(model, trained, tolerance) if check else model


def model_of(trained):
    """The model, without golden frames. Raises ExportError and ModelError."""
    writer = _Writer(trained)
    programs = tuple(map(writer.program, range(len(trained.specification.programs))))
    writer.require_all_used()
    model = Model(tuple(writer.states), programs, tuple(writer.tensors), trained.metadata)
    validate(model)
    return model


def checked(model, trained, tolerance):
    """The model with golden frames, after its outputs have been found to be those of the network in PyTorch."""
    from .running import outputs

    names = [program.name for program in model.programs]
    for run, frames in enumerate(trained.golden):
        session = Session(model)
        for place, expected in enumerate(outputs(trained, frames, NEVER)):
            found = session.run(frames[place], place)
            deviation, allowed = np.abs(found - expected).max(), tolerance * max(1.0, np.abs(expected).max())
            if not deviation <= allowed:
                raise CheckError(
                    f"the export is not the network: in sequence {run} of {len(trained.golden)}, program "
                    f"{names[place]}, they differ by {deviation:.1e}; expected at most {allowed:.1e}"
                )
    runs, largest, difference = [], 1.0, 0.0
    for frames in trained.golden:
        # The runtime normalises in 32 bits, on some machines with one rounding and on others with two.
        twice, once = outputs(trained, frames, TWICE), outputs(trained, frames, ONCE)
        for place, (part, values, other) in enumerate(zip(frames, twice, once)):
            largest = max(largest, np.abs(values).max())
            difference = max(difference, np.abs(values - other).max())
            rows = np.asarray(part, "<f4").reshape(len(part), -1)
            runs.append(GoldenRun(place, place == 0, rows, values.astype("<f4")))
    return replace(model, tolerance=max(tolerance * largest, 4 * difference), golden=tuple(runs))


class _Writer:
    """Turns programs into lists of operations, layer by layer, one slot after the other."""

    def __init__(self, trained):
        self._trained = trained
        self._parameters = dict(trained.parameters)
        self.states, self.tensors = [], []
        self._operations, self._place = [], 0

    def program(self, number):
        """A program with all its operations."""
        specification = self._trained.specification
        program = specification.programs[number]
        prefix = specification.prefix(program)
        self._operations, self._place = [], 0
        normalisation = self._trained.normalisations[number]
        if normalisation is not None:
            vectors = {"scale": normalisation.scale, "shift": normalisation.shift}
            self._append("affine", self._named(f"{prefix}normalisation", vectors))
        sizes, names = program.input_sizes(), program.layer_names(prefix)
        for place, layer in enumerate(program.layers):
            if not layer.is_for_training_only:
                self._layer(layer, sizes[place], names[place], f"programs.{number}.layers.{place}")
        is_last = number == len(specification.programs) - 1
        if is_last and specification.loss in (SOFTMAX, SIGMOID):
            self._append({SOFTMAX: "softmax", SIGMOID: "sigmoid"}[specification.loss])
        output = Output(OUTPUT if is_last else STATE, len(self._operations))
        return Program(program.name, (program.input,), tuple(self._operations), (output,))

    def require_all_used(self):
        if self._parameters:
            raise ExportError(
                f"there are weights {', '.join(sorted(self._parameters))}; expected none besides the layers'"
            )

    def _layer(self, layer, input_size, name, source):
        states = self._shared(layer.state_sizes(input_size), name)
        if layer.kind in ("rnn", "lstm", "gru"):
            code, layout, gates = _CELLS[layer.kind, layer.option]
            rows, place = gates * layer.size, source if code == "gruResetBefore" else f"{source}.cell"
            shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, layer.size)}
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            weights = [self._take(f"{place}.{part}_l0", shape) for part, shape in shapes.items()]
            keys = ("inputWeights", "recurrentWeights", "bias", "candidateBias")
            self._append(code, self._named(name, dict(zip(keys, layout(*weights, where=name)))), states)
        elif layer.kind == "state":
            self._store(layer, name, states)
        elif layer.kind == "dense":
            weight = self._take(f"{source}.weight", (layer.size, input_size))
            bias = self._take(f"{source}.bias", (layer.size,))
            self._append("dense", self._named(name, {"weights": weight, "bias": bias}))
        elif layer.kind == "embedding":
            table = self._take(f"{source}.weight", (input_size, layer.size))
            self._append("embedding", self._named(name, {"table": table}))
        else:
            self._append(layer.kind)

    def _store(self, layer, name, states):
        """Makes the latest result a state, or, of twice the size, a hidden and a cell state."""
        size, values = layer.size, len(self._operations)
        if len(states) == 2:
            self._append("gather", self._named(name, {"cell": np.arange(size, 2 * size)}), operand=values)
            self._append("store", states=states[1:])
            self._append("gather", self._named(name, {"hidden": np.arange(size)}), operand=values)
        self._append("store", states=states[:1])

    def _shared(self, sizes, name):
        """The states of a layer: those of the same place in the program before, where there are some."""
        numbers = []
        for size, suffix in zip(sizes, ("hidden", "cell")):
            if self._place == len(self.states):
                self.states.append(State(f"{name}.{suffix}", size))
            numbers.append(self._place)
            self._place += 1
        return tuple(numbers)

    def _take(self, name, shape):
        if name not in self._parameters:
            raise ExportError(f"there are no weights {name}; expected them as {list(shape)}")
        return layouts.shaped(self._parameters.pop(name), shape, name)

    def _named(self, name, parts):
        start = len(self.tensors)
        self.tensors += [Tensor.of(f"{name}.{key}", values) for key, values in parts.items()]
        return tuple(range(start, len(self.tensors)))

    def _append(self, code, tensors=(), states=(), operand=None):
        operand = len(self._operations) if operand is None else operand
        self._operations.append(Operation(code, (operand,), tensors, states))


# For each kind and option: the operation, the layout of its weights, and the number of gates.
_CELLS = {
    ("rnn", "tanh"): ("rnnTanh", layouts.torch_rnn, 1),
    ("rnn", "relu"): ("rnnReLU", layouts.torch_rnn, 1),
    ("lstm", None): ("lstm", layouts.torch_lstm, 4),
    ("gru", "reset-after"): ("gruResetAfter", layouts.torch_gru, 3),
    ("gru", "reset-before"): ("gruResetBefore", layouts.torch_gru_reset_before, 3),
}
