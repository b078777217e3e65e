"""Frames of other steps: convolutions and pooling over time, strides, and layers that run backward."""

from dataclasses import replace

import numpy as np
import pytest
from streaming import assert_close, frames_of, predicted

torch = pytest.importorskip("torch", reason="torch is not installed: what exports its modules is not tested")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import runnel  # noqa: E402
import runnel.torch  # noqa: E402
from runnel import Builder, Session, Tensor  # noqa: E402
from runnel.checking import checked  # noqa: E402
from runnel.clocks import EVERY_STEP, Clock  # noqa: E402
from runnel.frames import Frames, Value  # noqa: E402

LENGTHS = (41, 64, 101)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)
    torch.set_num_threads(1)


# Modules of [1, channels, time], and the steps at which they answer


class Causal(nn.Module):
    """A convolution that is padded on the left."""

    def __init__(self, width, dilation=1, groups=1, channels=4, outputs=8):
        super().__init__()
        self.before = (width - 1) * dilation
        self.convolution = nn.Conv1d(channels, outputs, width, dilation=dilation, groups=groups)

    def forward(self, x):
        return self.convolution(functional.pad(x, (self.before, 0)))


class Chomped(nn.Module):
    """A block of a temporal convolutional network: padded on both sides, with what comes of the end cut off."""

    def __init__(self, channels, outputs, dilation):
        super().__init__()
        self.after = 2 * dilation
        padded = {"dilation": dilation, "padding": self.after}
        self.first = nn.utils.parametrizations.weight_norm(nn.Conv1d(channels, outputs, 3, **padded))
        self.second = nn.Conv1d(outputs, outputs, 3, **padded)
        self.skip = nn.Conv1d(channels, outputs, 1) if channels != outputs else nn.Identity()

    def forward(self, x):
        y = functional.relu(self.first(x)[:, :, : -self.after])
        y = functional.relu(self.second(y)[:, :, : -self.after])
        return functional.relu(y + self.skip(x))


class Gated(nn.Module):
    """Dilated convolutions whose halves are multiplied, and what they skip."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(4, 8, 2, dilation=2**place) for place in range(4))
        self.mixing = nn.ModuleList(nn.Conv1d(4, 4, 1) for _ in range(4))

    def forward(self, x):
        total = 0
        for place, (layer, mixing) in enumerate(zip(self.layers, self.mixing)):
            y = mixing(functional.glu(layer(functional.pad(x, (2**place, 0))), 1))
            total, x = total + y, x + y
        return total


class Separable(nn.Module):
    """A depthwise convolution and a pointwise one, with zeros from a concatenation."""

    def __init__(self):
        super().__init__()
        self.depthwise, self.pointwise = nn.Conv1d(4, 4, 5, groups=4), nn.Conv1d(4, 6, 1)
        self.norm = nn.BatchNorm1d(6)
        self.norm.running_mean.uniform_(-1, 1)

    def forward(self, x):
        x = torch.cat([torch.zeros(1, 4, 4, dtype=x.dtype), x], -1)
        return self.norm(self.pointwise(self.depthwise(x)))


class Skipping(nn.Module):
    """Branches that know their frames at other steps, which are cropped to the same ones, the longer one first."""

    def __init__(self):
        super().__init__()
        self.long, self.short = nn.Conv1d(4, 4, 5), nn.Conv1d(4, 4, 3)

    def forward(self, x):
        long, short = self.long(x), self.short(x)
        return torch.cat([long + short[:, :, 2:], x[:, :, 4:]], 1)


class Padded(nn.Module):
    """Zeros before the first frame of a stream that has begun late, and of one of every second frame."""

    def __init__(self):
        super().__init__()
        self.valid, self.causal, self.last = nn.Conv1d(4, 4, 3), Causal(3, 2, 1, 4, 4), Causal(2, 1, 1, 4, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.causal(self.valid(x)[:, :, 1:]))[:, :, 1::2])


class Shifted(nn.Module):
    """A move by frames before the convolution: what is padded at first is cut off in part."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv1d(4, 4, 3)

    def forward(self, x):
        return self.convolution(functional.pad(x, (5, 0))[:, :, 3:])


