"""PyTorch's cells of one's own: modules of one step, and loops over them."""

import numpy as np
import pytest
from streaming import assert_close, frames_of, predicted

import runnel

torch = pytest.importorskip("torch", reason="torch is not installed: what exports its modules is not tested")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import runnel.torch  # noqa: E402
from runnel.torch import operations  # noqa: E402

I, H = 5, 6


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)
    torch.set_num_threads(1)


# Steps: each takes a frame and states, and gives a result and the states that follow


class NormalisedLSTM(nn.Module):
    """Layer norms of both products of all gates, and of the cell state."""

    def __init__(self):
        super().__init__()
        self.w, self.r = nn.Linear(I, 4 * H, bias=False), nn.Linear(H, 4 * H, bias=False)
        self.norm_w, self.norm_r, self.norm_c = nn.LayerNorm(4 * H), nn.LayerNorm(4 * H), nn.LayerNorm(H)

    def forward(self, x, h, c):
        i, f, g, o = (self.norm_w(self.w(x)) + self.norm_r(self.r(h))).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(self.norm_c(c))
        return h, h, c


class NormalisedGates(nn.Module):
    """A layer norm of each gate; the states are one argument."""

    def __init__(self):
        super().__init__()
        self.w, self.norm_c = nn.Linear(I + H, 4 * H), nn.LayerNorm(H)
        self.norms = nn.ModuleList(nn.LayerNorm(H) for _ in range(4))

    def forward(self, x, state):
        h, c = state
        parts = self.w(torch.cat([x, h], -1)).split(H, -1)
        i, f, g, o = (norm(part) for norm, part in zip(self.norms, parts))
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * self.norm_c(c).tanh()
        return h, (h, c)


class NormalisedGRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.w, self.r = nn.Linear(I, 3 * H), nn.Linear(H, 3 * H)
        self.norm_w, self.norm_r = nn.LayerNorm(2 * H), nn.LayerNorm(2 * H)
        self.norm_n, self.norm_h = nn.LayerNorm(H), nn.LayerNorm(H)

    def forward(self, x, h):
        w, r = self.w(x), self.r(h)
        reset, update = torch.sigmoid(self.norm_w(w[:, : 2 * H]) + self.norm_r(r[:, : 2 * H])).chunk(2, 1)
        n = torch.tanh(self.norm_n(w[:, 2 * H :]) + reset * self.norm_h(r[:, 2 * H :]))
        h = torch.lerp(n, h, update)
        return h, h


class SimpleRecurrentUnit(nn.Module):
    """An SRU: no product with the state, and a highway round it."""

    def __init__(self):
        super().__init__()
        self.w = nn.Linear(I, 3 * I, bias=False)
        self.v, self.b = nn.Parameter(torch.randn(2, I)), nn.Parameter(torch.randn(2, I))

    def forward(self, x, c):
        u, f, r = self.w(x).view(-1, 3, I).unbind(1)
        f = torch.sigmoid(f + self.v[0] * c + self.b[0])
        r = torch.sigmoid(r + self.v[1] * c + self.b[1])
        c = f * c + (1 - f) * u
        return r * c.tanh() + (1 - r) * x, c


class QuasiRecurrent(nn.Module):
    """A QRNN: gates of this frame and of the one before."""

    def __init__(self):
        super().__init__()
        self.w = nn.Linear(2 * I, 3 * H)

    def forward(self, x, last, c):
        z, f, o = self.w(torch.cat([last, x], 1)).chunk(3, 1)
        c = torch.lerp(z.tanh(), c, f.sigmoid())
        return o.sigmoid() * c, x, c


class MinimalGated(nn.Module):
    def __init__(self):
        super().__init__()
        self.f, self.n = nn.Linear(I + H, H), nn.Linear(I + H, H)

    def forward(self, x, h):
        f = torch.sigmoid(self.f(torch.cat((x, h), 1)))
        n = torch.tanh(self.n(torch.cat((x, f * h), 1)))
        h = torch.addcmul((1 - f) * h, f, n)
        return h, h


class CoupledLSTM(nn.Module):
    """The forget gate is 1 - i."""

    def __init__(self):
        super().__init__()
        self.w, self.r = nn.Linear(I, 3 * H), nn.Linear(H, 3 * H, bias=False)

    def forward(self, x, h, c):
        i, g, o = torch.split(self.w(x) + self.r(h), H, 1)
        i = torch.sigmoid(i)
        c = (1 - i) * c + i * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, h, c


class GatedHead(nn.Module):
    """A gated linear unit and a highway layer behind a cell."""

    def __init__(self):
        super().__init__()
        self.cell, self.pair = nn.GRUCell(I, H), nn.Linear(H, 2 * H)
        self.transform, self.gate = nn.Linear(H, H), nn.Linear(H, H)

    def forward(self, x, h):
        h = self.cell(x, h)
        y = functional.glu(self.pair(h))
        gate = self.gate(y).sigmoid()
        return gate * functional.relu(self.transform(y)) + (1 - gate) * y, h


