"""PyTorch modules: exported, and run by the reference and by the tool."""

import numpy as np
import pytest
from streaming import assert_close, frames_of, predicted

torch = pytest.importorskip("torch", reason="torch is not installed: what exports its modules is not tested")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import runnel  # noqa: E402
import runnel.torch  # noqa: E402
from runnel import layouts  # noqa: E402
from runnel.torch import cells  # noqa: E402

KINDS = {
    "rnn-tanh": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="tanh", **options),
    "rnn-relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}
INPUT_SIZE = 3


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)
    torch.set_num_threads(1)


# The matrix: cells, layers and sizes, 1,000 frames through the tool


@pytest.mark.parametrize("size", [1, 3, 8, 17, 64, 130])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_layers_agree_after_a_thousand_frames(kind, layers, size, tmp_path, run_tool):
    batch_first, bias = size % 2 == 0, layers != 2
    module = KINDS[kind](INPUT_SIZE, size, layers, batch_first=batch_first, bias=bias).eval()
    path = tmp_path / "model.runnel"
    frames = frames_of(1000, INPUT_SIZE)
    sequence = torch.from_numpy(frames)[None] if batch_first else torch.from_numpy(frames)[:, None]
    runnel.torch.export(module, sequence[:, :5] if batch_first else sequence[:5], path)
    with torch.no_grad():
        expected = module.double()(sequence.double())[0].reshape(1000, size).numpy()
    assert_close(predicted(run_tool, path, frames), expected)


# Modules with a forward of their own


class Tagger(nn.Module):
    """Many kinds of operations around two layers."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(5, 8)
        self.recurrent = nn.GRU(8, 6, 2, batch_first=True, dropout=0.5)
        self.norm = nn.BatchNorm1d(6)
        self.slope = nn.PReLU(6)
        self.decode = nn.Linear(6, 3)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        y, hidden = self.recurrent(functional.relu(self.encode(x)))
        z = self.slope(self.norm(y.transpose(1, 2))).transpose(1, 2) - y * 2
        z = torch.cat([z, functional.silu(y)], -1)[..., 3:9].clamp(-1, 1)
        return functional.softmax(self.decode(z), -1), hidden[-1]


class Stepwise(nn.Module):
    """Two cells, whose states are one tensor that the caller keeps."""

    def __init__(self):
        super().__init__()
        self.lower, self.upper = nn.GRUCell(5, 4), nn.GRUCell(4, 4)

    def forward(self, x, state):
        lower = self.lower(x, state[0])
        upper = self.upper(lower, state[1])
        return upper * 2, torch.stack([lower, upper])


class LastWord(nn.Module):
    """Words in, one answer at the end; the batch comes second."""

    def __init__(self):
        super().__init__()
        self.table, self.recurrent = nn.Embedding(10, 5), nn.LSTM(5, 4)

    def forward(self, words):
        y, _ = self.recurrent(self.table(words).permute(1, 0, 2))
        return y.squeeze(1)[-1]


class Learned(nn.Module):
    """A learned initial state."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.GRU(3, 4, batch_first=True)
        self.start = nn.Parameter(torch.randn(1, 1, 4))

    def forward(self, x):
        return self.recurrent(x, self.start.expand(-1, x.shape[0], -1))[0]


class Bends(nn.Module):
    """Every function of a number that there is."""

    def __init__(self):
        super().__init__()
        self.recurrent, self.norm = nn.RNN(3, 5, batch_first=True), nn.LayerNorm(5)
        nn.init.normal_(self.norm.weight)

    def forward(self, x):
        y = 3 * self.norm(self.recurrent(x)[0])
        bent = [
            functional.elu(y, 0.5),
            functional.selu(y),
            functional.gelu(y),
            functional.gelu(y, approximate="tanh"),
            functional.softplus(y),
            functional.mish(y),
            functional.leaky_relu(y, 0.2),
            functional.hardtanh(y),
            functional.hardsigmoid(y),
            functional.relu6(y),
            functional.silu(y),
            y.abs().sqrt(),
            y / (1 + y.square()),
            y.exp() + y.erf() + y.sigmoid().log() - y.square().log1p() + y.expm1() * y.abs().add(1).rsqrt(),
            functional.log_softmax(20 * y, -1),
            (1 + y**2).log2() - (2 + y**2).log10() + y**3 - (2 + y**2) ** -2,
            2 / (1 + y**2) - y.sigmoid(),
            y - y.mean(-1, keepdim=True),
            functional.normalize(y, dim=-1) * y.sum(-1, keepdim=True),
            y / torch.linalg.norm(y, dim=2, keepdim=True),
        ]
        return torch.cat(bent, -1)


class Smoothed(nn.Module):
    """A state of no cell, and one that is a cell's."""

    def __init__(self):
        super().__init__()
        self.cell, self.weight = nn.GRUCell(3, 4), nn.Linear(4, 3)

    def forward(self, x, slow, hidden):
        slow = 0.9 * slow + 0.1 * x
        hidden = self.cell(x - slow, hidden)
        return self.weight(hidden) * slow, slow, hidden


