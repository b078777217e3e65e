#!/usr/bin/env python3
"""Writes the PyTorch results that the tests compare with, under Tests/Fixtures.

    python3 tools/python/make_fixtures.py Tests/Fixtures

Needs torch and numpy; the committed files were made with torch 2.15.0 on the CPU, one thread. Everything is seeded:
the same torch on the same CPU gives the same bytes. Another build may differ in the last bits of what is computed in
f32, and a torch with other random streams in the weights too. Tests/Fixtures/README.md describes the files.
"""

import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

INPUT_SIZE = 5
FRAME_COUNT = 1000
STORED_FRAMES = [0, 9, 99, 999]
HASHED_SCALE = 0.25  # a power of two, so that hashed weights are exact in f32

CELLS = {
    "rnn-tanh": lambda i, h, layers: nn.RNN(i, h, layers, nonlinearity="tanh"),
    "rnn-relu": lambda i, h, layers: nn.RNN(i, h, layers, nonlinearity="relu"),
    "lstm": lambda i, h, layers: nn.LSTM(i, h, layers),
    "gru": lambda i, h, layers: nn.GRU(i, h, layers),
}


# The file format


def write_tensors(path, tensors):
    """Writes [(name, array)]: a line each of name, type and shape, a blank line, then the values."""
    header, data = "", b""
    for name, value in tensors:
        array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        if array.dtype.kind in "iu":
            array = array.astype(np.float64)  # labels, lengths, seeds: exact
        kind = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}[array.dtype]
        assert array.ndim >= 1 and np.isfinite(array).all(), name
        header += " ".join([name, kind, *map(str, array.shape)]) + "\n"
        data += array.astype(array.dtype.newbyteorder("<")).tobytes()
    path.write_bytes(header.encode("ascii") + b"\n" + data)


# Running 1,000 frames


def lowbias32(x):
    """A 32-bit integer hash, by Chris Wellons. x is uint32, and so is all arithmetic (modulo 2^32)."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def hashed_weights(seed, shape):
    """Element k, row by row, is ((lowbias32(seed + k) >> 8) / 2^24 - 0.5) * 0.25, exact in f32."""
    k = np.arange(math.prod(shape), dtype=np.uint32)
    bits = lowbias32(np.uint32(seed) + k) >> np.uint32(8)
    weights = (bits.astype(np.float64) / 2**24 - 0.5) * HASHED_SCALE
    assert (weights == weights.astype(np.float32)).all()
    return torch.from_numpy(weights.astype(np.float32).reshape(shape))


def layer_parameters(layer):
    return [f"{kind}_l{layer}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def final_states(result):
    """(output, h_n) or (output, (h_n, c_n)) -> [("final_hidden", …), ("final_cell", …)]"""
    state = result[1]
    if isinstance(state, tuple):
        return [("final_hidden", state[0]), ("final_cell", state[1])]
    return [("final_hidden", state)]


def lively_network(make, hidden, layers, inputs, seed):
    """PyTorch's default weights, from the first seed whose output moves: a narrow ReLU network is often dead."""
    while True:
        torch.manual_seed(seed)
        network = make(INPUT_SIZE, hidden, layers)
        with torch.no_grad():
            stored = network(inputs)[0][STORED_FRAMES]
        if (stored.std(dim=0) > 0).any() and (stored.abs().amax(dim=1) > 0).all():
            return network
        seed += 1000


def write_runtime(folder):
    inputs = torch.randn(FRAME_COUNT, INPUT_SIZE, generator=torch.Generator().manual_seed(1))
    write_tensors(folder / "runtime-input.tensors", [("input", inputs)])
    shapes = [(layers, hidden) for hidden in (1, 3, 17, 64) for layers in (1, 2, 3)] + [(1, 130)]
    largest_difference = 0.0
    case = 0
    for cell, make in CELLS.items():
        for layers, hidden in shapes:
            case += 1
            network = lively_network(make, hidden, layers, inputs, 1000 + case)
            tensors = []
            if hidden < 64:
                for layer in range(layers):
                    tensors += [(name, getattr(network, name)) for name in layer_parameters(layer)]
            else:
                seeds = [[((case * 16 + layer * 4 + k) << 20) % 2**32 for k in range(4)] for layer in range(layers)]
                for layer in range(layers):
                    for seed, name in zip(seeds[layer], layer_parameters(layer)):
                        parameter = getattr(network, name)
                        parameter.data = hashed_weights(seed, tuple(parameter.shape))
                tensors += [("weight_seeds", np.array(seeds, np.float64))]
            with torch.no_grad():
                single = network(inputs)
                exact = network.double()(inputs.double())
            largest_difference = max(largest_difference, (single[0] - exact[0]).abs().max().item())
            tensors += [("output", single[0][STORED_FRAMES])] + final_states(single)
            tensors += [("output_f64", exact[0][STORED_FRAMES])]
            tensors += [(f"{name}_f64", value) for name, value in final_states(exact)]
            write_tensors(folder / f"runtime-{cell}-{layers}x{hidden}.tensors", tensors)
    print(f"largest difference between f32 and f64 after up to 1,000 frames: {largest_difference:.2e}")


# Gradients

T, B, I, H, O = 5, 3, 4, 6, 3  # frames, streams, inputs, hidden units, outputs
LENGTHS = [5, 3, 2]  # valid frames of each stream
TOKEN_COUNT = 7


