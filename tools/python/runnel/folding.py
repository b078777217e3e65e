"""Leaves out scalings that the weights of the product before them can do, as those of batch norms."""

from collections import Counter
from dataclasses import replace

import numpy as np

from .model import Tensor

# Products, of which the last axis of the result is that of their biases.
_PRODUCTS = ("dense", "convolution", "depthwise")


def folded(model):
    """The model of one program without `affine` operations behind a product whose result nothing else reads.

    The product's weights and biases take the scales and shifts in; tensors that no one reads any more are left out.
    """
    (program,) = model.programs
    operations, tensors, first = list(program.operations), list(model.tensors), len(program.inputs)
    reads = Counter(slot for operation in operations for slot in operation.operands)
    reads.update(port.slot for port in program.outputs)
    uses = Counter(tensor for operation in operations for tensor in operation.tensors)
    kept, slots = [], list(range(first))
    for operation in operations:
        operation = replace(operation, operands=tuple(slots[slot] for slot in operation.operands))
        is_scaling = operation.name == "affine" and operation.operands[0] >= first
        product = kept[operation.operands[0] - first] if is_scaling else None
        if (
            product is not None
            and product.name in _PRODUCTS
            and reads[_original(slots, operation.operands[0])] == 1
            and all(uses[tensor] == 1 for tensor in product.tensors)
            and _fold(operation, product, tensors)
        ):
            slots.append(operation.operands[0])
            continue
        slots.append(first + len(kept))
        kept.append(operation)
    outputs = tuple(replace(port, slot=slots[port.slot]) for port in program.outputs)
    program = replace(program, operations=tuple(kept), outputs=outputs)
    return _without_unused(replace(model, programs=(program,), tensors=tuple(tensors)))


def _original(slots, slot):
    """The last slot that has become this one: what reads it now read that."""
    return len(slots) - 1 - slots[::-1].index(slot)


def _fold(affine, product, tensors):
    """Puts scales and shifts into the tensors of a product; gives False where they differ from window to window."""
    w, b = (tensors[index].doubles() for index in product.tensors)
    scales, shifts = (tensors[index].doubles().reshape(-1, len(b)) for index in affine.tensors)
    if (scales != scales[0]).any() or (shifts != shifts[0]).any():
        return False
    w = w * (scales[0] if product.name == "depthwise" else scales[0][:, np.newaxis])
    for index, values in zip(product.tensors, (w, b * scales[0] + shifts[0])):
        tensors[index] = Tensor.of(tensors[index].name, values)
    return True


def _without_unused(model):
    """The model without tensors that nothing refers to."""
    operations = [operation for program in model.programs for operation in program.operations]
    used = {tensor for operation in operations for tensor in operation.tensors}
    used |= {state.initial for state in model.states if state.initial is not None}
    places = {tensor: place for place, tensor in enumerate(sorted(used))}
    programs = tuple(
        replace(
            program,
            operations=tuple(
                replace(operation, tensors=tuple(places[tensor] for tensor in operation.tensors))
                for operation in program.operations
            ),
        )
        for program in model.programs
    )
    states = tuple(
        state if state.initial is None else replace(state, initial=places[state.initial]) for state in model.states
    )
    tensors = tuple(model.tensors[tensor] for tensor in sorted(used))
    return replace(model, programs=programs, states=states, tensors=tensors)