CONVOLUTIONS = {
    **{
        f"causal {width} x {dilation} in {groups}": (lambda *sizes: Causal(*sizes), (width, dilation, groups), (0, 1))
        for width, dilation, groups in [
            (2, 1, 1),
            (3, 1, 4),
            (3, 2, 1),
            (4, 3, 2),
            (5, 1, 1),
            (5, 8, 1),
            (2, 8, 2),
            (1, 1, 1),
        ]
    },
    "valid": (nn.Conv1d, (4, 5, 4), (3, 1)),
    "valid twice": (lambda: nn.Sequential(nn.Conv1d(4, 5, 4), nn.ELU(), nn.Conv1d(5, 2, 3, dilation=2)), (), (7, 1)),
    "a stride": (lambda: nn.Conv1d(4, 5, 2, stride=3), (), (1, 3)),
    "a stride of one position": (lambda: nn.Conv1d(4, 5, 1, stride=2), (), (0, 2)),
    "strides": (
        lambda: nn.Sequential(nn.Conv1d(4, 5, 3, stride=2), nn.ReLU(), nn.Conv1d(5, 3, 2, stride=2)),
        (),
        (4, 4),
    ),
    "padded strides": (
        lambda: nn.Sequential(
            nn.ConstantPad1d((1, 0), 0.0), nn.Conv1d(4, 5, 3, stride=2), nn.ReLU(), Causal(3, 1, 1, 5)
        ),
        (),
        (1, 2),
    ),
    "chomps": (lambda: nn.Sequential(*(Chomped(4 if d == 1 else 6, 6, d) for d in (1, 2, 4))), (), (0, 1)),
    "gates": (Gated, (), (0, 1)),
    "separable": (Separable, (), (0, 1)),
    "skipping": (Skipping, (), (4, 1)),
    "padded": (Padded, (), (4, 2)),
    "shifted": (Shifted, (), (0, 1)),
    "maxima": (lambda: nn.Sequential(Causal(3), nn.MaxPool1d(2)), (), (1, 2)),
    "maxima of each": (lambda: nn.MaxPool1d(3, 1), (), (2, 1)),
    "means": (lambda: nn.Sequential(nn.AvgPool1d(3, 2), nn.Conv1d(4, 2, 2)), (), (4, 2)),
    "padded means": (lambda: nn.Sequential(nn.ConstantPad1d((2, 0), 0), nn.AvgPool1d(3, 1)), (), (0, 1)),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_over_time(name, tmp_path, run_tool):
    make, sizes, clock = CONVOLUTIONS[name]
    module, path = make(*sizes).eval(), tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 4, 40), path, time=2)
    assert model.golden[0].predictions.any()
    for length in LENGTHS:
        frames = frames_of(length, 4, length)
        expected = of_module(module, frames, Clock(*clock))
        assert_close(Session(model).run(frames), expected)
        assert_close(predicted(run_tool, path, frames), expected)


def of_module(module, frames, clock, axis=2):
    """A module's results in double precision, at the steps of a clock, and zeros at the others."""
    sequence = torch.from_numpy(frames).double()[None]
    with torch.no_grad():
        result = module.double()(sequence.transpose(1, 2) if axis == 2 else sequence)
    module.float()
    result = np.moveaxis(result.numpy(), axis, 0).reshape(result.shape[axis], -1)
    rows = np.zeros((len(frames), result.shape[1]))
    assert len(result) == len(rows[clock.first :: clock.hop])
    rows[clock.first :: clock.hop] = result
    return rows


class Recurrent(nn.Module):
    """A recurrent layer over [1, channels, time]."""

    def __init__(self, channels):
        super().__init__()
        self.layer = nn.GRU(channels, channels, batch_first=True)

    def forward(self, x):
        return self.layer(x.transpose(1, 2))[0].transpose(1, 2)


class Residual(nn.Module):
    """A valid convolution, and what goes in without the frames that it does not answer."""

    def __init__(self, channels, width):
        super().__init__()
        self.convolution, self.first = nn.Conv1d(channels, channels, width), width - 1

    def forward(self, x):
        return torch.tanh(self.convolution(x)) + x[:, :, self.first :]


def random_stack(seed):
    """Modules of all kinds that answer late, or now and then."""
    random, channels = np.random.default_rng(seed), 4
    makes = [
        lambda number: Causal(number, 1 + number % 3, 1, channels, channels),
        lambda number: Chomped(channels, channels, number),
        lambda number: Residual(channels, number),
        lambda number: Recurrent(channels),
        lambda number: nn.Conv1d(channels, channels, 1 + number % 3, stride=number, groups=2),
        lambda number: nn.MaxPool1d(number, 1 + number % 2),
        lambda number: nn.AvgPool1d(number, 1),
        lambda number: Wrapped(lambda x: x[:, :, number:]),
        lambda number: Wrapped(lambda x: torch.sigmoid(x[:, :, number - 1 :: 2])),
    ]
    places = random.integers(len(makes), size=random.integers(2, 6))
    return nn.Sequential(*(makes[place](int(random.integers(1, 4))) for place in places)).eval()


@pytest.mark.parametrize("seed", range(24))
def test_random_stacks_answer_when_the_source_has_one_result_more(seed, tmp_path, run_tool):
    torch.manual_seed(seed)
    module, path = random_stack(seed), tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 4, 150), path, time=2)
    frames = frames_of(150, 4, seed)
    expected = of_prefixes(module, frames)
    assert expected.any()
    assert_close(Session(model).run(frames), expected)
    assert_close(predicted(run_tool, path, frames), expected)