def test_states_of_no_cell_are_kept(tmp_path, run_tool):
    module, path = Smoothed().eval(), tmp_path / "model.runnel"
    example = (torch.randn(1, 3), torch.zeros(1, 3), torch.zeros(1, 4))
    model = runnel.torch.export(module, example, path, states={"slow": 1})
    assert model.programs[0].frame_size == 3 and len(model.states) == 2
    frames = frames_of(300, 3)
    with torch.no_grad():
        slow, hidden, expected = torch.zeros(1, 3), torch.zeros(1, 4), []
        for frame in torch.from_numpy(frames):
            y, slow, hidden = module(frame[None], slow, hidden)
            expected.append(y.numpy().ravel())
    assert np.abs(predicted(run_tool, path, frames) - np.stack(expected)).max() <= 1e-5


@pytest.mark.parametrize(
    "states, text",
    [
        ({"fast": 1}, "there is no state 'fast'"),
        ({"x": 1}, "there is no state 'x'"),
        ({"slow": 2}, "result 2 follows the state slow"),
        ({"slow": 3}, "result 3 follows the state slow"),
    ],
)
def test_states_that_do_not_fit_are_refused(states, text):
    example = (torch.randn(1, 3), torch.zeros(1, 3), torch.zeros(1, 4))
    with pytest.raises(runnel.ExportError, match=text):
        runnel.torch.export(Smoothed(), example, states=states)


def test_states_of_a_sequence_are_refused():
    with pytest.raises(runnel.ExportError, match="over sequences"):
        runnel.torch.export(nn.GRU(3, 4), (torch.randn(5, 1, 3), torch.zeros(1, 1, 4)), states={"hx": 1})


