"""Keras models whose frames meet frames of other steps: convolutions, pooling, and layers in both directions."""

from dataclasses import replace

import numpy as np
import pytest
from keras_models import filled, keras, operations, predictions, sequential
from streaming import assert_close, frames_of, predicted

import runnel
import runnel.keras
from runnel.frames import Frames

k = keras.layers


def answers(model, frames, first=0, hop=1):
    """What the Keras model gives for frames [time, features], at the steps at which it is known; zeros at others."""
    shape = model.inputs[0].shape[2:]
    given = predictions(model, frames.reshape(len(frames), *shape))
    rows = np.zeros((len(frames), given[0].size))
    rows[first::hop] = given.reshape(len(given), -1)
    return rows


def causal(outputs, width, **options):
    return k.Conv1D(outputs, width, padding="causal", **options)


def block(x, dilation):
    """Gated, depthwise, and residual."""
    y = k.Multiply()([causal(4, 2, dilation_rate=dilation, activation=name)(x) for name in ("tanh", "sigmoid")])
    y = k.SeparableConv1D(4, 2)(k.ZeroPadding1D((1, 0))(y))
    return k.Add()([k.Conv1D(4, 1)(y), x])


def tcn():
    inputs = keras.Input((None, 3))
    x = causal(4, 2)(inputs)
    for dilation in (1, 2, 4, 8):
        x = block(x, dilation)
    return filled(keras.Model(inputs, k.GRU(5, return_sequences=True)(x)))


def cropped_skip():
    """A skip meets a convolution without padding, whose frames begin later."""
    x = keras.Input((None, 3))
    return filled(keras.Model(x, k.Add()([k.Conv1D(3, 4)(x), k.Cropping1D((3, 0))(x)])))


def sliced():
    """The frames from the third on, before an LSTM, by a slice."""
    x = keras.Input((None, 3))
    return filled(keras.Model(x, k.LSTM(3, return_sequences=True)(causal(4, 3)(x)[:, 2:])))