def of_prefixes(module, frames):
    """The last frame of a module's results for the frames up to each, where it has one result more than before."""
    sequence, rows, known = torch.from_numpy(frames).double().T[None], {}, 0
    module.double()
    for count in range(1, len(frames) + 1):
        try:
            with torch.no_grad():
                result = module(sequence[:, :, :count])[0].T.numpy()
        except RuntimeError:  # There are fewer frames than a window takes.
            continue
        if len(result) > known:
            known = len(result)
            rows[count - 1] = result[-1]
    none = np.zeros(4)
    return np.stack([rows.get(step, none) for step in range(len(frames))])


def test_a_step_without_a_prediction_gives_none():
    model = runnel.torch.export(nn.Conv1d(2, 3, 4, stride=3), torch.randn(1, 2, 20), time=2)
    session = Session(model)
    assert [session.step([1, 2]) is None for _ in range(9)] == [True] * 3 + [False, True, True] * 2


# Convolutions before, and after, recurrent layers: [1, time, features]


class Front(nn.Module):
    """Strided convolutions before an LSTM, and one behind it."""

    def __init__(self, gives="all"):
        super().__init__()
        self.front = nn.Sequential(
            nn.Conv1d(3, 8, 3, stride=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(8, 8, 2, groups=8), nn.Conv1d(8, 6, 1)
        )
        self.recurrent, self.dense, self.behind = (
            nn.LSTM(6, 5, 2, batch_first=True),
            nn.Linear(5, 2),
            nn.Conv1d(2, 2, 2),
        )
        self.gives = gives

    def forward(self, x):
        y, (hidden, _) = self.recurrent(self.front(x.transpose(1, 2)).transpose(1, 2))
        if self.gives != "all":
            return y[:, -1] if self.gives == "last" else self.dense(hidden[1]) + hidden[0].sum()
        return self.behind(self.dense(y).transpose(1, 2)).transpose(1, 2)


def test_a_strided_front_before_an_lstm(tmp_path, run_tool):
    module, path = Front().eval(), tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 40, 3), path)
    names = [operation.name for operation in model.programs[0].operations]
    # What is costly stands behind the gates.
    assert names.index("every") < names.index("dense") < names.index("lstm")
    for length in LENGTHS:
        frames = frames_of(length, 3, length)
        expected = of_module(module, frames, Clock(12, 4), axis=1)
        assert_close(Session(model).run(frames), expected)
        assert_close(predicted(run_tool, path, frames), expected)


@pytest.mark.parametrize("gives", ["last", "state"])
def test_the_last_frame_behind_strides(gives, tmp_path, run_tool):
    module, path = Front(gives).eval(), tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 40, 3), path)
    frames = frames_of(41, 3)
    sequence = torch.from_numpy(frames)[None].double()
    with torch.no_grad():
        module.double()
        rows = {step: module(sequence[:, : step + 1]).numpy().ravel() for step in range(8, 41, 4)}
    expected = np.stack([rows.get(step, 0 * rows[8]) for step in range(41)])
    assert_close(Session(model).run(frames), expected)
    assert_close(predicted(run_tool, path, frames), expected)


def test_cells_of_other_operations_behind_a_gate(tmp_path, run_tool):
    class Projected(nn.Module):
        def __init__(self):
            super().__init__()
            self.front, self.recurrent = nn.Conv1d(3, 4, 2, stride=2), nn.LSTM(4, 6, proj_size=2, batch_first=True)

        def forward(self, x):
            return self.recurrent(self.front(x.transpose(1, 2)).transpose(1, 2))[0]

    module, path = Projected().eval(), tmp_path / "model.runnel"
    runnel.torch.export(module, torch.randn(1, 10, 3), path)
    frames = frames_of(41, 3)
    assert_close(predicted(run_tool, path, frames), of_module(module, frames, Clock(1, 2), axis=1))


def test_frames_without_a_prediction_are_not_compared_alone():
    with pytest.raises(runnel.CheckError, match="4 frames, and the first one with a prediction is frame 6"):
        runnel.torch.export(nn.Conv1d(2, 3, 7), torch.randn(1, 2, 20), time=2, frames=frames_of(4, 2))


def test_a_stride_leaves_out_what_padding_at_the_end_gives(tmp_path, run_tool):
    """With an odd number of frames, PyTorch gives one result more, of a window that ends behind the last frame."""
    module, path = nn.Conv1d(2, 3, 3, stride=2, padding=1).eval(), tmp_path / "model.runnel"
    frames = frames_of(31, 2)
    runnel.torch.export(module, torch.randn(1, 2, 20), path, time=2, frames=frames)
    with torch.no_grad():
        result = module(torch.from_numpy(frames).T[None])[0].T.numpy()
    found = predicted(run_tool, path, frames)
    assert len(result) == 16
    assert_close(found[1::2], result[:15])
    assert not found[::2].any()


