"""Each rule that a model must keep: one that breaks it is refused, with a message that names what is wrong."""

import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import PAGE
from random_models import everything, with_golden

import runnel
from runnel import GoldenRun, Input, Output, State, Tensor, validation
from runnel.format import decode, encode
from runnel.operations import MAX_PRODUCTS
from runnel.validation import validate

VALID = with_golden(everything(1), [(0, True, 2), (1, False, 2)], 1e-5)
LONG = "x" * 65_536


def changed(elements, place, **changes):
    return tuple(replace(element, **changes) if i == place else element for i, element in enumerate(elements))


# Each of these gives a function that breaks a part of a valid model. Tensor 1 is affine.scale [5], f32; state 2 is
# lstm.h [6]; program 1 is decode, with the input x [14], an LSTM and the output h.


def model(**changes):
    return lambda model: replace(model, **changes)


def tensor(**changes):
    return lambda model: replace(model, tensors=changed(model.tensors, 1, **changes))


def state(**changes):
    return lambda model: replace(model, states=changed(model.states, 2, **changes))


def program(number=1, **changes):
    return lambda model: replace(model, programs=changed(model.programs, number, **changes))


def input_port(place, **changes):
    return program(0, inputs=changed(VALID.programs[0].inputs, place, **changes))


def output_port(**changes):
    return program(0, outputs=changed(VALID.programs[0].outputs, 0, **changes))


def operation(name, /, **changes):
    """The first of a name, in the first program."""
    operations = VALID.programs[0].operations
    place = [operation.name for operation in operations].index(name)
    return program(0, operations=changed(operations, place, **changes))


def later(number, place, **changes):
    """An operation of another program."""
    return program(number, operations=changed(VALID.programs[number].operations, place, **changes))


def golden(**changes):
    return lambda model: replace(model, golden=changed(model.golden, 0, **changes))


def golden_value(what, place, value):
    """One number of the first run is another one."""
    values = getattr(VALID.golden[0], what).astype(np.float64)
    values[place] = value
    return golden(**{what: values})


def int8(scales, shape=(5,)):
    return tensor(type="int8", data=np.zeros(shape, np.int8), scales=np.array(scales, np.float32))


def bits(type, *values):
    """The first numbers of a type of 16 bits, by their bits; the others are zero."""
    return tensor(type=type, data=np.uint16([*values, *[0] * (5 - len(values))]).view({"f16": "<f2"}.get(type, "<u2")))


def tensor_of(name, **changes):
    return lambda model: replace(model, tensors=changed(model.tensors, place_of(name), **changes))


def numbers(place, value):
    """One number of the elements that are gathered is another one."""
    data = VALID.tensors[place_of("gather.numbers")].data.copy()
    data[place] = value
    return tensor_of("gather.numbers", data=data)


def floats(*shape):
    return tensor(data=np.zeros(shape, np.float32))


def place_of(name):
    return next(place for place, tensor in enumerate(VALID.tensors) if tensor.name == name)


# Slots of the first program: 0 frame [5], 1 token, 2 the embedding [4], 4 what is concatenated [14], 5 and 6 the RNNs
# [3], 7 the LSTM [6], 8 a GRU [4], 13 the dense layer [3], 17 the last one. States: 0 rnnTanh.h, 1 rnnReLU.h [3],
# 2 lstm.h, 3 lstm.c [6], 4 and 5 those of the GRUs [4], 6 slow [3], 7 that of the window [72], 8 rarely [1].
LSTM = next(operation for operation in VALID.programs[0].operations if operation.name == "lstm")
GRU = next(operation for operation in VALID.programs[0].operations if operation.name == "gruResetAfter")
W, R, B = LSTM.tensors
TABLE, SCALE = 0, 1

