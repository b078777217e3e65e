"""The recipe's section `network`: what the network is made of, up to the sizes that follow from the data."""

from dataclasses import dataclass, replace

import numpy as np

from . import specification
from .fields import Field
from .specification import LOSSES, STEP, Layer, Specification

_LAYER_KEYS = ("kind", "hidden", "size", "variant", "activation", "rate", "deviation", "cell")
_LARGEST_SIZE = 65536


@dataclass(frozen=True)
class NetworkSection:
    """Programs by name, with whether they normalise, and their layers, each with the field that it stands in."""

    field: Field
    programs: tuple[tuple[str, bool, tuple[tuple[Layer, Field], ...]], ...]
    loss: str

    def specified(self, inputs, output_size):
        """The specification for what a frame of each program holds, and for so many outputs.

        Raises RecipeError where layers and data do not fit together.
        """
        if len(inputs) != len(self.programs):
            found = "one program" if len(self.programs) == 1 else f"{len(self.programs)} programs"
            if len(inputs) == 1:
                expected = 'one, as the data has one sequence of frames: "layers", not "programs"'
            else:
                expected = f'"programs", a list of {len(inputs)}: one that takes the input in, and one that writes the '
                expected += "target"
            raise self.field.error(expected, found)
        programs = []
        for (name, normalises, layers), port in zip(self.programs, inputs):
            sized = tuple(
                replace(layer, size=output_size) if _is_of_prediction(layer) else layer for layer, _ in layers
            )
            programs.append(specification.Program(name, port, normalises, sized))
        result = Specification(tuple(programs), self.loss)
        self._refuse_output(result, output_size)
        fault = result.fault()
        if fault:
            fields = [field for _, _, layers in self.programs for _, field in layers]
            place, found, expected = fault
            raise (self.field if place is None else fields[place]).error(expected, found)
        return result

    def _refuse_output(self, result, output_size):
        fields = [field for _, field in self.programs[-1][2]]
        for layer, field in reversed(list(zip(result.programs[-1].layers, fields))):
            if layer.size is not None:
                if layer.size != output_size:
                    expected = f"{output_size}, one for each thing that the data asks to predict"
                    raise field.error(expected, f"a network that ends with {layer.size} outputs")
                return


def read_network(field):
    """The section of a recipe."""
    with field.members("normalise", "layers", "programs", "loss") as members:
        listed = members.optional("programs")
        if listed is None:
            programs = [_program(STEP, members, is_last=True)]
        else:
            programs = []
            fields = listed.items()
            for number, entry in enumerate(fields):
                with entry.members("name", "normalise", "layers") as parts:
                    name = parts.required("name")
                    if name.text("the name of a program") in [program[0] for program in programs]:
                        raise name.error("each name once", f'"{name.text()}" again')
                    programs.append(_program(name.text(), parts, is_last=number == len(fields) - 1))
        loss = members.required("loss").choice(*LOSSES)
    return NetworkSection(field, tuple(programs), loss)


def _program(name, members, is_last):
    normalise = members.optional("normalise")
    fields = members.required("layers").items()
    layers = [
        (read_layer(field, may_lack_size=is_last and number == len(fields) - 1), field)
        for number, field in enumerate(fields)
    ]
    return name, normalise is not None and normalise.flag(), tuple(layers)


def read_layer(field, may_lack_size=False):
    """A layer; the size of a dense one may be left to the data where that is said."""
    with field.members(*_LAYER_KEYS) as members:
        kind = members.required("kind").choice(
            "rnn", "lstm", "gru", "state", "dense", "embedding", "dropout", "noise", "offset", "tanh", "sigmoid", "relu"
        )
        size = option = None
        if kind in ("rnn", "lstm", "gru", "state"):
            size = members.required("hidden").whole(1, _LARGEST_SIZE)
        if kind == "dense" and may_lack_size and members.optional("size") is None:
            return Layer(kind)
        if kind in ("dense", "embedding"):
            size = members.required("size").whole(1, _LARGEST_SIZE)
        if kind == "rnn":
            option = _chosen(members.optional("activation"), "tanh", "relu")
        elif kind == "gru":
            option = _chosen(members.optional("variant"), "reset-after", "reset-before")
        elif kind == "state":
            cell = members.optional("cell")
            option = cell is not None and cell.flag()
        elif kind == "dropout":
            option = members.required("rate").number(
                "a rate from 0 to below 1", lambda rate: 0 <= rate < 1 and np.float32(rate) < 1
            )
        elif kind in ("noise", "offset"):
            option = members.required("deviation").number("a deviation of at least 0", lambda number: number >= 0)
        return Layer(kind, size, option)


def written_layer(layer):
    """The layer as `read_layer` reads it."""
    keys = {"rnn": "activation", "gru": "variant", "state": "cell", "dropout": "rate"}
    entry = {"kind": layer.kind}
    if layer.size is not None:
        entry["size" if layer.kind in ("dense", "embedding") else "hidden"] = layer.size
    if layer.option is not None:
        entry[keys.get(layer.kind, "deviation")] = layer.option
    return entry


def _is_of_prediction(layer):
    return layer.kind == "dense" and layer.size is None


def _chosen(field, default, other):
    return default if field is None else field.choice(default, other)
