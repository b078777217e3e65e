"""Models with random weights, and frames for them."""

from dataclasses import replace

import numpy as np

from runnel import Builder, GoldenRun, Input, Operation, Output, Program, Session, Tensor
from runnel.model import INDEX, VECTOR
from runnel.operations import RULES

CELLS = ["rnnTanh", "rnnReLU", "lstm", "gruResetAfter", "gruResetBefore"]


def everything(seed):
    """Every operation: two inputs of which one is an index, initial states, and programs that share states.

    The programs are step, decode, rarely (whose steps end at an `every`), and whole (which takes whole sequences).
    """
    random = np.random.default_rng(seed)

    def weights(*shape):
        return random.uniform(-0.5, 0.5, shape)

    builder = Builder()
    frame, token = builder.vector("frame", 5), builder.index("token", 7)
    embedded = builder.embedding(token, weights(7, 4))
    normal = builder.affine(frame, weights(5), weights(5))
    joined = builder.concatenate([normal, embedded, frame])
    first = cell(builder, "rnnTanh", joined, 3, random, hidden=2 * weights(3))
    second = cell(builder, "rnnReLU", joined, 3, random)
    third = cell(builder, "lstm", joined, 6, random, hidden=weights(6), cell=weights(6))
    after = cell(builder, "gruResetAfter", third, 4, random)
    before = cell(builder, "gruResetBefore", builder.multiply(builder.add(first, second), second), 4, random)
    skip = builder.add(after, before)
    logits = builder.dense(skip, weights(3, 4), weights(3))
    for name in ("softmax", "sigmoid", "tanh"):
        builder.output(name, getattr(builder, name)(logits))
    builder.output("relu", builder.relu(skip))
    builder.output("frame", frame)
    bent = builder.elu(builder.prelu(logits, weights(3)), weights(3))
    normalised = builder.layer_norm(builder.gelu(bent), weights(3), weights(3), 0.25)
    builder.output("clip", builder.clip(normalised, -0.25, weights(3) + 0.5))
    slow = builder.state("slow", 3, weights(3))
    followed = builder.store(builder.add(builder.affine(builder.recall(slow), 0.25, 0.125), logits), slow)
    builder.output("slow", builder.add(builder.recall(slow), followed))
    builder.output("divide", builder.divide(normalised, builder.square_root(builder.softplus(bent))))
    builder.output("log", builder.logarithm(builder.exponential(builder.error_function(bent))))
    moved = builder.gather(joined, random.integers(-1, joined.size, size=16))
    convolved = builder.convolution(moved, weights(2, 6), weights(2), stride=4)
    summed = builder.depthwise(moved, weights(2, 4), weights(4), stride=4)
    past = builder.window(builder.tanh(builder.concatenate([convolved, summed])), 3, dilation=2)
    builder.output("maximum", builder.maximum(past, 4, 5, 8))
    goes_on = builder.state("rarely", 1, [2])
    model = builder.model({"name": ("everything",), "labels": ("ja", "nein", "weiß nicht"), "empty": ()})
    operations = {operation.name: operation for operation in model.programs[0].operations}

    def cell_on(slot, kind):
        return replace(operations[kind], operands=(slot,))

    frame = (Input("x", VECTOR, 14),)
    decode = Program("decode", frame, (cell_on(0, "lstm"),), (Output("h", 1),))
    rarely = Program(
        "rarely",
        frame,
        (cell_on(0, "rnnReLU"), Operation("every", (0,), (), (goes_on,), stride=3), cell_on(2, "rnnTanh")),
        (Output("often", 1), Output("rarely", 3)),
    )
    whole = Program(
        "whole",
        frame,
        (cell_on(0, "lstm"), Operation("reverse", (1,)), cell_on(2, "gruResetAfter"), Operation("reverse", (3,))),
        (Output("forward", 1), Output("backward", 4)),
    )
    return replace(model, programs=(*model.programs, decode, rarely, whole))


def cell(builder, kind, x, size, random, **initial):
    """A recurrent cell on the slot x, as the method of its kind adds it."""
    gates = {"lstm": 4, "gruResetAfter": 3, "gruResetBefore": 3}.get(kind, 1)
    shapes = [(gates * size, x.size), (gates * size, size), (gates * size,)]
    shapes += [(size,)] if kind == "gruResetAfter" else []
    weights = [random.uniform(-0.5, 0.5, shape) for shape in shapes]
    if gates == 1:
        return builder.rnn(x, *weights, activation=kind.removeprefix("rnn").lower(), name=kind, **initial)
    add = {"gruResetAfter": builder.gru_reset_after, "gruResetBefore": builder.gru_reset_before}.get(kind, builder.lstm)
    return add(x, *weights, name=kind, **initial)


def stored(tensor, kind):
    """The tensor with its numbers in another type."""
    values = tensor.data
    if kind == "f32":
        return tensor
    if kind == "f16":
        return Tensor(tensor.name, kind, values.astype(np.float16))
    if kind == "bf16":
        return Tensor(tensor.name, kind, (values.view(np.uint32) >> 16).astype(np.uint16))
    rows = values.reshape(len(values), -1)
    scales = np.abs(rows).max(axis=1) / np.float32(127)
    return Tensor(tensor.name, kind, np.rint(rows / scales[:, None]).astype(np.int8).reshape(values.shape), scales)


def stored_as(model, kind, input_bits=16):
    """The model with all tensors of another type but those that states start from, and numbers of elements."""
    kept = {state.initial for state in model.states}
    kept |= {
        place
        for program in model.programs
        for operation in program.operations
        if operation.name == "gather"
        for place in operation.tensors
    }
    tensors = [stored(tensor, kind) if place not in kept else tensor for place, tensor in enumerate(model.tensors)]
    return with_operations(
        replace(model, tensors=tuple(tensors)),
        lambda operation: replace(operation, input_bits=input_bits if RULES[operation.name].matrices else 16),
    )


def with_operations(model, change):
    """The model with all operations changed."""
    programs = [
        replace(program, operations=tuple(change(operation) for operation in program.operations))
        for program in model.programs
    ]
    return replace(model, programs=tuple(programs))


def random_frames(program, count, random):
    """Frames of a program: vectors around 0, indices of their range."""
    columns = [
        random.integers(port.size, size=(count, 1)) if port.kind == INDEX else random.normal(size=(count, port.size))
        for port in program.inputs
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def with_golden(model, runs, tolerance, seed=1):
    """The model with golden frames that the reference computed; runs are (program, resets, number of frames)."""
    random = np.random.default_rng(seed)
    session, golden = Session(model), []
    for program, resets, count in runs:
        if resets:
            session.reset()
        frames = random_frames(model.programs[program], count, random)
        predictions = session.run(frames, program).astype(np.float32)
        golden.append(GoldenRun(program, resets, frames, predictions))
    return replace(model, tolerance=tolerance, golden=tuple(golden))