TENSORS = {
    "too many tensors": (model(tensors=VALID.tensors * 200), f"{200 * len(VALID.tensors)} tensors; expected 0 to 4096"),
    "a long name": (tensor(name=LONG), "65536 bytes of the name of a tensor"),
    "a name of long characters": (tensor(name="é" * 32_768), "65536 bytes of the name of a tensor"),
    "three dimensions": (floats(1, 5, 1), "3 dimensions of tensor 'affine.scale'"),
    "no elements": (floats(0), "0 elements along a dimension of tensor 'affine.scale'"),
    "a long dimension": (floats(65_537), "65537 elements along a dimension"),
    "a negative scale": (int8([1, 1, 1, 1, -1]), "negative or too large scale"),
    "a scale that is not a number": (int8([1, np.nan, 1, 1, 1]), "negative or too large scale"),
    "an infinite scale": (int8([np.inf, 1, 1, 1, 1]), "negative or too large scale"),
    "a scale of infinite weights": (int8([2.7e36, 1, 1, 1, 1]), "negative or too large scale"),
    "an infinite f32": (tensor(data=np.float32([0, 1, 2, np.inf, 4])), "'affine.scale' is not finite at element 3"),
    "a NaN": (tensor(data=np.float32([0, np.nan, 2, 3, 4])), "'affine.scale' is not finite at element 1"),
    "an infinite f16": (bits("f16", 0, 0x7BFF, 0xFC00), "'affine.scale' is not finite at element 2"),
    "an infinite bf16": (bits("bf16", 0x7F7F, 0xFF80), "'affine.scale' is not finite at element 1"),
    "a bf16 that is not a number": (bits("bf16", 0x7FC0), "'affine.scale' is not finite at element 0"),
}
STATES = {
    "too many states": (model(states=(State("s", 1),) * 1025), "1025 states; expected 0 to 1024"),
    "states that are too large": (model(states=(State("s", 65_536),) * 65), "4259840 elements of all states"),
    "a long name": (state(name=LONG), "65536 bytes of the name of a state"),
    "a state of nothing": (state(size=0), "0 elements of state 'lstm.h'"),
    "a large state": (state(size=65_537), "65537 elements of state 'lstm.h'"),
    "no such tensor": (state(initial=99), "state 'lstm.h' starts from tensor 99, which is not there"),
    "another size": (state(initial=SCALE), "state 'lstm.h' starts from 'affine.scale', which is not [6] of f32"),
    "another type": (
        lambda model: state(initial=SCALE)(bits("f16", *[1] * 6)(model)),
        "state 'lstm.h' starts from 'affine.scale', which is not [6] of f32",
    ),
}
PROGRAMS = {
    "no program": (model(programs=(), golden=()), "0 programs; expected 1 to 16"),
    "too many programs": (
        model(programs=tuple(replace(VALID.programs[1], name=str(number)) for number in range(17)), golden=()),
        "17 programs; expected 1 to 16",
    ),
    "two of one name": (program(name="step"), "two programs have the same name: ['step', 'step', "),
    "a long name": (program(name=LONG), "65536 bytes of program"),
    "no inputs": (program(inputs=()), "0 inputs of program 'decode'; expected 1 to 64"),
    "too many inputs": (program(inputs=(Input("x", "vector", 1),) * 65), "65 inputs of program 'decode'"),
    "an input with a long name": (input_port(0, name=LONG), "65536 bytes of the name of an input of program 'step'"),
    "an input of nothing": (input_port(0, size=0), "0 elements of input 'frame' of program 'step'"),
    "a large input": (input_port(1, size=65_537), "65537 elements of input 'token' of program 'step'"),
    "a large frame": (input_port(0, size=65_536), "65537 elements of the frame of program 'step'"),
    "too many operations": (
        program(operations=(runnel.Operation("relu", (0,)),) * 4097),
        "4097 operations of program 'decode'",
    ),
    "slots that are too large": (
        program(inputs=(Input("x", "vector", 65_536),), operations=(runnel.Operation("relu", (0,)),) * 64),
        "4259840 elements of all slots of program 'decode'",
    ),
    "no outputs": (program(outputs=()), "0 outputs of program 'decode'; expected 1 to 64"),
    "too many outputs": (program(outputs=(Output("y", 0),) * 65), "65 outputs of program 'decode'"),
    "an output with a long name": (output_port(name=LONG), "65536 bytes of the name of an output of program 'step'"),
    "an output of no slot": (output_port(slot=99), "output 'softmax' of program 'step' names slot 99"),
    "an index as output": (output_port(slot=1), "output 'softmax' of program 'step' is an index"),
    "a large prediction": (
        program(inputs=(Input("x", "vector", 40_000),), operations=(), outputs=(Output("y", 0),) * 2),
        "80000 elements of the prediction of program 'decode'",
    ),
}
OPERATIONS = {
    "a slot behind it": (operation("tanh", operands=(16,)), "step', operation 14: operation tanh names slot 16"),
    "a tensor that is not there": (operation("dense", tensors=(99, 1)), "operation dense names tensor 99"),
    "a state that is not there": (operation("lstm", states=(2, 99)), "operation lstm names state 99"),
    "one state twice": (operation("lstm", states=(2, 2)), "operation 5 changes state 2, which is changed already"),
    "a state of another": (operation("rnnReLU", states=(0,)), "operation 4 changes state 0, which is changed already"),
    "an accuracy without activations": (operation("dense", accuracy="fast"), "operation dense has no activations"),
    "an accuracy of a rectifier": (operation("relu", accuracy="fast"), "operation relu has no activations"),
    "an accuracy of a rectified cell": (operation("rnnReLU", accuracy="fast"), "operation rnnReLU has no activations"),
    "an accuracy of a softmax": (operation("softmax", accuracy="fast"), "operation softmax has no activations"),
    "bits without a matrix": (operation("tanh", input_bits=8), "operation tanh cannot have inputBits 8"),
    "bits of an embedding": (operation("embedding", input_bits=8), "operation embedding cannot have inputBits 8"),
    "4 bits": (operation("lstm", input_bits=4), "operation lstm cannot have inputBits 4"),
    "a large result": (
        program(
            inputs=(Input("x", "vector", 40_000),),
            operations=(runnel.Operation("concatenate", (0, 0)),),
            outputs=(Output("y", 0),),
        ),
        "80000 elements of the result of program 'decode', operation 0",
    ),
    "too many operands": (operation("concatenate", operands=(0,) * 65), "65 operands of program 'step', operation 2"),
    "nothing to concatenate": (operation("concatenate", operands=()), "operation concatenate takes 1 operands"),
    "a ReLU of two": (operation("relu", operands=(0, 0)), "operation relu takes 1 operands"),
    "a sum of one": (operation("add", operands=(5,)), "operation add takes 2 operands"),
    "a product of three": (operation("multiply", operands=(5, 5, 5)), "operation multiply takes 2 operands"),
    "a sigmoid with a tensor": (operation("sigmoid", tensors=(1,)), "operation sigmoid takes 0 tensors"),
    "an LSTM of one state": (operation("lstm", states=(2,)), "operation lstm takes 2 states"),
    "an LSTM of two biases": (operation("lstm", tensors=(W, R, B, B)), "operation lstm takes 3 tensors"),
    "an RNN without a bias": (operation("rnnTanh", tensors=(W, R)), "operation rnnTanh takes 3 tensors"),
    "a GRU without its second bias": (operation("gruResetAfter", tensors=GRU.tensors[:3]), "takes 4 tensors"),
    "an LSTM with its matrices swapped": (
        operation("lstm", tensors=(R, W, B)),
        "lstm takes tensors of the shapes [(24, 14), (24, 6), (24,)], not [(24, 6), (24, 14), (24,)]",
    ),
    "an LSTM on another vector": (operation("lstm", operands=(0,)), "lstm takes tensors of the shapes [(24, 5), "),
    "an LSTM with a bias of another size": (operation("lstm", tensors=(W, R, SCALE)), "not [(24, 14), (24, 6), (5,)]"),
    "an LSTM whose states differ": (operation("lstm", states=(2, 4)), "operation lstm takes states of one size"),
    "an LSTM on an index": (operation("lstm", operands=(1,)), "operation lstm takes vectors, not an index"),
    "a GRU with a long second bias": (
        operation("gruResetAfter", tensors=(*GRU.tensors[:3], GRU.tensors[2])),
        "gruResetAfter takes tensors of the shapes [(12, 6), (12, 4), (12,), (4,)], not",
    ),
    "a GRU with the matrices of an LSTM": (operation("gruResetBefore", tensors=(W, R, B)), "gruResetBefore takes"),
    "an RNN with the matrices of an LSTM": (operation("rnnTanh", tensors=(W, R, B)), "rnnTanh takes tensors"),
    "a ReLU RNN with the matrices of an LSTM": (operation("rnnReLU", tensors=(W, R, B)), "rnnReLU takes tensors"),
    "a dense layer on another vector": (operation("dense", operands=(0,)), "operation dense takes W [O, 5] and b [O]"),
    "a dense layer of vectors": (operation("dense", tensors=(SCALE, SCALE)), "operation dense takes W [O, 4]"),
    "a dense layer with another bias": (
        operation("dense", tensors=(place_of("dense.weight"), SCALE)),
        "operation dense takes W [O, 4] and b [O], not [(3, 4), (5,)]",
    ),
    "an embedding of a vector": (operation("embedding", operands=(0,)), "operation embedding takes an index"),
    "an embedding with other rows": (operation("embedding", tensors=(W,)), "embedding takes a table of 7 rows"),
    "an embedding in a vector": (operation("embedding", tensors=(SCALE,)), "embedding takes a table of 7 rows"),
    "an affine of another size": (
        operation("affine", operands=(2,)),
        "affine takes tensors of the shapes [(4,), (4,)]",
    ),
    "an affine with a matrix": (operation("affine", tensors=(SCALE, TABLE)), "affine takes tensors of the shapes"),
    "an affine of an index": (operation("affine", operands=(1,)), "operation affine takes vectors, not an index"),
    "a sum with an index": (operation("add", operands=(5, 1)), "operation add takes vectors, not an index"),
    "a sum of two sizes": (operation("add", operands=(5, 7)), "operation add takes operands of one size"),
    "a product of two sizes": (operation("multiply", operands=(7, 5)), "operation multiply takes operands of one size"),
    "a stride of a cell": (operation("lstm", stride=2), "operation lstm takes no stride"),
    "a width of a convolution": (operation("convolution", width=2), "operation convolution takes no width"),
    "a count of a gather": (operation("gather", count=2), "operation gather takes no count"),
    "a dilation of a maximum": (operation("maximum", dilation=2), "operation maximum takes no dilation"),
    "bits of a sum of rows": (operation("depthwise", input_bits=8), "operation depthwise cannot have inputBits 8"),
    "numbers in a matrix": (operation("gather", tensors=(TABLE,)), "operation gather takes numbers [O], not (7, 4)"),
    "numbers of another type": (
        tensor_of("gather.numbers", type="f16", data=np.zeros(16, np.float16)),
        "operation gather takes numbers of the type f32, not f16",
    ),
    "half a number": (numbers(3, 0.5), "operation gather names element 0.5 at 3; expected whole numbers from -1 to 13"),
    "a number behind the last": (numbers(0, 14), "operation gather names element 14 at 0"),
    "a number before -1": (numbers(15, -2), "operation gather names element -2 at 15"),
    "a convolution on less than a window": (
        operation("convolution", operands=(0,)),
        "operation convolution takes windows of 6 elements from a vector of 5",
    ),
    "a convolution with another bias": (
        operation("convolution", tensors=(place_of("convolution.weight"), SCALE)),
        "operation convolution takes W [O, K] and b [O], not [(2, 6), (5,)]",
    ),
    "a convolution of vectors": (operation("convolution", tensors=(SCALE, SCALE)), "takes W [O, K] and b [O]"),
    "rows on less than a window": (
        operation("depthwise", operands=(0,)),
        "operation depthwise takes windows of 8 elements from a vector of 5",
    ),
    "rows with another bias": (
        operation("depthwise", tensors=(place_of("depthwise.weight"), SCALE)),
        "operation depthwise takes W [K, C] and b [C], not [(2, 4), (5,)]",
    ),
    "rows that are a vector": (operation("depthwise", tensors=(SCALE, SCALE)), "takes W [K, C] and b [C]"),
    "a maximum of less than a window": (
        operation("maximum", operands=(0,)),
        "operation maximum takes windows of 20 elements from a vector of 5",
    ),
    "too many products": (
        program(
            1,
            inputs=(Input("x", "vector", 65_536),),
            operations=(runnel.Operation("maximum", (0,), (), (), count=32_768),),
            outputs=(Output("y", 1),),
        ),
        "operation maximum takes 1073774592 products; expected at most 268435456",
    ),
    "a window of half a frame": (
        operation("window", operands=(0,)),
        "operation window takes a state of a multiple of 10 elements, not of 72",
    ),
    "a window of an index": (operation("window", operands=(1,)), "operation window takes vectors, not an index"),
    "an every with a large state": (
        later(2, 1, states=(0,)),
        "operation every takes a state of one element, not of 3",
    ),
    "an every of whole sequences": (
        later(3, 1, name="every", states=(8,)),
        "program 'whole', operation 1: no step of a program with reverse can end early, at every",
    ),
    "a reverse of an index": (operation("tanh", name="reverse", operands=(1,)), "reverse takes vectors, not an index"),
    "a reverse between what reads a state and what changes it": (
        program(
            3,
            operations=(
                runnel.Operation("recall", (), (), (6,)),
                runnel.Operation("reverse", (1,)),
                runnel.Operation("store", (2,), (), (6,)),
            ),
            outputs=(Output("y", 3),),
        ),
        "program 'whole': a reverse stands between recall and what changes state 6",
    ),
}
METADATA = {
    "too many entries": (model(metadata={str(i): () for i in range(1025)}), "1025 entries of metadata"),
    "no key": (model(metadata={"": ()}), "the key '' of metadata"),
    "a key with a space": (model(metadata={"a b": ()}), "the key 'a b' of metadata"),
    "a key beyond ASCII": (model(metadata={"ä": ()}), "the key 'ä' of metadata"),
    "a key with a delete character": (model(metadata={"a\x7f": ()}), "of metadata is not one or more characters"),
    "a long key": (model(metadata={LONG: ()}), "65536 bytes of a key of metadata"),
    "too many values": (model(metadata={"a": ("",) * 65_537}), "65537 values of metadata 'a'"),
    "a long value": (model(metadata={"a": ("", LONG)}), "65536 bytes of a value of metadata 'a'"),
}
GOLDEN = {
    "too many runs": (model(golden=VALID.golden[:1] * 1025), "1025 golden runs; expected 0 to 1024"),
    "no tolerance": (model(tolerance=0.0), "the tolerance 0.0 of golden frames"),
    "a negative tolerance": (model(tolerance=-1e-5), "the tolerance -1e-05 of golden frames"),
    "a negative tolerance of nothing": (model(tolerance=-1e-5, golden=()), "the tolerance -1e-05 of golden frames"),
    "an infinite tolerance": (model(tolerance=np.inf), "the tolerance inf of golden frames"),
    "a tolerance that is not a number": (model(tolerance=np.nan, golden=()), "the tolerance nan of golden frames"),
    "a program that is not there": (golden(program=4), "golden run 0 names program 4"),
    "no frames": (
        golden(frames=np.zeros((0, 6)), predictions=np.zeros((0, 18))),
        "golden run 0 has frames of the shape [0, 6]; expected [count, 6], count at least 1",
    ),
    "short frames": (golden(frames=np.zeros((2, 5))), "golden run 0 has frames of the shape [2, 5]"),
    "short predictions": (golden(predictions=np.zeros((2, 17))), "golden run 0 has predictions of the shape [2, 17]"),
    "too few predictions": (golden(predictions=np.zeros((1, 18))), "golden run 0 has predictions of the shape [1, 18]"),
    "an infinite frame": (golden_value("frames", (1, 0), np.inf), "golden run 0 has frames that are not finite"),
    "a prediction that is not a number": (
        golden_value("predictions", (0, 3), np.nan),
        "golden run 0 has predictions that are not finite",
    ),
    "half an index": (
        golden_value("frames", (1, 5), 0.5),
        "golden run 0 has an index of 'token' that is not a whole number from 0 to 6",
    ),
    "a negative index": (golden_value("frames", (1, 5), -1), "golden run 0 has an index of 'token'"),
    "an index beyond its input": (golden_value("frames", (0, 5), 7), "golden run 0 has an index of 'token'"),
}
WRITABLE = {
    f"{group}: {name}": case
    for group, cases in {
        "tensors": TENSORS,
        "states": STATES,
        "programs": PROGRAMS,
        "operations": OPERATIONS,
        "metadata": METADATA,
        "golden": GOLDEN,
    }.items()
    for name, case in cases.items()
}