class Pieces(nn.Module):
    """What gates are written with, of this frame, of a state, and of constants."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.randn(I)), nn.Parameter(torch.randn(I))

    def forward(self, x, h):
        gate = torch.sigmoid(x)
        h = torch.lerp(h, x, 0.3)
        parts = [
            functional.logsigmoid(x),
            functional.tanhshrink(x),
            functional.softsign(h),
            torch.lerp(self.a, h, gate),
            torch.lerp(h, self.a, gate),
            torch.lerp(self.a, self.b, gate),
            torch.addcmul(x, h, self.a, value=0.5),
            torch.addcmul(x, self.a, self.b),
            torch.addcmul(self.a, x, h, value=-1),
            functional.glu(torch.stack([x, h]), 0)[0],
        ]
        return torch.cat(parts, 1), h


def zeros(*sizes):
    return tuple(torch.zeros(1, size) for size in sizes)


STEPS = {
    "layer-normalised LSTM": (NormalisedLSTM, zeros(H, H), {"h": 1, "c": 2}),
    "LSTM with a norm of each gate": (NormalisedGates, (zeros(H, H),), {"state_0": 1, "state_1": 2}),
    "layer-normalised GRU": (NormalisedGRU, zeros(H), {"h": 1}),
    "SRU": (SimpleRecurrentUnit, zeros(I), {"c": 1}),
    "QRNN": (QuasiRecurrent, zeros(I, H), {"last": 1, "c": 2}),
    "minimal gated unit": (MinimalGated, zeros(H), {"h": 1}),
    "coupled gates": (CoupledLSTM, zeros(H, H), {"h": 1, "c": 2}),
    "gated head": (GatedHead, zeros(H), None),
    "pieces": (Pieces, zeros(I), {"h": 1}),
}


def step_of(name):
    """A module in double precision with parameters that are no defaults, an example, and its named states."""
    make, starts, states = STEPS[name]
    module = make().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.5)
    return module, (torch.randn(1, I), *starts), states


def stepped(module, starts, frames):
    """The module's results for frames, one after the other, in double precision."""
    module, states = module.double(), torch.utils._pytree.tree_map(torch.Tensor.double, starts)
    rows = []
    with torch.no_grad():
        for frame in torch.from_numpy(frames).double():
            result, *states = module(frame[None], *states)
            rows.append(result.numpy().ravel())
    return np.stack(rows)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_ones_own_agrees_after_a_thousand_frames(name, tmp_path):
    module, example, states = step_of(name)
    model = runnel.torch.export(module, example, tmp_path / "model.runnel", states=states)
    assert model.programs[0].frame_size == I
    assert len(model.states) == len(torch.utils._pytree.tree_leaves(example)) - 1
    frames = frames_of(1000, I)
    session = runnel.Session(runnel.read(tmp_path / "model.runnel"))
    assert_close(session.run(frames), stepped(module, example[1:], frames))


@pytest.mark.parametrize("name", STEPS)
def test_the_tool_gives_what_a_step_gives(name, tmp_path, run_tool):
    module, example, states = step_of(name)
    path = tmp_path / "model.runnel"
    runnel.torch.export(module, example, path, states=states)
    frames = frames_of(300, I)
    assert_close(predicted(run_tool, path, frames), stepped(module, example[1:], frames))


def test_heads_of_a_sequence():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent, self.pair, self.gate = nn.GRU(I, H, batch_first=True), nn.Linear(H, 8), nn.Linear(4, 4)

        def forward(self, x):
            y = functional.glu(self.pair(self.recurrent(x)[0]), -1)
            gate = self.gate(y).sigmoid()
            return gate * y.tanh() + (1 - gate) * y

    module, frames = Heads().eval(), frames_of(300, I)
    model = runnel.torch.export(module, torch.randn(1, 7, I))
    with torch.no_grad():
        expected = module.double()(torch.from_numpy(frames)[None].double())[0].numpy()
    assert_close(runnel.Session(model).run(frames), expected)


def test_halves_of_another_order_are_caught(monkeypatch):
    monkeypatch.setitem(
        operations.TABLE,
        "aten.glu.default",
        lambda frames, x, axis=-1: frames.glu(frames.moved(x, lambda a: np.roll(a, H, axis)), axis),
    )
    module, example, _ = step_of("gated head")
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.torch.export(module, example)


def test_states_that_are_not_named_are_parts_of_the_frame():
    module, example, _ = step_of("coupled gates")
    assert runnel.torch.export(module, example).programs[0].frame_size == I + 2 * H


# Loops


class Loop(nn.Module):
    """A loop over frames with a step of one's own, written in several ways."""

    def __init__(self, step, taken):
        super().__init__()
        self.step, self.taken = step, taken

    def forward(self, x):
        h, results = torch.zeros(1, H), []
        for frame in self.taken(x):
            y, h = self.step(frame, h)
            results.append(y)
        return torch.stack(results, 1)


