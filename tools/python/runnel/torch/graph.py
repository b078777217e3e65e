"""Reads the graph that torch.export makes of a module."""

import operator

import numpy as np
import torch

from ..errors import ExportError
from ..frames import Value
from ..graphs import GraphInput, GraphReader
from . import cells, operations


def is_over_sequences(program):
    """Whether a recurrent layer takes a whole sequence."""
    return any(str(node.target) in cells.SEQUENCES for node in program.graph.nodes)


def convolved_length(program):
    """How many positions the first convolution or pooling takes; None without, and in a module with cells."""
    nodes = list(program.graph.nodes)
    if any(str(node.target) in cells.TABLE for node in nodes):
        return None
    windowed = (node for node in nodes if str(node.target) in operations.WINDOWED)
    return next((node.args[0].meta["val"].shape[-1] for node in windowed), None)


def graph_inputs(program):
    """The module's inputs."""
    names = set(program.graph_signature.user_inputs)
    return [_input(node) for node in program.graph.nodes if node.op == "placeholder" and node.name in names]


def _input(node):
    value = node.meta["val"]
    if not isinstance(value, torch.Tensor):
        raise ExportError(f"input {node.name} is no tensor")
    return GraphInput(node.name, tuple(value.shape), None if value.is_floating_point() else _rows(node))


def _rows(node):
    """The rows of the table that an index is looked up in."""
    pending, seen = [node], set()
    while pending:
        for user in pending.pop().users:
            if str(user.target) == "aten.embedding.default":
                return user.args[0].meta["val"].shape[0]
            if str(user.target) in operations.MOVES and user not in seen:
                seen.add(user)
                pending.append(user)
    raise ExportError(f"input {node.name} holds whole numbers, and no embedding looks them up")


class TorchReader(GraphReader):
    def __init__(self, program, inputs, time, states, kept):
        super().__init__(inputs, time, states, kept)
        self._graph = program.graph
        self._values = {}  # node: Value, tensor of constants, or a list of them
        signature = program.graph_signature
        targets = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        tensors = {**program.constants, **program.state_dict}
        self._constants = {name: tensors[target] for name, target in targets.items()}

    def read(self):
        """The program. Raises NeedsState and ExportError."""
        for node in self._graph.nodes:
            self.frames.place = _place(node)
            try:
                if node.op == "output":
                    return self.finished(self._arguments(node.args[0]))
                self._values[node] = self._value_of(node)
            except ExportError as error:
                raise type(error)(f"{_place(node)}: {error}") from None

    def _arguments(self, arguments):
        return torch.fx.node.map_arg(arguments, self._values.__getitem__)

    def _value_of(self, node):
        if node.op == "placeholder":
            return self.inputs[node.name] if node.name in self.inputs else self._constants[node.name]
        if node.op != "call_function":
            raise ExportError(f"a node of the kind {node.op}")
        arguments, named = self._arguments(node.args), self._arguments(node.kwargs)
        if node.target is operator.getitem:
            return self._part(node, *arguments)
        if not _has_value(arguments):
            with torch.no_grad():
                return node.target(*arguments, **named)
        name = str(node.target)
        if name in cells.TABLE:
            return cells.TABLE[name](self, _module_path(node) or node.name, *arguments, **named)
        if name in operations.TABLE:
            return operations.TABLE[name](self.frames, *arguments, **named)
        if name in operations.MOVES:
            value, *rest = arguments
            return self._moved(value, lambda array: operations.moved(node.target, array, rest, named))
        raise ExportError("there is no such operation in a .runnel file")

    def _part(self, node, results, place):
        """One of the results of an operation, of which some have more in PyTorch than here."""
        if place < len(results):
            return results[place]
        if node.users:
            raise ExportError(f"result {place} of an operation, which is none of a step")
        return None

    def _moved(self, value, move):
        """What a move makes of a value; some give several."""
        parts = move(np.zeros(value.shape, np.int64))
        if not isinstance(parts, list):
            return self.frames.moved(value, move)
        return [self.frames.moved(value, lambda array, place=place: move(array)[place]) for place in range(len(parts))]


def _has_value(arguments):
    return any(
        isinstance(value, Value) or isinstance(value, (list, tuple)) and _has_value(value) for value in arguments
    )


def _module_path(node):
    stack = node.meta.get("nn_module_stack") or {}
    return next(reversed([path for path, _ in stack.values()]), "").removeprefix("L['self']").lstrip(".") or None


def _place(node):
    """An operation, and the submodule that it stands in."""
    path = _module_path(node)
    name = str(node.target).removeprefix("aten.").rsplit(".", 1)[0] if node.op == "call_function" else node.name
    return f"{name} in {path}" if path else name