# What the bytes of a file cannot say, or only hundreds of megabytes of them.
IN_MEMORY = {
    "an unknown type": (tensor(type="f64"), "is of the type 'f64'; expected one of f32, f16, bf16, int8"),
    "data of another type": (tensor(type="f16"), "tensor 'affine.scale' holds float32, not f16"),
    "data of the other byte order": (tensor(data=np.zeros(5, ">f4")), "tensor 'affine.scale' holds >f4, not f32"),
    "a tensor without dimensions": (floats(), "0 dimensions of tensor 'affine.scale'"),
    "a large tensor": (
        tensor(type="int8", data=np.broadcast_to(np.int8(0), (65_536, 4_097)), scales=np.zeros(65_536, np.float32)),
        "268500992 elements of tensor 'affine.scale'",
    ),
    "integers without scales": (tensor(type="int8", data=np.zeros(5, np.int8)), "scales go with int8, and only"),
    "floats with scales": (tensor(scales=np.ones(5, np.float32)), "scales go with int8, and only"),
    "too few scales": (int8([1] * 4), "tensor 'affine.scale' has not one scale for each row"),
    "scales of another type": (
        tensor(type="int8", data=np.zeros(5, np.int8), scales=np.ones(5)),
        "tensor 'affine.scale' has scales of float64, not float32",
    ),
    "a name that is not Unicode": (tensor(name="\ud800"), "the name of a tensor is not Unicode"),
    "a value of metadata that is not Unicode": (
        model(metadata={"a": ("\udfff",)}),
        "a value of metadata 'a' is not Unicode",
    ),
    "a text for a list of values": (model(metadata={"name": "tiny"}), "metadata 'name' is not a list of texts"),
    "a negative initial tensor": (state(initial=-1), "state 'lstm.h' starts from tensor -1"),
    "a negative size": (state(size=-1), "-1 elements of state 'lstm.h'"),
    "an unknown kind of input": (input_port(0, kind="matrix"), "input 'frame' of program 'step' is of the kind"),
    "an unknown operation": (operation("tanh", name="swish"), "operation 14: there is no operation 'swish'"),
    "an unknown accuracy": (operation("lstm", accuracy="poor"), "operation lstm cannot have the accuracy 'poor'"),
    "a stride of 0": (
        operation("convolution", stride=0),
        "operation convolution has the stride 0; expected 1 to 65535",
    ),
    "a huge dilation": (operation("window", dilation=65_536), "operation window has the dilation 65536"),
    "a negative operand": (operation("tanh", operands=(-1,)), "operation tanh names slot -1"),
    "a negative tensor": (operation("dense", tensors=(-1, 1)), "operation dense names tensor -1"),
    "a negative state": (operation("lstm", states=(-1, 3)), "operation lstm names state -1"),
    "a negative output": (output_port(slot=-1), "output 'softmax' of program 'step' names slot -1"),
    "a negative program": (golden(program=-1), "golden run 0 names program -1"),
    "frames in one row": (golden(frames=np.zeros(12)), "golden run 0 has frames of the shape [12]"),
    "a frame beyond f32": (golden_value("frames", (0, 0), 1e39), "golden run 0 has frames that are not finite"),
    "a tolerance beyond f32": (model(tolerance=1e39), "the tolerance 1e+39 of golden frames"),
}