class CellLoop(nn.Module):
    """A loop with a cell of PyTorch, whose last state is the result."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(I, H)

    def forward(self, x):
        h = torch.zeros(1, H)
        for frame in x.unbind(1):
            h = self.cell(frame, h)
        return h


class GivenState(CellLoop):
    def forward(self, x, h):
        for frame in x:
            h = self.cell(frame, h)
        return h, h


class WithMatrices(nn.Module):
    """Parameters without a layer, transposed in each step."""

    def __init__(self):
        super().__init__()
        self.w, self.r = nn.Parameter(torch.randn(H, I)), nn.Parameter(torch.randn(H, H))

    def forward(self, x):
        h = torch.zeros(1, H)
        for time in range(x.shape[1]):
            h = torch.tanh(x[:, time] @ self.w.T + h @ self.r.T)
        return h


LOOPS = {
    "select": lambda: Loop(MinimalGated(), lambda x: [x[:, time] for time in range(x.shape[1])]),
    "backwards": lambda: Loop(MinimalGated(), lambda x: [x[:, -1 - time] for time in range(x.shape[1])]),
    "slices": lambda: Loop(MinimalGated(), lambda x: [x[:, time : time + 1][:, 0] for time in range(x.shape[1])]),
    "unbind": lambda: Loop(MinimalGated(), lambda x: x.unbind(1)),
    "transposed": lambda: Loop(MinimalGated(), lambda x: list(x.transpose(0, 1))),
    "a gated unit": lambda: Loop(NormalisedGRU(), lambda x: x.unbind(1)),
    "a cell": CellLoop,
    "matrices": WithMatrices,
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("time", [None, 1])
@pytest.mark.parametrize("count", [2, 7])
def test_loops_are_refused_with_what_to_do(name, time, count, tmp_path):
    path = tmp_path / "model.runnel"
    with pytest.raises(runnel.ExportError) as caught:
        runnel.torch.export(LOOPS[name](), torch.randn(1, count, I), path, time=time)
    for part in (f"loops over {count} rows", "the module of one step", "states={'state': 1}"):
        assert part in str(caught.value)
    assert not path.exists()


def test_a_loop_with_a_given_state_is_refused_with_what_to_do():
    with pytest.raises(runnel.ExportError, match="loops over 7 rows"):
        runnel.torch.export(GivenState(), (torch.randn(7, 1, I), torch.zeros(1, H)))


def test_a_loop_is_one_frame_where_it_is_said_to_be():
    module = Loop(NormalisedGRU(), lambda x: x.unbind(1)).eval()
    model = runnel.torch.export(module, torch.randn(1, 3, I), states={})
    assert model.programs[0].frame_size == 3 * I and not model.states
    frame = frames_of(1, 3 * I)
    with torch.no_grad():
        expected = module(torch.from_numpy(frame).reshape(1, 3, I)).numpy().reshape(1, -1)
    assert_close(runnel.Session(model).run(frame), expected)


def test_a_step_may_take_a_block_of_frames():
    class Block(MinimalGated):
        def forward(self, x, h):
            results = []
            for frame in x.unbind(1):
                y, h = super().forward(frame, h)
                results.append(y)
            return torch.stack(results, 1), h

    module = Block().eval()
    model = runnel.torch.export(module, (torch.randn(1, 4, I), torch.zeros(1, H)), states={"h": 1})
    frames = frames_of(40, I)
    rows, h = [], torch.zeros(1, H)
    with torch.no_grad():
        for block in torch.from_numpy(frames).reshape(10, 1, 4, I):
            y, h = module(block, h)
            rows.append(y.numpy().ravel())
    assert_close(runnel.Session(model).run(frames.reshape(10, -1)), np.stack(rows))


def test_rows_that_are_taken_apart_without_a_loop_are_exported():
    class Sides(nn.Module):
        """One layer for both rows of a frame, and one for each."""

        def __init__(self):
            super().__init__()
            self.both, self.left, self.right = nn.Linear(I, H), nn.Linear(H, H), nn.Linear(H, H)

        def forward(self, x):
            left, right = (self.both(row) for row in x.unbind(1))
            return self.left(left).tanh() + self.right(right)

    model = runnel.torch.export(Sides(), torch.randn(1, 2, I))
    assert model.golden and model.programs[0].frame_size == 2 * I


@pytest.mark.parametrize(
    "move",
    [
        lambda x: x[0, 0].unsqueeze(0).expand(3)[None],
        lambda x: x[:, :1] * x[:1, 1:2],
        lambda x: torch.stack(x.unbind(1), 1)[:, 0:1],
    ],
)
def test_numbers_that_are_taken_out_of_a_frame_are_no_loop(move):
    class Moved(nn.Module):
        def forward(self, x):
            return move(x)

    assert runnel.torch.export(Moved(), torch.randn(1, I)).golden
