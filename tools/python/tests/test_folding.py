"""Scalings that the weights before them take in."""

import numpy as np
import pytest

import runnel
from runnel.folding import folded

RANDOM = np.random.default_rng(5)


def numbers(*shape):
    return RANDOM.normal(size=shape)


def built(add, *, again=False):
    """A model of what `add` makes of a builder and its input: a product, given out if `again`, and the result."""
    builder = runnel.Builder()
    product, result = add(builder, builder.vector("x", 12))
    if again:
        builder.output("product", product)
    builder.output("y", result)
    return builder.model()


def scaled(name, *arguments, windows=1, **options):
    """A product with two scalings behind it."""

    def add(builder, x):
        product = getattr(builder, name)(x, *arguments, **options)
        once = builder.affine(product, np.tile(numbers(product.size // windows), windows), 0.5)
        return product, builder.affine(once, -2, np.tile(numbers(product.size // windows), windows))

    return add


FOLDED = {
    "dense": scaled("dense", numbers(5, 12), numbers(5)),
    "convolution": scaled("convolution", numbers(4, 6), numbers(4), stride=3, windows=3),
    "depthwise": scaled("depthwise", numbers(2, 3), numbers(3), stride=3, windows=3),
}


def operations(model):
    return [operation.name for operation in model.programs[0].operations]


def assert_same(model, other):
    frames = numbers(20, 12)
    assert np.abs(runnel.Session(model).run(frames) - runnel.Session(other).run(frames)).max() < 1e-5


@pytest.mark.parametrize("name", FOLDED)
def test_weights_take_scales_and_shifts_in(name):
    model = built(FOLDED[name])
    result = folded(model)
    assert operations(model) == [name, "affine", "affine"]
    assert operations(result) == [name]
    assert len(result.tensors) == 2
    assert_same(model, result)


@pytest.mark.parametrize("name", FOLDED)
def test_a_product_that_is_read_elsewhere_stays(name):
    model = built(FOLDED[name], again=True)
    result = folded(model)
    assert operations(result) == [name, "affine", "affine"]
    assert_same(model, result)


def test_scales_that_differ_from_window_to_window_stay():
    def add(builder, x):
        product = builder.convolution(x, numbers(4, 6), numbers(4), stride=3)
        return product, builder.affine(product, numbers(product.size), 0)

    model = built(add)
    assert operations(folded(model)) == ["convolution", "affine"]
    assert_same(model, folded(model))


def test_scalings_of_the_input_stay():
    def add(builder, x):
        return x, builder.multiply(builder.affine(x, 2, 1), builder.tanh(builder.affine(x, 3, 0)))

    model = built(add)
    assert operations(folded(model)) == operations(model) == ["affine", "affine", "tanh", "multiply"]
    assert_same(model, folded(model))


def test_states_keep_their_initial_values():
    def add(builder, x):
        scaled_product = builder.affine(builder.dense(x, numbers(3, 12)), 2, 1)
        state = builder.state("slow", 3, [1, 2, 3])
        return x, builder.store(builder.add(builder.recall(state), scaled_product), state)

    model = built(add)
    assert "affine" in operations(model) and "affine" not in operations(folded(model))
    assert_same(model, folded(model))