def test_the_model_that_is_changed_is_valid(tmp_path, run_tool):
    validate(VALID)
    runnel.write(VALID, tmp_path / "valid.runnel")
    assert run_tool("info", tmp_path / "valid.runnel").returncode == 0


@pytest.mark.parametrize("change, text", [*WRITABLE.values(), *IN_MEMORY.values()], ids=[*WRITABLE, *IN_MEMORY])
def test_a_broken_rule_is_named(change, text):
    with pytest.raises(runnel.ModelError, match=re.escape(text)):
        validate(change(VALID))


@pytest.mark.parametrize("change", [change for change, _ in WRITABLE.values()], ids=WRITABLE)
def test_both_readers_refuse_a_file_that_breaks_a_rule(change, tmp_path, monkeypatch, run_tool):
    monkeypatch.setattr("runnel.format.encoding.validate", lambda model: None)
    data = encode(change(VALID))
    with pytest.raises(runnel.ModelError):
        decode(data)
    (tmp_path / "broken.runnel").write_bytes(data)
    result = run_tool("info", tmp_path / "broken.runnel")
    assert result.returncode == 65, result.stdout


def test_limits_are_those_of_the_page():
    table = re.findall(r"^\| ([^|`]+) \| ([\d,]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert {what: int(number.replace(",", "")) for what, number in table} == {
        "bytes of a file": validation.MAX_FILE,
        "bytes of a string": validation.MAX_STRING,
        "programs": validation.MAX_PROGRAMS,
        "inputs, and outputs, of a program": validation.MAX_PORTS,
        "operations of a program": validation.MAX_OPERATIONS,
        "operands of an operation": validation.MAX_OPERANDS,
        "states": validation.MAX_STATES,
        "tensors": validation.MAX_TENSORS,
        "rank of a tensor": validation.MAX_RANK,
        "a dimension; a state, slot, frame or prediction": validation.MAX_DIMENSION,
        "elements of a tensor": validation.MAX_ELEMENTS,
        "products of an operation on windows: the elements of all of them times the rows of W": MAX_PRODUCTS,
        "elements of all states together, and of all slots of a program": validation.MAX_WORKING,
        "entries of metadata": validation.MAX_ENTRIES,
        "values of an entry": validation.MAX_VALUES,
        "golden runs": validation.MAX_RUNS,
    }