def frame_mask():
    return torch.tensor([[t < length for length in LENGTHS] for t in range(T)])  # [T, B]


def last_frame(values):
    """[T, B, O] -> [B, O], each stream at its last valid frame."""
    return torch.stack([values[length - 1, b] for b, length in enumerate(LENGTHS)])


def loss_and_target(kind):
    """Returns the target and the loss as a function of the dense layer's output [T, B, O]."""
    mask = frame_mask()
    if kind == "last-softmax":
        target = torch.randint(O, (B,))
        return target, lambda y: nn.functional.cross_entropy(last_frame(y), target)
    if kind == "softmax":
        target = torch.randint(O, (T, B))
        return target, lambda y: nn.functional.cross_entropy(y[mask], target[mask])
    if kind == "mse":
        target = torch.randn(T, B, O)
        return target, lambda y: nn.functional.mse_loss(y[mask], target[mask])
    if kind == "sigmoid":
        target = torch.randint(2, (T, B, O)).double()
        return target, lambda y: nn.functional.binary_cross_entropy_with_logits(y[mask], target[mask])
    raise ValueError(kind)


def write_gradient(path, seed, cell, layers, kind, carried=False, embedded=False):
    torch.manual_seed(seed)
    recurrent, dense = CELLS[cell](I, H, layers), nn.Linear(H, O)
    loss_target, loss_of = loss_and_target(kind)
    tensors, parameters = [], []
    if embedded:
        tokens = torch.randint(TOKEN_COUNT, (T, B))
        embedding = nn.Embedding(TOKEN_COUNT, I)
        tensors += [("tokens", tokens.numpy())]
        parameters += [("embedding.weight", embedding.weight)]
        frames = embedding(tokens)
    else:
        frames = torch.randn(T, B, I, requires_grad=True)
        parameters += [("input", frames)]
    for layer in range(layers):
        parameters += [(name, getattr(recurrent, name)) for name in layer_parameters(layer)]
    parameters += [("dense.weight", dense.weight), ("dense.bias", dense.bias)]
    state = None
    if carried:
        hidden = torch.randn(layers, B, H) * 0.5
        tensors += [("initial_hidden", hidden)]
        state = hidden
        if cell == "lstm":
            cells = torch.randn(layers, B, H) * 0.5
            tensors += [("initial_cell", cells)]
            state = (hidden, cells)
    result = recurrent(frames, state)
    output = dense(result[0])
    loss = loss_of(output)
    gradients = torch.autograd.grad(loss, [value for _, value in parameters])
    tensors += [("lengths", np.array(LENGTHS)), ("target", loss_target.numpy())]
    tensors += parameters
    tensors += final_states(result)
    tensors += [("output", output), ("loss", loss.reshape(1))]
    tensors += [(f"gradient.{name}", g) for (name, _), g in zip(parameters, gradients)]
    write_tensors(path, tensors)


def write_gradients(folder):
    torch.set_default_dtype(torch.float64)
    networks = [("rnn-tanh", 1), ("rnn-relu", 1), ("lstm", 1), ("gru", 1), ("lstm", 2)]
    seed = 2000
    for cell, layers in networks:
        for kind in ("last-softmax", "softmax", "mse", "sigmoid"):
            seed += 1
            write_gradient(folder / f"gradient-{cell}-{layers}-{kind}.tensors", seed, cell, layers, kind)
        seed += 1
        path = folder / f"gradient-{cell}-{layers}-softmax-carried.tensors"
        write_gradient(path, seed, cell, layers, "softmax", carried=True)
    path = folder / "gradient-embedding-gru-1-softmax.tensors"
    write_gradient(path, seed + 1, "gru", 1, "softmax", embedded=True)
    torch.set_default_dtype(torch.float32)


# Optimizers


def write_optimizers(folder):
    torch.manual_seed(3001)
    start = torch.randn(7, dtype=torch.float64)
    gradients = torch.randn(5, 7, dtype=torch.float64)
    tensors = [("parameters", start), ("gradients", gradients)]
    optimizers = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.99, eps=1e-8),
        "adam": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.999), eps=1e-8),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
    }
    for name, make in optimizers.items():
        parameter = nn.Parameter(start.clone())
        optimizer = make([parameter])
        steps = []
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
            steps.append(parameter.detach().clone())
        tensors += [(name, torch.stack(steps))]
    first, second = torch.randn(7, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    tensors += [("clip.first", first), ("clip.second", second)]
    for name, limit in (("clip.to_1", 1.0), ("clip.to_100", 100.0)):
        group = [nn.Parameter(torch.zeros_like(first)), nn.Parameter(torch.zeros_like(second))]
        group[0].grad, group[1].grad = first.clone(), second.clone()
        norm = nn.utils.clip_grad_norm_(group, limit)
        tensors += [(f"{name}.norm", norm.reshape(1))]
        tensors += [(f"{name}.first", group[0].grad), (f"{name}.second", group[1].grad)]
    write_tensors(folder / "optimizer.tensors", tensors)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_fixtures.py FIXTURES_FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}")
    write_runtime(folder)
    write_gradients(folder)
    write_optimizers(folder)
    files = list(folder.glob("*.tensors"))
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files):,} bytes")


if __name__ == "__main__":
    main()
