"""A cell's weights, and what it computes, in float64: what every candidate's outputs are held to.

    LSTM, gates i f g o             i = σ(W_i x + R_i h + b_i), f and o alike, g = tanh(W_g x + R_g h + b_g)
                                    c' = f c + i g,  h' = o tanh(c')
    GRU, gates r z n, reset after   r = σ(W_r x + R_r h + b_r), z alike, n = tanh(W_n x + b_n + r (R_n h + d))
                                    h' = (1 - z) n + z h
"""

from dataclasses import dataclass

import numpy as np

GATES = {"lstm": 4, "gru": 3}


@dataclass(frozen=True)
class CellWeights:
    """The weights of one cell, in float32, the gates one below the other."""

    cell: str
    input_weights: np.ndarray  # [gates H, I]
    recurrent_weights: np.ndarray  # [gates H, H]
    bias: np.ndarray  # [gates H], once: a candidate that has two biases gets zeros for the other one
    candidate_bias: np.ndarray  # [H], d of the GRU; zeros for the LSTM

    @property
    def input(self):
        return self.input_weights.shape[1]

    @property
    def hidden(self):
        return self.recurrent_weights.shape[1]

    @property
    def second_bias(self):
        """The recurrent bias [gates H] of frameworks that have one."""
        bias = np.zeros_like(self.bias)
        if self.cell == "gru":
            bias[-self.hidden :] = self.candidate_bias
        return bias

    @staticmethod
    def random(cell, input_size, hidden, seed=1):
        """Uniform in ±1/√H, as PyTorch starts."""
        generator = np.random.default_rng([seed, input_size, hidden])
        bound = 1 / np.sqrt(hidden)

        def tensor(*shape):
            return generator.uniform(-bound, bound, shape).astype(np.float32)

        rows = GATES[cell] * hidden
        return CellWeights(
            cell, tensor(rows, input_size), tensor(rows, hidden), tensor(rows),
            tensor(hidden) if cell == "gru" else np.zeros(hidden, np.float32),
        )

    def reordered(self, order):
        """(W, R, bias, second bias) with the gates in another order, such as ONNX's i o f c: [0, 3, 1, 2]."""

        def gates(array):
            return np.concatenate([array[gate * self.hidden : (gate + 1) * self.hidden] for gate in order])

        return tuple(
            gates(array)
            for array in (self.input_weights, self.recurrent_weights, self.bias, self.second_bias)
        )


def random_frames(frames, streams, input_size, seed=2):
    """Frames in -1…1, shape [frames, streams, input], float32."""
    generator = np.random.default_rng([seed, frames, streams, input_size])
    return generator.uniform(-1, 1, (frames, streams, input_size)).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(weights, frames):
    """The hidden states [frames, streams, hidden] of a run from zeros, in float64."""
    wide = np.float64
    input_products = frames.astype(wide) @ weights.input_weights.astype(wide).T + weights.bias.astype(wide)
    recurrent = weights.recurrent_weights.astype(wide).T
    hidden = np.zeros((frames.shape[1], weights.hidden), wide)
    cell = np.zeros_like(hidden)
    states = []
    for products in input_products:
        back = hidden @ recurrent
        if weights.cell == "lstm":
            i, f, g, o = np.split(products + back, 4, axis=1)
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
            hidden = sigmoid(o) * np.tanh(cell)
        else:
            (xr, xz, xn), (hr, hz, hn) = np.split(products, 3, axis=1), np.split(back, 3, axis=1)
            r, z = sigmoid(xr + hr), sigmoid(xz + hz)
            n = np.tanh(xn + r * (hn + weights.candidate_bias.astype(wide)))
            hidden = (1 - z) * n + z * hidden
        states.append(hidden)
    return np.stack(states)