# What is just allowed


@pytest.mark.parametrize(
    "change",
    [
        tensor(name="é" * 32_767),
        int8([2.6e36, 0, 0, 0, 0]),
        bits("f16", 0x7BFF, 0xFBFF),
        bits("bf16", 0x7F7F, 0xFF7F),
        model(tolerance=0.0, golden=()),
        model(golden=(GoldenRun(0, False, np.float32([[0] * 5 + [6]]), np.zeros((1, 50), np.float32)),)),
        model(metadata={"!~": ("x" * 65_535, "\0", "𝄞")}),
        operation("concatenate", operands=(3, 2, 0)),
        lambda model: replace(model, states=model.states + (State("s", 65_536),) * 63),
        lambda model: replace(model, tensors=model.tensors + (Tensor.of("t", [1]),) * (4096 - len(model.tensors))),
        lambda model: replace(
            model,
            programs=(*model.programs, *(replace(model.programs[1], name=str(number)) for number in range(12))),
        ),
        lambda model: program(outputs=(Output("y", 0),) * 64)(replace(model, golden=())),
    ],
)
def test_the_largest_of_what_is_allowed_is_accepted_by_both_readers(change, tmp_path, run_tool):
    data = encode(change(VALID))
    assert encode(decode(data)) == data
    (tmp_path / "large.runnel").write_bytes(data)
    result = run_tool("info", tmp_path / "large.runnel")
    assert result.returncode == 0, result.stderr


# The builder


def test_the_builder_refuses_what_does_not_fit():
    builder = runnel.Builder()
    x = builder.vector("x", 2)
    with pytest.raises(runnel.ModelError, match=re.escape("operation dense takes W [O, 2]")):
        builder.dense(x, np.zeros((3, 4)))


def test_the_builder_refuses_an_input_behind_an_operation():
    builder = runnel.Builder()
    builder.tanh(builder.vector("x", 2))
    with pytest.raises(ValueError, match="input 'y' must come before the first operation"):
        builder.vector("y", 2)


def test_the_builder_gives_valid_models_only():
    builder = runnel.Builder()
    builder.vector("x", 2)
    with pytest.raises(runnel.ModelError, match="0 outputs of program 'step'"):
        builder.model()