# For each: what makes the layers or the model, the shape of its input, and the first step that gives a prediction and
# how many steps lie between two.
STREAMS = {
    **{
        f"causal {width} {dilation} {groups}": (
            lambda width=width, dilation=dilation, groups=groups: [
                k.Conv1D(6, width, padding="causal", dilation_rate=dilation, groups=groups)
            ],
            (None, 6),
            0,
            1,
        )
        for width in (1, 2, 3, 5)
        for dilation in (1, 3, 8)
        for groups in (1, 2, 6)
    },
    "valid": (lambda: [k.Conv1D(4, 3)], (None, 3), 2, 1),
    "valid, dilated": (lambda: [k.Conv1D(4, 3, dilation_rate=4, use_bias=False)], (None, 3), 8, 1),
    "activation": (lambda: [causal(4, 3, activation="relu")], (None, 3), 0, 1),
    "strided": (lambda: [causal(4, 3, strides=2)], (None, 3), 0, 2),
    "strided twice": (lambda: [causal(4, 3, strides=2), k.Conv1D(4, 2, strides=3)], (None, 3), 2, 6),
    "strided, then an LSTM": (lambda: [k.Conv1D(4, 4, strides=2), k.LSTM(5, return_sequences=True)], (None, 3), 3, 2),
    "an LSTM, then strided": (lambda: [k.LSTM(5, return_sequences=True), k.Conv1D(4, 4, strides=2)], (None, 3), 3, 2),
    "depthwise": (lambda: [k.DepthwiseConv1D(3, activation="tanh")], (None, 3), 2, 1),
    "depthwise, multiplied": (lambda: [k.DepthwiseConv1D(3, depth_multiplier=3)], (None, 3), 2, 1),
    "depthwise, strided": (lambda: [k.DepthwiseConv1D(2, strides=2, use_bias=False)], (None, 3), 1, 2),
    "separable": (lambda: [k.SeparableConv1D(5, 3, depth_multiplier=2, activation="relu")], (None, 3), 2, 1),
    "separable, dilated": (lambda: [k.SeparableConv1D(5, 3, dilation_rate=2)], (None, 3), 4, 1),
    "separable, causal": (lambda: [k.ZeroPadding1D((2, 0)), k.SeparableConv1D(5, 3)], (None, 3), 0, 1),
    "cropped": (lambda: [k.Cropping1D((3, 0)), k.GRU(3, return_sequences=True)], (None, 3), 3, 1),
    "skip, cropped": (cropped_skip, (None, 3), 3, 1),
    "slice": (sliced, (None, 3), 2, 1),
    "maximum": (lambda: [k.MaxPooling1D(3, 2), k.Dense(2)], (None, 3), 2, 2),
    "maximum of all steps": (lambda: [k.MaxPooling1D(3, 1)], (None, 3), 2, 1),
    "mean": (lambda: [k.AveragePooling1D(3), k.Dense(2)], (None, 3), 2, 3),
    "maximum of a mean": (lambda: [k.AveragePooling1D(2, 1), k.MaxPooling1D(2)], (None, 3), 2, 2),
    "blocks": (tcn, (None, 3), 0, 1),
    "time as the last axis": (
        lambda: [k.Permute((2, 1)), k.MaxPooling1D(3, 2, data_format="channels_first"), k.Permute((2, 1))],
        (None, 3),
        2,
        2,
    ),
    "frames of positions": (lambda: [k.TimeDistributed(k.Conv1D(4, 3))], (None, 6, 3), 0, 1),
    "frames of positions, same": (
        lambda: [k.TimeDistributed(k.Conv1D(4, 3, strides=2, padding="same", activation="relu"))],
        (None, 6, 3),
        0,
        1,
    ),
    "frames of positions, causal": (lambda: [k.TimeDistributed(causal(4, 3, dilation_rate=2))], (None, 6, 3), 0, 1),
    "frames of positions, depthwise": (
        lambda: [k.TimeDistributed(k.DepthwiseConv1D(2, padding="same", depth_multiplier=2))],
        (None, 6, 3),
        0,
        1,
    ),
    "frames of positions, separable": (lambda: [k.TimeDistributed(k.SeparableConv1D(4, 3))], (None, 6, 3), 0, 1),
    "frames of positions, pooled": (
        lambda: [
            k.TimeDistributed(k.MaxPooling1D(3, 2, padding="same")),
            k.TimeDistributed(k.AveragePooling1D(3, 1, padding="same")),
            k.TimeDistributed(k.AveragePooling1D(2, 1)),
        ],
        (None, 7, 3),
        0,
        1,
    ),
    "frames of positions, padded and cropped": (
        lambda: [k.TimeDistributed(k.ZeroPadding1D((1, 2))), k.TimeDistributed(k.Cropping1D((2, 1)))],
        (None, 6, 3),
        0,
        1,
    ),
    "all positions": (
        lambda: [k.TimeDistributed(k.GlobalAveragePooling1D()), k.GRU(3, return_sequences=True)],
        (None, 6, 3),
        0,
        1,
    ),
    "the largest of all positions": (lambda: [k.TimeDistributed(k.GlobalMaxPooling1D())], (None, 6, 3), 0, 1),
    "the largest of all positions, kept": (
        lambda: [k.TimeDistributed(k.GlobalMaxPooling1D(keepdims=True))],
        (None, 6, 3),
        0,
        1,
    ),
    "positions and frames": (
        lambda: [k.TimeDistributed(k.Conv1D(2, 3)), k.Reshape((-1, 8)), causal(3, 3, strides=2)],
        (None, 6, 3),
        0,
        2,
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams(name, tmp_path, run_tool):
    make, shape, first, hop = STREAMS[name]
    made = make()
    model = sequential(*made, shape=shape) if isinstance(made, list) else made
    path = tmp_path / "model.runnel"
    exported = runnel.keras.export(model, path)
    size = exported.programs[0].frame_size
    for count in (first + 1, first + 2, first + 3 * hop, 67):
        frames = frames_of(count, size, seed=count)
        expected = answers(model, frames, first, hop)
        assert_close(runnel.Session(exported).run(frames), expected)
    assert_close(predicted(run_tool, path, frames), expected)
    assert np.abs(exported.golden[0].predictions).max() > 0


def test_a_strided_front_end_before_the_last_frame(tmp_path, run_tool):
    model = sequential(causal(4, 3, strides=2), k.Conv1D(4, 2), k.LSTM(5), k.Dense(2))
    path = tmp_path / "model.runnel"
    exported = runnel.keras.export(model, path)
    frames, expected = frames_of(31, 3), np.zeros((31, 2))
    for step in range(2, 31, 2):
        expected[step] = predictions(model, frames[: step + 1])
    assert_close(runnel.Session(exported).run(frames), expected)
    assert_close(predicted(run_tool, path, frames), expected)


def test_a_model_of_a_fixed_length_answers_any_number_of_frames():
    fixed = sequential(causal(4, 3), k.MaxPooling1D(2), shape=(8, 3), batch_size=2)
    free = sequential(causal(4, 3), k.MaxPooling1D(2))
    free.set_weights(fixed.get_weights())
    frames = frames_of(40, 3)
    assert_close(runnel.Session(runnel.keras.export(fixed)).run(frames), answers(free, frames, 1, 2))


def test_a_convolution_of_embedded_indices():
    model = sequential(k.Embedding(9, 4), causal(3, 3), k.GRU(2, return_sequences=True), shape=(None,))
    exported = runnel.keras.export(model)
    indices = np.random.default_rng(0).integers(9, size=(30, 1))
    assert_close(runnel.Session(exported).run(indices), predictions(model, indices[:, 0]))


def test_a_file_with_convolutions_and_both_directions(tmp_path):
    both = k.Bidirectional(k.GRU(3, return_sequences=True), merge_mode="sum")
    model = sequential(k.ZeroPadding1D((2, 0)), k.Conv1D(4, 3), both, k.DepthwiseConv1D(1), k.RMSNormalization())
    model.save(tmp_path / "model.keras")
    runnel.keras.export(model, tmp_path / "a.runnel")
    runnel.keras.export(tmp_path / "model.keras", tmp_path / "b.runnel")
    assert (tmp_path / "a.runnel").read_bytes() == (tmp_path / "b.runnel").read_bytes()


# Both directions

CELLS = {
    "rnnTanh": k.SimpleRNN,
    "rnnReLU": lambda units, **options: k.SimpleRNN(units, activation="relu", **options),
    "lstm": k.LSTM,
    "gruResetAfter": k.GRU,
    "gruResetBefore": lambda units, **options: k.GRU(units, reset_after=False, **options),
}
MERGES = {"concat": 2, "sum": 1, "mul": 1, "ave": 1}


def both(kind, units, merge_mode="concat", **options):
    return k.Bidirectional(CELLS[kind](units, **{"return_sequences": True, **options}), merge_mode=merge_mode)


@pytest.mark.parametrize("units", [1, 8, 17])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", CELLS)
def test_both_directions(kind, layers, units, tmp_path, run_tool):
    model = sequential(*(both(kind, units) for _ in range(layers)))
    path = tmp_path / "model.runnel"
    exported = runnel.keras.export(model, path)
    assert operations(exported) == [kind, "reverse", kind, "reverse", "concatenate"] * layers
    for count in (1, 2, 5, 50):
        frames = frames_of(count, 3, seed=count)
        assert_close(runnel.Session(exported).run(frames), answers(model, frames))
    assert_close(predicted(run_tool, path, frames), answers(model, frames))
    with pytest.raises(ValueError, match="takes whole sequences"):
        runnel.Session(exported).step(frames[0])


@pytest.mark.parametrize("merge_mode", MERGES)
@pytest.mark.parametrize("kind", CELLS)
def test_merged_directions(kind, merge_mode):
    model = sequential(k.Dense(4), both(kind, 5, merge_mode, use_bias=False), k.Dense(2))
    frames = frames_of(20, 3)
    assert_close(runnel.Session(runnel.keras.export(model)).run(frames), answers(model, frames))


@pytest.mark.parametrize("merge_mode", MERGES)
@pytest.mark.parametrize("kind", CELLS)
def test_the_result_of_a_whole_sequence(kind, merge_mode, tmp_path, run_tool):
    model = sequential(both(kind, 5), both(kind, 4, merge_mode, return_sequences=False), k.Dense(2))
    path = tmp_path / "model.runnel"
    exported = runnel.keras.export(model, path)
    for count in (1, 2, 16, 33):
        frames = frames_of(count, 3, seed=count)
        expected = predictions(model, frames)
        assert_close(runnel.Session(exported).run(frames)[-1], expected)
        assert_close(predicted(run_tool, path, frames)[-1], expected)


@pytest.mark.parametrize("is_sequence", [True, False])
def test_directions_apart(is_sequence):
    x = keras.Input((None, 3))
    halves = both("lstm", 4, None, return_sequences=is_sequence)(x)
    model = filled(keras.Model(x, [k.Dense(2)(halves[0]), k.Dense(3)(halves[1])]))
    exported = runnel.keras.export(model)
    frames = frames_of(9, 3)
    expected = [keras.ops.convert_to_numpy(part)[0] for part in model(frames[np.newaxis])]
    found = runnel.Session(exported).run(frames)
    assert_close(found if is_sequence else found[-1], np.concatenate(expected, axis=-1))


@pytest.mark.parametrize("merge_mode", [*MERGES, None])
@pytest.mark.parametrize("kind", CELLS)
def test_states_of_both_directions(kind, merge_mode):
    x = keras.Input((None, 3))
    results = both(kind, 4, merge_mode, return_state=True)(x)
    hidden = [*results[-4::2]] if kind == "lstm" else [*results[-2:]]
    model = filled(keras.Model(x, [results[0], k.Dense(3)(k.Concatenate()(hidden))]))
    frames = frames_of(9, 3)
    sequence, last = (keras.ops.convert_to_numpy(part)[0] for part in model(frames[np.newaxis]))
    found = runnel.Session(runnel.keras.export(model)).run(frames)
    assert_close(found[:, :-3], sequence)
    assert_close(found[-1, -3:], last)


def test_directions_of_other_cells():
    cells = k.RNN([k.LSTMCell(4), k.GRUCell(3, activation="softsign")], return_sequences=True)
    backward = k.GRU(3, recurrent_activation="hard_sigmoid", return_sequences=True, go_backwards=True)
    model = sequential(
        k.Bidirectional(cells), k.Bidirectional(k.LSTM(3, return_sequences=True), backward_layer=backward)
    )
    frames = frames_of(20, 3)
    assert_close(runnel.Session(runnel.keras.export(model)).run(frames), answers(model, frames))


def test_stateful_directions_of_a_fixed_length():
    model = sequential(both("gruResetAfter", 4, stateful=True), k.Dense(2), shape=(7, 3), batch_size=5)
    assert runnel.keras.export(model).programs[0].takes_whole_sequences


# Refusals


def _added(*layers):
    x = keras.Input((None, 3))
    return keras.Model(x, k.Add(name="bad")([layer(x) for layer in layers]))


def _neighbours():
    x = keras.Input((None, 3))
    return keras.Model(x, k.Add(name="bad")([x[:, 1:], x[:, :-1]]))


def _outputs_of_two_clocks():
    x = keras.Input((None, 3))
    return keras.Model(x, [k.Dense(1, name="a")(x), k.Conv1D(2, 2, name="b")(x)], name="bad")


def _branches():
    x = keras.Input((None, 3))
    return keras.Model(x, [k.LSTM(1)(k.Conv1D(2, 2, strides=stride)(x)) for stride in (2, 3)])


def _padded_at_the_end():
    x = keras.Input((None, 3))
    return keras.Model(x, causal(2, 3)(x)[:, :-1], name="bad")


REFUSED = {
    "same": (lambda: [k.Conv1D(4, 4, padding="same", name="bad")], "looks 2 frames ahead; expected 'causal', or"),
    "same, dilated": (
        lambda: [k.DepthwiseConv1D(3, padding="same", dilation_rate=4, name="bad")],
        r"looks 4 frames ahead; expected 'valid' behind a ZeroPadding1D\(\(8, 0\)\)",
    ),
    "same, separable": (lambda: [k.SeparableConv1D(4, 3, padding="same", name="bad")], "looks 1 frames ahead"),
    "same, pooled": (lambda: [k.MaxPooling1D(2, padding="same", name="bad")], "looks 1 frames ahead"),
    "same, mean": (lambda: [k.AveragePooling1D(5, padding="same", name="bad")], "looks 2 frames ahead"),
    "mean of uneven padding": (
        lambda: sequential(k.TimeDistributed(k.AveragePooling1D(2, 1, padding="same", name="bad")), shape=(None, 6, 3)),
        "count in different ways",
    ),
    "padding behind": (lambda: [k.ZeroPadding1D((1, 2), name="bad")], r"2 frames of zeros behind.*\(3, 0\)"),
    "padding that nothing takes in": (lambda: [k.ZeroPadding1D((2, 0)), k.LSTM(3, name="bad")], "2 frames of zeros"),
    "padding that is given out": (
        lambda: keras.Sequential([keras.Input((None, 3)), k.ZeroPadding1D((2, 0))], name="bad"),
        "2 frames of zeros",
    ),
    "more padding than windows take": (lambda: [k.ZeroPadding1D((3, 0)), k.Conv1D(2, 3, name="bad")], "at most 2"),
    "cut at the end": (lambda: [k.Cropping1D((1, 2), name="bad")], r"last 2 frames are cut off.*\(1, 0\)"),
    "slice at the end": (_padded_at_the_end, "the last 1 of 1009 frames are cut off"),
    "global mean": (lambda: [k.GlobalAveragePooling1D(name="bad")], "pools all frames.*TimeDistributed"),
    "global maximum": (lambda: [k.GlobalMaxPooling1D(name="bad")], "pools all frames"),
    "time as channels": (lambda: [k.Permute((2, 1)), k.MaxPooling1D(2, name="bad")], "time is axis 2"),
    "upsampling": (lambda: [k.UpSampling1D(2, name="bad")], "answers once"),
    "transposed": (lambda: [k.Conv1DTranspose(2, 3, name="bad")], "answers once"),
    "attention": (lambda: _joined(k.Attention(name="bad")), "weighs all frames"),
    "product": (lambda: _joined(k.Dot(2, name="bad")), "no such operation"),
    "frames of other steps": (_neighbours, "frames that are known at step 0, 1, 2, … meet such .* at step 1, 2, 3"),
    "fewer frames": (lambda: _added(k.Conv1D(3, 3), k.ReLU()), "shapes"),
    "outputs of other steps": (_outputs_of_two_clocks, "output 'a' is known at step 0, 1, 2.*others are at step 1, 2"),
    "branches": (_branches, "two branches"),
    "backwards alone": (
        lambda: [k.LSTM(3, go_backwards=True, return_sequences=True, name="bad")],
        "expected Bidirectional",
    ),
    "both directions and strides": (
        lambda: [k.Conv1D(3, 2), k.Bidirectional(k.LSTM(3), name="bad")],
        "a layer runs backward, and other frames are known at step 1",
    ),
    "strides and both directions": (
        lambda: [k.Bidirectional(k.LSTM(3, return_sequences=True)), k.MaxPooling1D(2, name="bad")],
        "a layer runs backward",
    ),
    "directions exchanged": (
        lambda: [k.Bidirectional(k.GRU(3, go_backwards=True), backward_layer=k.GRU(3), name="bad")],
        "forward layer .* goes backwards",
    ),
}


def _joined(layer):
    x = keras.Input((None, 3))
    return keras.Model(x, layer([x, x]))


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, tmp_path):
    make, words = REFUSED[name]
    made = make()
    path = tmp_path / "model.runnel"
    with pytest.raises(runnel.ExportError, match=words) as caught:
        runnel.keras.export(sequential(*made) if isinstance(made, list) else made, path)
    assert name == "branches" or "bad' (" in str(caught.value)
    assert not path.exists()


def test_a_layer_in_both_directions_that_is_not_recurrent_is_refused():
    class Own(k.GRU):
        pass

    with pytest.raises(runnel.ExportError, match=r"'bad' \(Bidirectional\): the layer 'forward_strange' \(Own\)"):
        with keras.saving.custom_object_scope({"Own": Own}):
            runnel.keras.export(sequential(k.Bidirectional(Own(3, name="strange"), name="bad")))


@pytest.mark.parametrize("is_sequence", [True, False])
def test_too_few_frames_for_a_prediction(is_sequence):
    model = sequential(k.Conv1D(2, 5), k.LSTM(3, return_sequences=is_sequence))
    reason = "4 frames, and the first one with a prediction is frame 4; expected more frames"
    with pytest.raises(runnel.CheckError, match=reason):
        runnel.keras.export(model, frames=frames_of(4, 3))
    assert runnel.keras.export(model, frames=frames_of(5, 3)).golden


# Wrong exports


@pytest.mark.parametrize("is_sequence", [False, True])
def test_a_direction_that_is_not_reversed_is_caught(is_sequence, monkeypatch):
    model = sequential(both("lstm", 4, return_sequences=is_sequence))
    reverse, calls = Frames.reversed, []

    def once(frames, slot):
        calls.append(slot)
        # The rest stays a program of whole sequences, with frames in order.
        return reverse(frames, reverse(frames, slot))

    monkeypatch.setattr(Frames, "reversed", once)
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.keras.export(model)
    assert calls


@pytest.mark.parametrize("layer", [k.Conv1D(4, 3), k.DepthwiseConv1D(3), k.SeparableConv1D(4, 3)])
def test_a_flipped_kernel_is_caught(layer, monkeypatch):
    windows = runnel.keras.windows
    array = windows.array
    monkeypatch.setattr(windows, "array", lambda weight: None if weight is None else array(weight)[::-1])
    copy = type(layer).from_config(layer.get_config() | {"use_bias": False})
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.keras.export(sequential(copy))


@pytest.mark.parametrize("is_sequence", [False, True])
def test_another_phase_of_a_stride_is_caught(is_sequence, monkeypatch):
    every = runnel.Builder.every
    monkeypatch.setattr(
        runnel.Builder, "every", lambda self, x, stride, first=0, **named: every(self, x, stride, first + 1, **named)
    )
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.keras.export(sequential(causal(4, 3, strides=2), k.GRU(3, return_sequences=is_sequence)))


def test_the_result_before_the_last_step_is_caught(monkeypatch):
    """The backward half in the frames' order gives, in its last row, what came of the last frame alone."""
    model = sequential(both("gruResetAfter", 4, return_sequences=False))
    of_last_frame = runnel.keras.cells._of_last_frame
    reader = {}

    def wrong(x, slot):
        return replace(of_last_frame(x, slot), slots=(reader["builder"].reverse(slot),))

    start = runnel.keras.graph._Reader.__init__

    def remembering(self, rows):
        start(self, rows)
        reader["builder"] = self.builder

    monkeypatch.setattr(runnel.keras.graph._Reader, "__init__", remembering)
    monkeypatch.setattr(runnel.keras.cells, "_of_last_frame", wrong)
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.keras.export(model)


# Other versions of Keras


@pytest.mark.parametrize("name", ["_nodes_by_depth", "_inputs_struct"])
def test_an_attribute_that_keras_no_longer_has_is_named(name):
    x = keras.Input((None, 3))
    model = keras.Model(x, k.Dense(2)(x))
    delattr(model, name)
    with pytest.raises(runnel.ExportError, match=rf"Keras {keras.__version__} has no Functional\.{name}; expected"):
        runnel.keras.export(model)
