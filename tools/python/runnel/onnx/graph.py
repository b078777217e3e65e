"""Reads ONNX graphs."""

import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ..errors import ExportError, ModelError
from ..frames import Value
from ..graphs import GraphInput, GraphReader, NeedsState
from . import cells, operations
from .loading import is_standard, opset

# Frames of a sequence of any length that are left behind all windows: a number that is unlikely to be some other size.
FRAMES = 11
_MAX_EXAMPLE = 1 << 20  # elements of an input with more frames than these
_MAX_INPUT = 1 << 24  # elements of an input, with all of its frames
_FLOATS = (
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.BFLOAT16,
)
_INTEGERS = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)


@dataclass(frozen=True)
class Port:
    """An input; None stands for sizes that may be any, and for the rows of an input of numbers."""

    name: str
    sizes: tuple[int | None, ...]
    element_type: int
    rows: int | None


@dataclass(frozen=True)
class Axis:
    """The axis of time: that of an input, by the input's number, in a sequence of some length."""

    port: int
    axis: int
    length: int


class Graph:
    """The graph of a model, with what does not depend on the axis of time.

    states: inputs, with the outputs that follow them. inputs: those that are constants, with their values. shapes:
    those of other inputs. All of them by name.
    """

    def __init__(self, model, states=None, inputs=None, shapes=None):
        self.proto, self.opset = model.graph, opset(model)
        outputs = [port.name for port in self.proto.output]
        self._kept = {}
        for name, output in (states or {}).items():
            if output not in outputs:
                raise ExportError(f"output {output!r} follows the state {name!r}; there are {outputs}")
            self._kept[name] = outputs.index(output)
        self.constants = constants(self.proto)
        ports = {info.name: info for info in self.proto.input if info.name not in self.constants}
        for name in (*(inputs or {}), *(shapes or {})):
            if name not in ports:
                raise ExportError(f"there is no input {name!r}; expected some of {list(ports)}")
        self.fixed = {name: _fixed(ports[name], value) for name, value in (inputs or {}).items()}
        self.constants |= self.fixed
        self.nodes = _with_biases(self.proto, self.constants)
        known = onnx.shape_inference.infer_shapes(model).graph
        self._sizes = {info.name: _sizes(info) for info in (*known.value_info, *known.input)}
        self._sizes |= {name: array.shape for name, array in self.constants.items()}
        self.ports = [self._port(info) for name, info in ports.items() if name not in self.fixed]
        self.ports = [_with_sizes(port, (shapes or {}).get(port.name)) for port in self.ports]
        if not self.ports:
            raise ExportError("the graph has no input")

    def axes(self, time):
        """What may be the axis of time, the likeliest first; None stands for a graph of one frame.

        A recurrent layer says which one it is; without one a frame is all that there is, unless `time` is given.
        Windows along an axis of any size are refused then, as this may be time.
        """
        if time is not None:
            return self._named_axes(time)
        if self._kept:
            return [None]
        if not any(node.op_type in cells.TABLE for node in _nodes(self.proto)):
            self._refuse_open_windows()
            return [None]
        sequences = {number for number, port in enumerate(self.ports) if self._feeds_layer(port.name)}
        return [axis for axis in self._all_axes() if axis.port in sequences and axis.length > 1] + [None]

    def _refuse_open_windows(self):
        windowed = next((node for node in _nodes(self.proto) if node.op_type in operations.WINDOWED), None)
        for port in self.ports if windowed is not None else ():
            axis = next((axis for axis in range(len(port.sizes) - 1, 0, -1) if port.sizes[axis] is None), None)
            if axis is not None:
                raise ExportError(
                    f"{windowed.op_type} {windowed.name or windowed.output[0]}: axis {axis} of the input {port.name} "
                    "is of any size, and no recurrent layer says whether it is time; expected "
                    f"time={axis} if its elements are frames, or shapes={{{port.name!r}: …}} if all are one frame"
                )

    def _feeds_layer(self, name):
        """Whether an input becomes a recurrent layer's sequence, and not just its state."""
        names = {name}
        for node in _nodes(self.proto):
            is_layer = node.op_type in cells.TABLE
            if names.intersection(node.input[:1] if is_layer else node.input):
                if is_layer:
                    return True
                names.update(node.output)
        return False

    def _named_axes(self, time):
        """The axes of the inputs with this number."""
        ranks = [len(port.sizes) for port in self.ports]
        axes = [Axis(number, time % rank, 0) for number, rank in enumerate(ranks) if -rank <= time < rank]
        if not axes:
            raise ExportError(f"time is {time}, and the inputs have {ranks} axes")
        # One frame stands for any number of them.
        sizes = [self.ports[axis.port].sizes[axis.axis] for axis in axes]
        return [
            replace(axis, length=self._frame_count(axis.port) if size in (None, 1) else size)
            for axis, size in zip(axes, sizes)
        ]

    def _all_axes(self):
        for number, port in enumerate(self.ports):
            for axis in (1, 0, *range(2, len(port.sizes))):
                if axis < len(port.sizes):
                    yield Axis(number, axis, port.sizes[axis] or self._frame_count(number))

    def _frame_count(self, number):
        """Frames of a sequence of any length, which is given in the input with this number."""
        count = FRAMES
        for node in reversed([node for node in _nodes(self.proto) if node.op_type in operations.WINDOWED]):
            attributes = Node(node, (), self.opset).attributes
            width, *_ = attributes.get("kernel_shape") or (self._sizes.get(node.input[1]) or ())[2:] or [1]
            stride, dilation = (attributes.get(name, [1])[0] for name in ("strides", "dilations"))
            # As many as leave nothing over: with a stride, no window then reaches into padding at the end.
            count = count * stride + max(((width or 1) - 1) * dilation - sum(attributes.get("pads", [])), 0)
        size = np.prod([size or 1 for size in self.ports[number].sizes], dtype=float)
        return int(max(FRAMES, min(count, _MAX_EXAMPLE // size)))

    @property
    def stride(self):
        """A number of frames that changes no window's place: sequences that differ by it are alike at their ends."""
        nodes = [node for node in _nodes(self.proto) if node.op_type in operations.WINDOWED]
        return math.prod(Node(node, (), self.opset).attributes.get("strides", [1])[0] for node in nodes)

    def inputs(self, axis):
        """The inputs, that of time first; sizes that may be any, such as that of a batch, are 1."""
        inputs = []
        for number, port in enumerate(self.ports):
            shape = [1 if size is None else size for size in port.sizes]
            if axis is not None and number == axis.port:
                shape[axis.axis] = axis.length
            if np.prod(shape, dtype=float) > _MAX_INPUT:
                raise ExportError(f"input {port.name} has the shape {shape}; expected at most {_MAX_INPUT} elements")
            inputs.append(GraphInput(port.name, tuple(shape), port.rows))
        if axis is not None:
            inputs.insert(0, inputs.pop(axis.port))
        return inputs

    def read(self, axis, states):
        """The program for an axis of time. Raises NeedsState and ExportError."""
        time = None if axis is None else axis.axis
        kept = {name: place for name, place in self._kept.items() if name not in states}
        program = OnnxReader(self, self.inputs(axis), time, states, kept).read()
        for number, place in program.state_inputs.items():
            name, outputs = program.inputs[number].name, self.proto.output
            if self._kept.get(name, place) != place:
                raise ExportError(
                    f"the state {name!r} is a cell's, which output {outputs[place].name!r} follows, and not "
                    f"{outputs[self._kept[name]].name!r}"
                )
        return program

    def _port(self, info):
        kind = info.type.tensor_type
        if not info.type.HasField("tensor_type") or not kind.HasField("shape"):
            raise ExportError(f"input {info.name} is no tensor with a known number of axes")
        rows = self._rows(info.name)
        if kind.elem_type not in _INTEGERS + _FLOATS or kind.elem_type in _INTEGERS and rows is None:
            name = onnx.TensorProto.DataType.Name(kind.elem_type)
            raise ExportError(
                f"input {info.name} is of the type {name}; expected floats, or indices of a table's rows; or a "
                f"constant instead: inputs={{{info.name!r}: …}}"
            )
        return Port(info.name, _sizes(info), kind.elem_type, rows)

    def _rows(self, name):
        """The rows of the table that an input is looked up in; None if there is no such table."""
        names = {name}
        for node in _nodes(self.proto):
            if node.op_type == "Gather" and node.input[1] in names:
                return (self._sizes.get(node.input[0]) or [None])[0]
            if node.op_type in operations.MOVES | {"Cast", "Identity"} and node.input[0] in names:
                names.update(node.output)
        return None


class Node:
    """A node with its operands: Values, arrays of constants, and None for what is left out."""

    def __init__(self, proto, operands, opset):
        self.proto, self.operands, self.opset = proto, operands, opset
        self.type = proto.op_type
        self.name = proto.name or next((name for name in proto.output if name), proto.op_type)

    @property
    def attributes(self):
        """Numbers, strings and lists of them by name."""
        values = {entry.name: helper.get_attribute_value(entry) for entry in self.proto.attribute}
        return {name: _text(value) for name, value in values.items()}

    def operand(self, place):
        return self.operands[place] if place < len(self.operands) else None

    def value(self, place):
        """An operand that is computed from the frame."""
        if not isinstance(self.operand(place), Value):
            raise ExportError(f"operand {place} is a constant; expected one that is computed from the frame")
        return self.operands[place]

    def constant(self, place):
        """An operand that is a constant, or None."""
        if isinstance(self.operand(place), Value):
            raise ExportError(f"operand {place} is computed from the frame; expected a constant")
        return self.operand(place)

    def moved(self, frames):
        """The first operand after what only moves, drops or repeats elements; a list where there are several."""
        rest = [self.constant(place) for place in range(1, len(self.operands))]

        def moved(place):
            return lambda array: operations.evaluated(self.proto, [array, *rest], self.opset)[place]

        return [frames.moved(self.value(0), moved(place)) for place in range(len(self.proto.output))]


class OnnxReader(GraphReader):
    def __init__(self, graph, inputs, time, states, kept):
        super().__init__(inputs, time, states, kept)
        self._graph = graph
        self._values = {**graph.constants, **self.inputs}

    def read(self):
        """The program. Raises NeedsState and ExportError."""
        self._read(self._graph.nodes)
        return self.finished([self._value_of(port.name) for port in self._graph.proto.output])

    def state(self, value):
        """What a cell starts from; a state that was named is the cell's own then."""
        for name in self._kept:
            if isinstance(value, Value) and value.slots == self.inputs[name].slots:
                raise NeedsState(name)
        return super().state(value)

    def _read(self, nodes):
        for proto in nodes:
            node = Node(proto, [self._value_of(name) for name in proto.input], self._graph.opset)
            self.frames.place = f"{node.type} {node.name}"
            try:
                results = self._results(node)
            except ExportError as error:
                raise type(error)(f"{node.type} {node.name}: {error}") from None
            except (ModelError, ValueError, IndexError) as error:  # Shapes that do not fit together.
                raise ExportError(f"{node.type} {node.name}: {error}") from None
            self._values.update((name, value) for name, value in zip(proto.output, results) if name)

    def _results(self, node):
        if not is_standard(node.proto):
            raise ExportError(f"the operators of {node.proto.domain} are not those of ONNX itself")
        if node.type == "If":
            return self._branch(node)
        if node.type in operations.SHAPES:
            node.operands[0] = np.broadcast_to(np.int64(0), node.operands[0].shape)
        if not any(isinstance(operand, Value) for operand in node.operands):
            if node.type not in operations.FOLDED:
                raise ExportError("all that it takes is constant")
            return operations.evaluated(node.proto, node.operands, node.opset)
        if node.type in cells.TABLE:
            return cells.read(self, node)
        if node.type in operations.MOVES:
            return node.moved(self.frames)
        if node.type in operations.TABLE:
            results = operations.TABLE[node.type](self.frames, node)
            return results if isinstance(results, list) else [results]
        if node.type in operations.REFUSED:
            raise ExportError(operations.REFUSED[node.type])
        raise ExportError("there is no such operation in a .runnel file")

    def _branch(self, node):
        """The results of the graph that a constant condition chooses."""
        graph = node.attributes["then_branch" if np.all(node.constant(0)) else "else_branch"]
        self._values.update(constants(graph))
        self._read(graph.node)
        return [self._value_of(port.name) for port in graph.output]

    def _value_of(self, name):
        if name and name not in self._values:
            raise ExportError(f"{name} is a second result of an operation, which no step has")
        return self._values[name] if name else None


def constants(graph):
    """The graph's own constants by name."""
    if graph.sparse_initializer:
        raise ExportError(f"the constant {graph.sparse_initializer[0].values.name} is sparse")
    return {tensor.name: _array(tensor) for tensor in graph.initializer}


def _fixed(info, value):
    """The constant that an input is."""
    kind = info.type.tensor_type
    try:
        array = np.asarray(value).astype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
        is_same = np.array_equal(array, value)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ExportError(f"input {info.name} cannot be {value!r}: {error}") from error
    sizes = _sizes(info)
    if len(sizes) != array.ndim or any(size not in (None, found) for size, found in zip(sizes, array.shape)):
        raise ExportError(f"input {info.name} cannot have the shape {list(array.shape)}; expected {list(sizes)}")
    if not is_same and array.dtype.kind not in "fV":
        raise ExportError(f"input {info.name} is of the type {array.dtype}, and cannot be {value!r}")
    return array


def _with_sizes(port, shape):
    """The input with the shape that was given for it."""
    if shape is None:
        return port
    sizes = tuple(int(size) for size in shape)
    is_one = len(sizes) == len(port.sizes) and all(a in (None, b) for a, b in zip(port.sizes, sizes))
    if not is_one or min(sizes, default=1) < 1:
        raise ExportError(f"input {port.name} cannot have the shape {list(sizes)}; expected {list(port.sizes)}")
    return replace(port, sizes=sizes)


def _with_biases(graph, constants):
    """The nodes of a graph, where a product's third operand is the bias that a node of its own adds."""
    uses = Counter(name for node in _nodes(graph) for name in node.input)
    uses.update(port.name for port in graph.output)
    nodes, products = [], {}
    for node in graph.node:
        if node.op_type == "Add" and is_standard(node):
            product, bias = sorted(node.input, key=constants.__contains__)
            if product in products and uses[product] == 1 and np.shape(constants.get(bias)) == products[product][1]:
                nodes[products[product][0]].input.append(bias)
                nodes[products[product][0]].output[0] = node.output[0]
                continue
        if node.op_type == "MatMul" and is_standard(node) and np.ndim(constants.get(node.input[1])) == 2:
            products[node.output[0]] = (len(nodes), constants[node.input[1]].shape[1:])
            copied = onnx.NodeProto()
            copied.CopyFrom(node)
            node = copied
        nodes.append(node)
    return nodes


def _array(tensor):
    try:
        array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise ExportError(f"tensor {tensor.name!r} has not the numbers that it says: {error}") from error
    # Types that NumPy does not have are smaller ones than this.
    return array if array.dtype.kind in "biufUSO" else array.astype(np.float32)


def _sizes(info):
    # Some files say 0 or -1 for what may be any size.
    return tuple(size.dim_value if size.dim_value > 0 else None for size in info.type.tensor_type.shape.dim)


def _nodes(graph):
    """The nodes of the graph, and of the graphs within them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)


def _text(value):
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return [_text(entry) for entry in value] if isinstance(value, list) else value