MODULES = {
    "bends": (Bends, lambda: torch.randn(1, 7, 3)),
    "tagger": (Tagger, lambda: torch.randn(1, 7, 5)),
    "stepwise": (Stepwise, lambda: (torch.randn(1, 5), torch.zeros(2, 1, 4))),
    "last word": (LastWord, lambda: torch.zeros(1, 7, dtype=torch.long)),
    "learned": (Learned, lambda: torch.randn(1, 6, 3)),
    "unbatched": (lambda: nn.RNN(3, 8), lambda: torch.randn(4, 3)),
    "given state": (lambda: nn.LSTM(3, 8, 2), lambda: (torch.randn(4, 1, 3), (torch.zeros(2, 1, 8),) * 2)),
    "projections": (lambda: nn.LSTM(3, 8, 2, proj_size=5), lambda: torch.randn(4, 1, 3)),
    "projections with a given state": (
        lambda: nn.LSTM(3, 8, 2, proj_size=5, bias=False),
        lambda: (torch.randn(4, 1, 3), (torch.zeros(2, 1, 5), torch.zeros(2, 1, 8))),
    ),
    "lstm cell": (lambda: nn.LSTMCell(3, 8), lambda: (torch.randn(1, 3), (torch.zeros(1, 8), torch.zeros(1, 8)))),
    "rnn cell": (lambda: nn.RNNCell(3, 8, nonlinearity="relu"), lambda: (torch.randn(1, 3), torch.zeros(1, 8))),
    "no state": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Hardswish(), nn.Linear(3, 2)), lambda: torch.randn(1, 4)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_exported_and_proved_by_the_tool(name, tmp_path, run_tool):
    make, example = MODULES[name]
    path = tmp_path / "model.runnel"
    model = runnel.torch.export(make(), example(), path)
    assert len(model.golden[0].frames) == 16
    result = run_tool("verify", path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_predictions_of_a_module_are_those_of_the_tool(tmp_path, run_tool):
    module, path = Tagger().eval(), tmp_path / "tagger.runnel"
    frames = frames_of(1000, 5)
    runnel.torch.export(module, torch.randn(1, 5, 5), path)
    with torch.no_grad():
        expected = module(torch.from_numpy(frames)[None])[0][0].numpy()
    assert np.abs(predicted(run_tool, path, frames) - expected).max() <= 1e-5


def test_an_answer_at_the_end_is_that_of_every_prefix():
    module = LastWord().eval()
    session = runnel.Session(runnel.torch.export(module, torch.zeros(1, 3, dtype=torch.long)))
    words = [3, 1, 4, 1, 5]
    for count in range(1, 6):
        with torch.no_grad():
            expected = module(torch.tensor([words[:count]])).numpy().ravel()
        assert np.allclose(session.step([words[count - 1]]), expected, atol=1e-6)


def test_a_module_is_left_as_it_was():
    module = Tagger().train()
    runnel.torch.export(module, torch.randn(1, 7, 5))
    assert module.training and module.norm.training


def test_given_frames_are_the_golden_ones(tmp_path):
    frames = frames_of(20, 3)
    model = runnel.torch.export(nn.GRU(3, 4), torch.randn(5, 1, 3), frames=frames)
    assert np.array_equal(model.golden[0].frames, frames[:16])


# Wrong exports


def swapped(w, r, b):
    order = np.r_[4:8, 0:4, 8:16]
    return w[order], r[order], b[order]


def test_swapped_gates_are_caught(monkeypatch, tmp_path):
    original = layouts.torch_lstm
    monkeypatch.setattr(layouts, "torch_lstm", lambda *weights, **named: swapped(*original(*weights, **named)))
    caught(nn.LSTM(3, 4), tmp_path)


def test_the_other_reset_is_caught(monkeypatch, tmp_path):
    original = layouts.torch_gru

    def before(self, builder, x, weights, starts, name):
        w, r, b, d = original(*weights)
        return builder.gru_reset_before(x, w, r, b + np.concatenate([np.zeros(2 * len(d)), d]), name=name)

    monkeypatch.setattr(type(cells._KINDS["gru"]), "add", before)
    caught(nn.GRU(3, 4), tmp_path)


def test_a_dropped_layer_is_caught(monkeypatch, tmp_path):
    original = type(cells._KINDS["gru"]).add

    def first_only(self, builder, x, weights, starts, name):
        return x if name.endswith(".1") else original(self, builder, x, weights, starts, name)

    monkeypatch.setattr(type(cells._KINDS["gru"]), "add", first_only)
    caught(nn.GRU(3, 4, 2), tmp_path)


def test_a_doubled_bias_is_caught(monkeypatch, tmp_path):
    original = layouts.torch_rnn

    def doubled(*weights, **named):
        w, r, b = original(*weights, **named)
        return w, r, 2 * b

    monkeypatch.setattr(layouts, "torch_rnn", doubled)
    caught(nn.RNN(3, 4), tmp_path)


def caught(module, folder):
    path = folder / "model.runnel"
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.torch.export(module, torch.randn(5, 1, 3), path)
    assert not path.exists()


# Refusals


class Around(nn.Module):
    """A GRU with something done to what goes in or comes out."""

    def __init__(self, before=None, after=None, **layers):
        super().__init__()
        self.recurrent = nn.GRU(3, 4, batch_first=True)
        self.before, self.after = before or (lambda self, x: x), after or (lambda self, y: y)
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.after(self, self.recurrent(self.before(self, x))[0])


class CellOfZeros(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    def forward(self, x):
        return self.cell(x)


class CellStateOut(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 4)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h + c, h, c


class Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    def forward(self, x, h):
        return self.cell(x, h) * 2


SEQUENCE = (1, 6, 3)
CELL_INPUTS = ((1, 3), (1, 4), (1, 4))
REFUSALS = {
    "a mean over time": (
        lambda: Around(after=lambda self, y: y.mean(1)),
        SEQUENCE,
        "mean: a sum, or a mean, over frames",
    ),
    "time turned round": (lambda: Around(before=lambda self, x: x.flip(1)), SEQUENCE, "flip: frames are mixed"),
    "the first frame": (lambda: Around(after=lambda self, y: y[:, 0]), SEQUENCE, "select: frames are mixed"),
    "fewer frames": (
        lambda: Around(after=lambda self, y: y[:, :-1]),
        SEQUENCE,
        "the last 1 of [0-9]+ frames are cut off",
    ),
    "the last frame with all": (lambda: Around(after=lambda self, y: y + y[:, -1:]), SEQUENCE, "last frame"),
    "a norm over frames": (
        lambda: Around(after=lambda self, y: self.n(y), n=nn.LayerNorm((6, 4))),
        SEQUENCE,
        "layer_norm in n: a layer norm over",
    ),
    "a convolution": (
        lambda: Around(after=lambda self, y: self.n(y[None]), n=nn.Conv2d(1, 1, 3)),
        SEQUENCE,
        "conv2d in n: there is no such operation",
    ),
    "a cumulative sum": (lambda: Around(after=lambda self, y: y.cumsum(1)), SEQUENCE, "cumsum"),
    "a bias for each frame": (
        lambda: Around(after=lambda self, y: y + torch.arange(6.0)[:, None]),
        SEQUENCE,
        "add: a constant is another one for each frame",
    ),
    "one frame": (lambda: nn.GRU(3, 4, batch_first=True), (1, 1, 3), "axis 1 of"),
    "a batch": (lambda: nn.GRU(3, 4, batch_first=True), (2, 5, 3), "batch of 2"),
    "a cell of zeros": (CellOfZeros, CELL_INPUTS[:1], "starts anew in each frame"),
    "a cell state given out": (CellStateOut, CELL_INPUTS, "a cell state is used"),
    "a state that does not come out": (Forgetful, CELL_INPUTS[:2], "the state h goes in"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_name_the_operation_and_the_reason(name, tmp_path):
    make, shapes, text = REFUSALS[name]
    example = torch.randn(shapes) if isinstance(shapes[0], int) else tuple(torch.randn(shape) for shape in shapes)
    path = tmp_path / "model.runnel"
    with pytest.raises(runnel.ExportError, match=text):
        runnel.torch.export(make(), example, path)
    assert not path.exists()


def test_a_forward_that_cannot_be_traced_is_refused():
    class Branches(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(runnel.ExportError, match="cannot trace"):
        runnel.torch.export(Branches(), torch.randn(1, 3))