def test_what_a_state_starts_from_is_kept_until_the_first_frame():
    class Late(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent, self.start = nn.GRU(2, 3, batch_first=True), nn.Parameter(torch.randn(1, 1, 3))

        def forward(self, x):
            return self.recurrent(x[:, 5:], self.start)[0]

    module = Late().eval()
    model = runnel.torch.export(module, torch.randn(1, 9, 2))
    frames = frames_of(30, 2)
    assert_close(Session(model).run(frames), of_module(module, frames, Clock(5, 1), axis=1))


def test_random_frames_reach_as_far_as_the_windows():
    """The check sees every weight of a long window."""
    model = runnel.torch.export(Causal(2, 300, channels=1, outputs=1), torch.randn(1, 1, 400), time=2)
    assert len(model.golden[0].frames) == 16
    with pytest.raises(runnel.CheckError, match="in 350 frames"):
        convolution = nn.Conv1d(1, 1, 2, dilation=300)

        class Changing(nn.Module):
            """Another weight for the farthest frame than the one that was traced."""

            def forward(self, x):
                if not torch.compiler.is_compiling():
                    convolution.weight.data[0, 0, 0] = 9
                return functional.conv1d(functional.pad(x, (300, 0)), weight, dilation=300)

        weight = convolution.weight.detach()
        runnel.torch.export(Changing(), torch.randn(1, 1, 400), time=2)


# Both directions

KINDS = {
    "rnn": nn.RNN,
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


@pytest.mark.parametrize("size", [1, 8, 17])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_layers_in_both_directions(kind, layers, size, tmp_path, run_tool):
    module = KINDS[kind](3, size, layers, bidirectional=True, batch_first=size != 8).eval()
    path = tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 6, 3) if size != 8 else torch.randn(6, 1, 3), path)
    check_directions(module, model, path, run_tool, size != 8)


def check_directions(module, model, path, run_tool, batch_first=True):
    for length in (1, 33, 100):
        frames = frames_of(length, 3, length)
        sequence = torch.from_numpy(frames).double()
        with torch.no_grad():
            result = module.double()(sequence[None] if batch_first else sequence[:, None])
        module.float()
        result = result[0] if isinstance(result, tuple) else result
        expected = result.reshape(length, -1).numpy()
        assert_close(Session(model).run(frames), expected)
        assert_close(predicted(run_tool, path, frames), expected)


def test_projections_in_both_directions(tmp_path, run_tool):
    module, path = nn.LSTM(3, 6, 2, bidirectional=True, proj_size=4, batch_first=True).eval(), tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 6, 3), path)
    check_directions(module, model, path, run_tool)


class Around(nn.Module):
    """A layer in both directions between others, from learned states."""

    def __init__(self):
        super().__init__()
        self.front, self.norm = Causal(3, 2, 1, 3, 5), nn.LayerNorm(8)
        self.recurrent, self.behind = (
            nn.GRU(5, 4, bidirectional=True, batch_first=True),
            nn.LSTM(8, 3, batch_first=True),
        )
        self.start = nn.Parameter(torch.randn(2, 1, 4))

    def forward(self, x):
        x = self.front(x.transpose(1, 2)).transpose(1, 2)
        return self.behind(self.norm(self.recurrent(x, self.start)[0]))[0]


def test_both_directions_between_other_layers(tmp_path, run_tool):
    module, path = Around().eval(), tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 8, 3), path)
    check_directions(module, model, path, run_tool)


class Ends(nn.Module):
    """The last states of both directions, with all frames, or alone."""

    def __init__(self, is_alone):
        super().__init__()
        self.recurrent, self.is_alone = nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True), is_alone

    def forward(self, x):
        y, (hidden, _) = self.recurrent(x)
        ends = torch.tanh(torch.cat([hidden[-2], hidden[-1]], -1))
        return ends if self.is_alone else (y, ends)


@pytest.mark.parametrize("is_alone", [True, False])
def test_states_of_both_directions_are_right_in_the_last_row(is_alone, tmp_path, run_tool):
    module, path = Ends(is_alone).eval(), tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 6, 3), path)
    for length in (1, 30):
        frames = frames_of(length, 3)
        with torch.no_grad():
            results = module.double()(torch.from_numpy(frames).double()[None])
        module.float()
        all_frames, ends = (None, results) if is_alone else results
        found = predicted(run_tool, path, frames)
        assert_close(found, Session(model).run(frames))
        assert_close(found[-1, -8:], ends[0].numpy())
        if not is_alone:
            assert_close(found[:, :8], all_frames[0].numpy())
    (run,) = model.golden
    assert_close(Session(model).run(run.frames), run.predictions)


