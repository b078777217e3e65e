"""A cell as a LiteRT (.tflite) model, written with the schema that ships in ai_edge_litert.

A step is the graph that converters make of a cell: fully connected products, a split into gates, activations and
arithmetic, all of which XNNPACK computes. Inputs: x [streams, input], h and, for the LSTM, c [streams, hidden].
Outputs: the next states, the hidden one first. The GRU is the one that resets after the product.

int8 is dynamic-range quantisation: weights in int8 with a scale a row, inputs quantised as they come.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

VERSION = 3


class Graph:
    """A model with one subgraph, built operator by operator. Tensors are numbers."""

    def __init__(self):
        self.buffers = [buffer(b"")]
        self.tensors = []
        self.codes = []
        self.operators = []

    def tensor(self, name, shape, kind=schema.TensorType.FLOAT32, data=None, scales=None):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, 0
        if data is not None:
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer(data.tobytes()))
        if scales is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales.astype(np.float32)
            tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
            tensor.quantization.quantizedDimension = 0
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(self, code, version, inputs, outputs, options_type=0, options=None):
        if (code, version) not in self.codes:
            self.codes.append((code, version))
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index((code, version))
        operator.inputs, operator.outputs = inputs, outputs
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        self.operators.append(operator)
        return outputs[0]

    def shape(self, tensor):
        return self.tensors[tensor].shape

    def fully_connected(self, x, weights, bias, quantized):
        options = schema.FullyConnectedOptionsT()
        if quantized:
            scales = np.maximum(np.abs(weights).max(axis=1), np.finfo(np.float32).tiny) / 127
            rounded = np.rint(weights / scales[:, None]).astype(np.int8)
            matrix = self.tensor("weights", weights.shape, schema.TensorType.INT8, rounded, scales)
            options.asymmetricQuantizeInputs = True
        else:
            matrix = self.tensor("weights", weights.shape, data=np.ascontiguousarray(weights))
        addend = self.tensor("bias", bias.shape, data=np.ascontiguousarray(bias))
        y = self.tensor("products", [self.shape(x)[0], len(bias)])
        version = 9 if quantized else 1
        return self.operator(
            schema.BuiltinOperator.FULLY_CONNECTED, version, [x, matrix, addend], [y],
            schema.BuiltinOptions.FullyConnectedOptions, options,
        )

    def concatenated(self, a, b):
        options = schema.ConcatenationOptionsT()
        options.axis = 1
        rows, columns = self.shape(a)
        y = self.tensor("together", [rows, columns + self.shape(b)[1]])
        return self.operator(
            schema.BuiltinOperator.CONCATENATION, 1, [a, b], [y], schema.BuiltinOptions.ConcatenationOptions, options
        )

    def split(self, x, count):
        options = schema.SplitOptionsT()
        options.numSplits = count
        axis = self.tensor("axis", [], schema.TensorType.INT32, np.array(1, np.int32))
        rows, columns = self.shape(x)
        parts = [self.tensor("gate", [rows, columns // count]) for _ in range(count)]
        self.operator(schema.BuiltinOperator.SPLIT, 1, [axis, x], parts, schema.BuiltinOptions.SplitOptions, options)
        return parts

    def unary(self, code, x):
        return self.operator(code, 1, [x], [self.tensor("activation", self.shape(x))])

    def sigmoid(self, x):
        return self.unary(schema.BuiltinOperator.LOGISTIC, x)

    def tanh(self, x):
        return self.unary(schema.BuiltinOperator.TANH, x)

    def binary(self, kind, a, b):
        options = getattr(schema, f"{kind.capitalize()}OptionsT")()
        y = self.tensor(kind, self.shape(a))
        code = getattr(schema.BuiltinOperator, kind.upper())
        options_type = getattr(schema.BuiltinOptions, f"{kind.capitalize()}Options")
        return self.operator(code, 1, [a, b], [y], options_type, options)

    def model(self, inputs, outputs):
        """The bytes of the model."""
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs, subgraph.name = inputs, outputs, "step"
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = VERSION, [subgraph], self.buffers
        model.operatorCodes = []
        for code, version in self.codes:
            operator_code = schema.OperatorCodeT()
            operator_code.builtinCode = code
            operator_code.deprecatedBuiltinCode = min(code, 127)
            operator_code.version = version
            model.operatorCodes.append(operator_code)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def buffer(data):
    result = schema.BufferT()
    result.data = np.frombuffer(data, np.uint8) if data else None
    return result


def tflite_model(weights, streams, quantized):
    """The bytes of a model of one step of so many streams."""
    graph = Graph()
    x = graph.tensor("x", [streams, weights.input])
    h = graph.tensor("h", [streams, weights.hidden])
    if weights.cell == "lstm":
        c = graph.tensor("c", [streams, weights.hidden])
        matrix = np.concatenate([weights.input_weights, weights.recurrent_weights], axis=1)
        products = graph.fully_connected(graph.concatenated(x, h), matrix, weights.bias, quantized)
        i, f, g, o = graph.split(products, 4)
        kept = graph.binary("mul", graph.sigmoid(f), c)
        taken = graph.binary("mul", graph.sigmoid(i), graph.tanh(g))
        next_c = graph.binary("add", kept, taken)
        next_h = graph.binary("mul", graph.sigmoid(o), graph.tanh(next_c))
        return graph.model([x, h, c], [next_h, next_c])
    inputs = graph.split(graph.fully_connected(x, weights.input_weights, weights.bias, quantized), 3)
    states = graph.split(
        graph.fully_connected(h, weights.recurrent_weights, weights.second_bias, quantized), 3
    )
    r, z = (graph.sigmoid(graph.binary("add", a, b)) for a, b in zip(inputs[:2], states[:2]))
    n = graph.tanh(graph.binary("add", inputs[2], graph.binary("mul", r, states[2])))
    # (1 - z) n + z h = n + z (h - n)
    next_h = graph.binary("add", n, graph.binary("mul", z, graph.binary("sub", h, n)))
    return graph.model([x, h], [next_h])
