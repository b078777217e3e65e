import math
import unittest

import numpy as np

from runnel_bench.cell import CellWeights, random_frames, reference


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


class ReferenceTests(unittest.TestCase):
    """The reference against the equations, written out for one unit and one input."""

    def test_lstm_of_one_unit(self):
        w, r, b = [0.5, -0.25, 0.75, 1.0], [0.1, 0.2, -0.3, 0.4], [0.01, 0.02, 0.03, -0.04]
        weights = CellWeights("lstm", column(w), column(r), np.float32(b), np.zeros(1, np.float32))
        frames = np.float32([0.3, -0.8, 0.6]).reshape(3, 1, 1)
        h = c = 0.0
        for x, found in zip(frames[:, 0, 0].astype(float), reference(weights, frames)[:, 0, 0]):
            i, f, g, o = (single(w[k]) * x + single(r[k]) * h + single(b[k]) for k in range(4))
            c = sigmoid(f) * c + sigmoid(i) * math.tanh(g)
            h = sigmoid(o) * math.tanh(c)
            self.assertAlmostEqual(found, h, delta=1e-15)

    def test_gru_of_one_unit_resets_after_the_product(self):
        w, r, b, d = [0.5, -0.25, 0.75], [0.125, 0.25, -0.375], [0.0625, 0.5, -0.25], 0.5
        weights = CellWeights("gru", column(w), column(r), np.float32(b), np.float32([d]))
        frames = np.float32([0.25, -0.75, 0.5]).reshape(3, 1, 1)
        h = 0.0
        for x, found in zip(frames[:, 0, 0].astype(float), reference(weights, frames)[:, 0, 0]):
            reset = sigmoid(w[0] * x + r[0] * h + b[0])
            update = sigmoid(w[1] * x + r[1] * h + b[1])
            candidate = math.tanh(w[2] * x + b[2] + reset * (r[2] * h + d))
            h = (1 - update) * candidate + update * h
            self.assertAlmostEqual(found, h, delta=1e-15)

    def test_streams_do_not_touch_each_other(self):
        for cell in ("lstm", "gru"):
            weights = CellWeights.random(cell, 3, 5)
            frames = random_frames(7, 4, 3)
            alone = reference(weights, frames[:, 2:3])
            np.testing.assert_allclose(reference(weights, frames)[:, 2:3], alone, atol=1e-15)


class WeightTests(unittest.TestCase):
    def test_the_same_seed_gives_the_same_weights(self):
        first, second = (CellWeights.random("gru", 3, 5) for _ in range(2))
        np.testing.assert_array_equal(first.recurrent_weights, second.recurrent_weights)
        other = CellWeights.random("gru", 3, 5, seed=9)
        self.assertFalse((first.recurrent_weights == other.recurrent_weights).any())

    def test_reordering_moves_whole_gates(self):
        weights = CellWeights.random("lstm", 2, 3)
        w, _, bias, _ = weights.reordered([0, 3, 1, 2])
        np.testing.assert_array_equal(w[3:6], weights.input_weights[9:12])
        np.testing.assert_array_equal(bias[6:9], weights.bias[3:6])

    def test_the_second_bias_of_a_gru_is_that_of_the_candidate_only(self):
        weights = CellWeights.random("gru", 2, 3)
        np.testing.assert_array_equal(weights.second_bias[:6], np.zeros(6))
        np.testing.assert_array_equal(weights.second_bias[6:], weights.candidate_bias)


def single(value):
    """The f32 nearest to a value."""
    return float(np.float32(value))


def column(values):
    return np.float32(values).reshape(-1, 1)