def test_an_embedding_is_reversed(tmp_path, run_tool):
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.recurrent = nn.Embedding(10, 5), nn.GRU(5, 4, bidirectional=True, batch_first=True)

        def forward(self, words):
            return self.recurrent(self.table(words))[0]

    module, path = Words().eval(), tmp_path / "model.runnel"
    runnel.torch.export(module, torch.randint(10, (1, 6)), path)
    words = np.random.default_rng(0).integers(10, size=(20, 1))
    with torch.no_grad():
        expected = module.double()(torch.from_numpy(words).T)[0].numpy()
    assert_close(predicted(run_tool, path, words), expected)


def test_an_exported_program_in_both_directions_is_compared_as_a_whole():
    program = torch.export.export(Ends(True).eval(), (torch.randn(1, 25, 3),))
    model = runnel.torch.export(program)
    assert model.golden[0].frames.shape == (25, 3)


# Within a frame: [1, channels, positions]

WITHIN = {
    "reflected": lambda: nn.Sequential(nn.ReflectionPad1d(3), nn.Conv1d(4, 5, 4, stride=2)),
    "replicated": lambda: nn.Sequential(nn.ReplicationPad1d((1, 2)), nn.Conv1d(4, 4, 3, groups=2)),
    "circular": lambda: nn.Conv1d(4, 4, 3, padding=1, padding_mode="circular"),
    "constant": lambda: nn.ConstantPad1d((2, -3), 0.7),
    "the same": lambda: nn.Conv1d(4, 4, 4, padding="same", dilation=2),
    "valid": lambda: nn.Conv1d(4, 4, 4, padding="valid", bias=False),
    "depthwise": lambda: nn.Conv1d(4, 4, 3, padding=1, groups=4),
    "means": lambda: nn.Sequential(
        nn.AvgPool1d(3, 2, padding=1), nn.AvgPool1d(2, 1, padding=1, count_include_pad=False)
    ),
    "maxima": lambda: nn.Sequential(nn.MaxPool1d(3, 2, padding=1), nn.MaxPool1d(3, 2, ceil_mode=True)),
    "global": lambda: nn.AdaptiveAvgPool1d(1),
    "largest": lambda: nn.AdaptiveMaxPool1d(1),
    "instances": lambda: nn.InstanceNorm1d(4, affine=True),
    "instances of training": lambda: nn.InstanceNorm1d(4, affine=True, track_running_stats=True),
    "groups": lambda: nn.GroupNorm(2, 4),
    "halves": lambda: nn.GLU(1),
}


class Wrapped(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


FUNCTIONS = {
    "amax": lambda x: x.amax(2) - x.amin((1, 2), keepdim=True)[0],
    "max": lambda x: x.max(2).values + x.min(1).values.sum(),
    "of two": lambda x: torch.maximum(x, x.flip(2)) - torch.minimum(x, x.flip(1)),
    "of a constant": lambda x: torch.maximum(x, torch.linspace(-1, 1, 13)) + torch.minimum(torch.zeros(4, 1), x),
}


@pytest.mark.parametrize("name", [*WITHIN, *FUNCTIONS])
def test_within_a_frame(name, tmp_path, run_tool):
    module = (WITHIN[name]() if name in WITHIN else Wrapped(FUNCTIONS[name])).eval()
    with torch.no_grad():
        for value in module.state_dict().values():
            value.uniform_(0.5, 1.5) if value.is_floating_point() and name.startswith("instances of") else None
    path = tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 4, 13), path, states={})
    frames = frames_of(20, 52)
    with torch.no_grad():
        expected = np.stack([module(torch.from_numpy(row.reshape(1, 4, 13))).numpy().ravel() for row in frames])
    assert_close(Session(model).run(frames), expected)
    assert_close(predicted(run_tool, path, frames), expected)


def test_windows_of_positions_beside_time(tmp_path, run_tool):
    """[time, channels, positions]: the batch is time."""
    module = nn.Sequential(nn.Conv1d(4, 5, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), nn.GroupNorm(1, 5)).eval()
    path = tmp_path / "model.runnel"
    runnel.torch.export(module, torch.randn(6, 4, 8), path, time=0)
    frames = frames_of(20, 32)
    with torch.no_grad():
        expected = module(torch.from_numpy(frames).reshape(20, 4, 8)).reshape(20, -1).numpy()
    assert_close(predicted(run_tool, path, frames), expected)


# Refusals


def both(function):
    """A function of what a bidirectional layer gives, [1, time, 8]."""

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent = nn.GRU(3, 4, bidirectional=True, batch_first=True)

        def forward(self, x):
            return function(self.recurrent(x)[0])

    return Module()


def of(function, *modules):
    """A function of modules and x."""

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList(modules)

        def forward(self, x):
            return function(*self.parts, x)

    return Module()


CONV = nn.Conv1d(3, 3, 3)
REFUSALS = {
    "looks ahead": (
        nn.Conv1d(3, 2, 5, padding=2),
        "it looks ahead: the last 2 of 20 frames .* padding on the left only",
    ),
    "looks ahead by a stride": (nn.Conv1d(3, 2, 4, padding=2, stride=2), "it looks ahead: the last 1 of 11 frames"),
    "looks ahead, with a name": (nn.Conv1d(3, 2, 3, padding="same"), "it looks ahead: the last 1 of 20"),
    "looks ahead in a residual": (
        of(lambda c, x: x + c(functional.pad(x, (1, 1))), CONV),
        "known at step 0, 1, 2, … meet such that are known at step 1, 2, 3, …",
    ),
    "frames before the first": (
        nn.Conv1d(3, 2, 3, padding=3),
        "3 frames of zeros before the first one, and windows of 3",
    ),
    "the last frames": (of(lambda x: x[:, :, :-2]), "the last 2 of 20 frames are cut off"),
    "the last frames before a stride": (
        of(lambda c, x: c(x[:, :, :-1]), nn.Conv1d(3, 3, 2, stride=3)),
        "conv1d in .*: the last 1 of 20 frames are cut off",
    ),
    "the last frames before a gate": (
        of(lambda x: x[:, :, :-1][:, :, ::4]),
        "slice.*: the last 1 of 20 frames are cut",
    ),
    "the last frames padded": (of(lambda x: functional.pad(x[:, :, :-1], (0, 1))), "the last 1 of 20 frames are cut"),
    "the last frame but one": (of(lambda x: x[:, :, -2]), "frames are mixed, dropped, or not in order"),
    "the last of fewer": (of(lambda x: x[:, :, :-1][:, :, -1]), "the last 1 of 20 frames are cut off"),
    "padding alone": (of(lambda x: functional.pad(x, (3, 0))), "3 frames of zeros stand before the first one"),
    "padding in a sum": (of(lambda x: functional.pad(x, (1, 0))[:, :, :-1] + x), "1 frames of zeros stand before"),
    "padding in a sigmoid": (
        of(lambda c, x: c(torch.sigmoid(functional.pad(x, (2, 0)))), CONV),
        "sigmoid: 2 frames of zeros stand before the first one; expected a convolution of them",
    ),
    "padding in a concatenation": (
        of(lambda x: torch.cat([x, functional.pad(x, (1, 0))[:, :, :-1]], 1)),
        r"a concatenation with \[0, 1\] frames before the first one",
    ),
    "other padding": (of(lambda c, x: c(functional.pad(x, (2, 0), value=1.0)), CONV), "something else than zeros"),
    "reflection": (nn.Sequential(nn.ReflectionPad1d((2, 0)), CONV), "something else than zeros"),
    "something along time": (
        of(lambda c, x: c(torch.cat([torch.ones(1, 3, 2), x], 2)), CONV),
        "a concatenation along time with something else than zeros",
    ),
    "other steps": (of(lambda c, x: c(x)[:, :, ::2] + x[:, :, ::2][:, :, 1:], CONV), "two branches give frames|meet"),
    "other phases": (
        of(lambda x: (x[:, :, ::2], x[:, :, 1::2])),
        "two branches give frames at other steps each: at step 1, 3, 5, …, and at step 0, 2, 4, …",
    ),
    "results of other steps": (
        of(lambda x: (x, x[:, :, 1::2])),
        "result 0 is known at step 0, 1, 2, …, and others are at step 1, 3, 5, …",
    ),
    "last frames of other phases": (
        of(lambda c, x: x[:, :, ::2][:, :, -1] + c(x)[:, :, -1], nn.Conv1d(3, 3, 2)),
        "known at step 0, 2, 4, … meet such that are known at step 1, 2, 3, …",
    ),
    "frames the other way round": (of(lambda x: x.flip(2)), "not in order"),
    "frames twice": (of(lambda x: x.repeat_interleave(2, 2)), "repeat_interleave"),
    "all frames": (nn.Conv1d(3, 2, 20), "leave less than two of 20; expected an example of more frames"),
    "a mean of all": (nn.AdaptiveAvgPool1d(1), "over frames"),
    "padded maxima": (nn.MaxPool1d(3, 1, padding=1), "the largest of frames, with less than zeros"),
    "uneven means": (nn.AvgPool1d(3, 1, padding=1, count_include_pad=False), "the mean of fewer frames at the start"),
    "a norm over frames": (nn.InstanceNorm1d(3), "over frames"),
    "groups over frames": (nn.GroupNorm(1, 3), "over frames"),
    "more positions": (nn.AdaptiveAvgPool1d(4), "an adaptive pooling that gives 4 positions; expected 1"),
    "a transposed convolution": (nn.ConvTranspose1d(3, 3, 2), "conv_transpose1d.*no such operation"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_over_time(name, tmp_path):
    module, text = REFUSALS[name]
    path = tmp_path / "model.runnel"
    with pytest.raises(runnel.ExportError, match=text):
        runnel.torch.export(module.eval(), torch.randn(1, 3, 20), path, time=2)
    assert not path.exists()


class Behind(nn.Module):
    """A layer that sees other frames than there are."""

    def __init__(self, before, bidirectional=False):
        super().__init__()
        self.before = before
        self.recurrent = nn.GRU(3, 4, batch_first=True, bidirectional=bidirectional)

    def forward(self, x):
        return self.recurrent(self.before(x))[0]


SEQUENCE_REFUSALS = {
    "backward behind a gate": (lambda: Behind(lambda x: x[:, ::2], True), "a layer runs backward, and other frames"),
    "a gate behind a layer backward": (lambda: both(lambda y: y[:, ::2]), "frames are known at step 0, 2, 4, … only"),
    "late frames behind a layer backward": (lambda: both(lambda y: y[:, 2:]), "frames are known at step 2, 3, 4, …"),
    "a cell without the last frame": (lambda: Behind(lambda x: x[:, :-1]), "gru.*the last 1 of 12 frames are cut off"),
    "a cell of padding": (lambda: Behind(lambda x: functional.pad(x, (0, 0, 0, 2))), "gru.*it looks ahead: the last 2"),
    "a cell of zeros": (lambda: Behind(lambda x: functional.pad(x, (0, 0, 2, 0))[:, :-2]), "gru.*2 frames of zeros"),
}


@pytest.mark.parametrize("name", SEQUENCE_REFUSALS)
def test_refusals_of_layers(name):
    make, text = SEQUENCE_REFUSALS[name]
    with pytest.raises(runnel.ExportError, match=text):
        runnel.torch.export(make(), torch.randn(1, 12, 3))


@pytest.mark.parametrize("module", [CONV, Causal(3, 1, 1, 3), nn.MaxPool1d(2)])
def test_a_convolution_without_time_is_asked_for_it(module):
    with pytest.raises(runnel.ExportError, match=r"which axis of the input \[1, 3, 20\] is time.*expected time=2"):
        runnel.torch.export(module, torch.randn(1, 3, 20))
    assert runnel.torch.export(module, torch.randn(1, 3, 20), states={}).programs[0].frame_size == 60


def test_a_window_may_be_too_long():
    with pytest.raises(runnel.ExportError, match="windows of 65538 frames; expected at most 65537"):
        runnel.torch.export(nn.Conv1d(1, 1, 2, dilation=65537), torch.randn(1, 1, 65600), time=2)


@pytest.mark.parametrize("groups", [1, 150])
def test_a_long_window_of_many_channels_has_several_states(groups, tmp_path, run_tool):
    module, path = Causal(3, 150, groups, 300, 150), tmp_path / "model.runnel"
    model = runnel.torch.export(module, torch.randn(1, 300, 310), path, time=2)
    assert [state.size for state in model.states] == [218 * 300, 82 * 300]
    frames = frames_of(400, 300)
    assert_close(predicted(run_tool, path, frames), of_module(module, frames, EVERY_STEP))


def test_an_index_at_some_steps_is_refused():
    module = of(lambda table, x: table(x[:, ::2]), nn.Embedding(5, 3))
    with pytest.raises(runnel.ExportError, match="an index is taken at step 0, 2, 4, … only"):
        runnel.torch.export(module, torch.randint(5, (1, 8)), time=1)
    later = of(lambda table, x: table(x[:, 1:])[:, ::2], nn.Embedding(5, 3))
    assert "every" in [
        op.name for op in runnel.torch.export(later, torch.randint(5, (1, 8)), time=1).programs[0].operations
    ]


# Wrong exports


def another_phase(model):
    tensors = [
        Tensor.of(tensor.name, tensor.data + 1) if tensor.name.startswith("every") else tensor
        for tensor in model.tensors
    ]
    return replace(model, tensors=tuple(tensors))


def another_stride(model):
    return changed(model, "every", lambda operation: replace(operation, stride=operation.stride + 1))


def flipped_kernel(model):
    tensors = [
        Tensor.of(tensor.name, tensor.data[:, ::-1]) if tensor.name.endswith(".weight") else tensor
        for tensor in model.tensors
    ]
    return replace(model, tensors=tuple(tensors))


def not_reversed(model):
    """Without the first `reverse`: the frames run forward, and what comes of them is reversed."""
    program = model.programs[0]
    place = next(place for place, operation in enumerate(program.operations) if operation.name == "reverse")
    operations, dropped = list(program.operations), len(program.inputs) + place
    (kept,) = operations.pop(place).operands

    def moved(slot):
        return kept if slot == dropped else slot - (slot > dropped)

    operations = [replace(entry, operands=tuple(moved(slot) for slot in entry.operands)) for entry in operations]
    outputs = [replace(port, slot=moved(port.slot)) for port in program.outputs]
    return replace(model, programs=(replace(program, operations=tuple(operations), outputs=tuple(outputs)),))


def changed(model, name, change):
    program = model.programs[0]
    operations = tuple(change(entry) if entry.name == name else entry for entry in program.operations)
    return replace(model, programs=(replace(program, operations=operations),))


BROKEN = {
    "another phase": (lambda: nn.Conv1d(3, 4, 3, stride=2), 2, another_phase),
    "another stride": (lambda: nn.Conv1d(3, 4, 3, stride=2), 2, another_stride),
    "a flipped kernel": (lambda: Causal(3, 1, 1, 3, 4), 2, flipped_kernel),
    "a direction that is not reversed": (lambda: nn.GRU(3, 4, bidirectional=True, batch_first=True), 1, not_reversed),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_check_sees_wrong_exports(name, monkeypatch, tmp_path):
    make, axis, broken = BROKEN[name]
    module, path = make().eval(), tmp_path / "model.runnel"
    example = torch.randn((1, 20, 3) if axis == 1 else (1, 3, 20))
    runnel.torch.export(module, example, time=axis)

    def wrong(model, *arguments):
        changed_model = broken(model)
        Session(changed_model)  # It is a valid model, all the same.
        return checked(changed_model, *arguments)

    monkeypatch.setattr("runnel.torch.exporting.checked", wrong)
    with pytest.raises(runnel.CheckError):
        runnel.torch.export(module, example, path, time=axis)
    assert not path.exists()


# The core, without a framework


def test_clocks():
    assert EVERY_STEP.after(3, 2) == Clock(3, 2)
    assert Clock(3, 2).after(1, 4) == Clock(5, 8)
    assert Clock(5, 8).within(Clock(3, 2)) == (1, 4)
    assert Clock(3, 2).within(Clock(5, 8)) is Clock(4, 4).within(Clock(3, 4)) is Clock(0, 3).within(Clock(0, 2)) is None
    assert list(Clock(5, 8).steps(22)) == [5, 13, 21]
    assert str(Clock(1, 3)) == "step 1, 4, 7, …"


def test_operations_stand_before_the_gate_that_they_do_not_need():
    builder = Builder()
    x = builder.vector("x", 1)
    doubled = builder.affine(builder.every(x, 2), 2, 0)
    seen = builder.window(x, 2)
    builder.output("y", builder.concatenate([doubled, seen]))
    model = builder.model()
    assert [entry.name for entry in model.programs[0].operations] == ["window", "every", "affine", "concatenate"]
    assert Session(model).run([[1.0], [2.0], [3.0]]).tolist() == [[2, 0, 1], [0, 0, 0], [6, 2, 3]]


def test_a_gate_is_made_once():
    builder = Builder()
    frames = Frames(builder, 12)
    x = Value((1, 12), 1, (builder.vector("x", 1),))
    halves = [frames.moved(x, lambda array: array[:, 1::2]) for _ in range(2)]
    quarter = frames.moved(halves[0], lambda array: array[:, ::2])
    assert (halves[0].clock, quarter.clock, frames.clock) == (Clock(1, 2), Clock(1, 4), Clock(1, 4))
    assert [slot.level for value in (*halves, quarter) for slot in value.slots] == [1, 1, 2]
    builder.output("y", frames.stream(quarter))
    operations = builder.model().programs[0].operations
    assert [(entry.name, entry.stride) for entry in operations] == [("every", 2), ("every", 2)]


def test_a_convolution_over_time_adds_no_gather():
    """Channels stand side by side in the slots, as windows and convolutions want them."""
    builder = Builder()
    frames = Frames(builder, 12)
    x = Value((1, 3, 12), 2, (builder.vector("x", 3),))
    y = frames.convolution(x, np.ones((4, 3, 3)), None, before=2)
    y = frames.convolution(y, np.ones((4, 1, 2)), None, groups=4, dilation=3, before=3)
    builder.output("y", frames.stream(y))
    operations = builder.model().programs[0].operations
    assert [entry.name for entry in operations] == ["window", "dense", "window", "depthwise"]
    assert (y.shape, y.clock, y.lead, frames.reach) == ((1, 4, 12), EVERY_STEP, 0, 5)
