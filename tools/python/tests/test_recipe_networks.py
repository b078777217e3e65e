"""Networks of recipes in PyTorch: whole minibatches, windows, losses, and what is exported of them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from recipe_folders import (
    ENCODE_DECODE,
    FRAMES,
    NAMING,
    NUMBERS,
    ONE,
    START_STEP,
    TEXT,
    WRITING,
    write_data,
    write_recipe,
)

import runnel
from runnel.command import main
from runnel.errors import CheckError, ExportError, RecipeError
from runnel.recipes import read_data, read_recipe
from runnel.safetensors import encode, read_all

torch = pytest.importorskip("torch", reason="torch is not installed: training in PyTorch is not tested")

from runnel.recipes import exporting, layers
from runnel.recipes.losses import loss_sum, metric_sum
from runnel.recipes.minibatches import Visit, epoch_order, visits
from runnel.recipes.module import Network, rows_of
from runnel.recipes.normalisation import normalisations
from runnel.recipes.optimizers import Average
from runnel.recipes.schedules import Schedule
from runnel.recipes.sequences import Sequence
from runnel.recipes.settings import Settings
from runnel.recipes.splitting import split
from runnel.recipes.streams import Streams, target_count
from runnel.recipes.trained import KEY, Trained, write_trained
from runnel.recipes.windows import Window

CELLS = {
    "rnn with tanh": {"kind": "rnn", "hidden": 4},
    "rnn with relu": {"kind": "rnn", "hidden": 4, "activation": "relu"},
    "lstm": {"kind": "lstm", "hidden": 4},
    "gru, reset after": {"kind": "gru", "hidden": 4},
    "gru, reset before": {"kind": "gru", "hidden": 4, "variant": "reset-before"},
}
DISTURBING = [{"kind": "offset", "deviation": 0.5}, {"kind": "noise", "deviation": 0.1}]


def of_cell(cell):
    """A network with two cells of a kind and everything else that one program may have."""
    more = [{"kind": "dense", "size": 5}, {"kind": "tanh"}, cell, {"kind": "relu"}, {"kind": "dropout", "rate": 0.1}]
    after = [{"kind": "sigmoid"}, {"kind": "dense"}]
    return ONE | {"normalise": True, "layers": [*DISTURBING, cell, *more, *after]}


NETWORKS = {name: (FRAMES, of_cell(cell)) for name, cell in CELLS.items()} | {
    "encode and decode": (WRITING, ENCODE_DECODE),
    "start and step": (NAMING, START_STEP),
    "a text": (TEXT | {"sequenceLength": 4}, ONE),
    "an index": (TEXT | {"input": "index"}, ONE | {"layers": [{"kind": "embedding", "size": 3}, *ONE["layers"]]}),
    "numbers": (
        {
            "kind": "frames",
            "train": "train.csv",
            "sequence": "s",
            "targets": ["a"],
            "features": ["b"],
            "predict": "every",
        },
        ONE | {"loss": "mean-squared-error"},
    ),
}


class Made:
    """A recipe's data with a network of random weights."""

    def __init__(self, folder, data, network):
        write_data(folder, **({"tsv": NUMBERS} if data.get("input") == "numbers" else {}))
        self.recipe = read_recipe(write_recipe(folder, data, network))
        self.data = read_data(self.recipe)
        self.specification = self.recipe.network.specified(self.data.inputs, self.data.output_size)
        self.normalisations = normalisations(self.specification, self.data.training, self.recipe.path, ())
        torch.manual_seed(1)
        self.network = Network(self.specification).eval()

    def trained(self):
        parameters = {name: values.numpy() for name, values in self.network.state_dict().items()}
        golden = [sequence.inputs for sequence in self.data.training]
        return Trained(self.specification, self.normalisations, parameters, golden, {"name": ("mine",)})

    def summed_loss(self, sequences, window=None):
        """The loss of sequences that run together, window by window."""
        found = sorted(sequences, key=lambda sequence: -sequence.length)
        all_visits = [Visit(sequence, 0, sequence.length) for sequence in found]
        streams = Streams(all_visits, self.specification, self.normalisations, torch.device("cpu"))
        total, states, window = 0, (), window or found[0].length
        for start in range(0, found[0].length, window):
            rows, places, targets = streams.window(start, window)
            outputs, states = self.network(streams.contexts() if start == 0 else [], rows, states)
            if len(places):
                total = total + loss_sum(self.specification.loss, outputs[places], targets)
        return total

    def gradients(self, total):
        parameters = list(self.network.parameters())
        return torch.cat([part.flatten() for part in torch.autograd.grad(total, parameters)])


@pytest.fixture(params=NETWORKS)
def made(request, tmp_path):
    return Made(tmp_path, *NETWORKS[request.param])


# Minibatches


def test_sequences_of_many_lengths_give_together_what_each_gives_alone(made):
    sequences = made.data.training
    together = made.summed_loss(sequences)
    alone = sum(made.summed_loss([sequence]) for sequence in sequences)
    assert abs(together - alone) <= 1e-5 * abs(alone)
    assert torch.allclose(made.gradients(together), made.gradients(alone), rtol=1e-4, atol=1e-5)


def test_a_frame_of_padding_that_the_network_reads_is_seen(tmp_path):
    made = Made(tmp_path, WRITING, ENCODE_DECODE)
    sequences = made.data.training
    longest = max(len(sequence.inputs[0]) for sequence in sequences)
    padded = [
        replace(entry, inputs=(np.pad(entry.inputs[0], (0, longest - len(entry.inputs[0]))), entry.inputs[1]))
        for entry in sequences
    ]
    alone = sum(made.summed_loss([sequence]) for sequence in sequences)
    assert abs(made.summed_loss(padded) - alone) > 1e-3 * abs(alone)


def test_windows_carry_the_states_on(made):
    whole = made.summed_loss(made.data.training)
    assert abs(made.summed_loss(made.data.training, window=2) - whole) <= 1e-5 * abs(whole)


def test_windows_that_forget_the_states_are_seen(made, monkeypatch):
    whole = made.summed_loss(made.data.training)
    forward = Network.forward
    monkeypatch.setattr(Network, "forward", lambda *arguments: (forward(*arguments)[0], ()))
    assert abs(made.summed_loss(made.data.training, window=1) - whole) > 1e-4 * abs(whole)


def test_windows_let_no_gradient_through(tmp_path):
    made = Made(tmp_path, WRITING, ENCODE_DECODE)
    sequences = [sequence for sequence in made.data.training if sequence.length > 2]
    whole = made.gradients(made.summed_loss(sequences))
    assert not torch.allclose(made.gradients(made.summed_loss(sequences, window=1)), whole, rtol=1e-2, atol=1e-2)


def test_a_process_without_sequences_adds_nothing(made):
    streams = Streams([], made.specification, made.normalisations, torch.device("cpu"))
    rows, places, targets = streams.window(0, 10)
    outputs, _ = made.network(streams.contexts(), rows)
    assert len(outputs) == 1 and len(places) == 0 and targets is None
    gradients = torch.autograd.grad(outputs[places].sum(), list(made.network.parameters()))
    assert all((gradient == 0).all() for gradient in gradients)


def test_targets_are_counted_in_each_window():
    at_last = Sequence((np.zeros((5, 1)),), np.zeros(1, int), True)
    at_all = Sequence((np.zeros((3, 1)),), np.zeros(3, int), False)
    both = [Visit(at_last, 0, 5), Visit(at_all, 0, 3)]
    assert [target_count(both, start, 2) for start in (0, 2, 4)] == [2, 1, 1]
    assert target_count(both, 0, 5) == 4


def test_a_window_without_streams_in_order_is_refused():
    with pytest.raises(ValueError, match="expected the longest first"):
        Window([1, 2])
    assert Window([2, 1]).active.tolist() == [2, 1]


# Disturbances


def test_an_offset_is_one_for_all_frames_of_a_stream():
    offset, window = layers.Offset(1.0).train(), Window([3, 2])
    rows, state = offset(torch.zeros(5, 4), window, None)
    by_stream = [rows[[0, 2, 4]], rows[[1, 3]]]
    assert all((part == part[0]).all() for part in by_stream) and not torch.equal(rows[0], rows[1])
    later, _ = offset(torch.zeros(1, 4), Window([1, 0]), state)
    assert torch.equal(later[0], rows[0])


def test_disturbances_are_for_training_only():
    x = torch.randn(5, 4)
    for layer in (layers.Offset(1.0), layers.Noise(1.0)):
        arguments = (x, Window([3, 2]), None) if isinstance(layer, layers.Offset) else (x,)
        disturbed, calm = layer.train()(*arguments), layer.eval()(*arguments)
        if isinstance(layer, layers.Offset):
            disturbed, calm = disturbed[0], calm[0]
        assert torch.equal(calm, x) and not torch.allclose(disturbed, x)


@pytest.mark.parametrize("data", [WRITING, TEXT, TEXT | {"input": "index"}], ids=["programs", "one-hot", "index"])
def test_scheduled_sampling_gives_the_network_what_it_would_have_written(data, tmp_path):
    embedding = [{"kind": "embedding", "size": 3}] if data.get("input") == "index" else []
    network = ENCODE_DECODE if data is WRITING else ONE | {"layers": embedding + ONE["layers"]}
    made = Made(tmp_path, data, network)
    sequence = made.data.training[0]
    streams = Streams(
        [Visit(sequence, 0, sequence.length)], made.specification, made.normalisations, torch.device("cpu")
    )
    rows, _, _ = streams.window(0, sequence.length)
    contexts = streams.contexts()
    sampled, _ = made.network(contexts, rows, sampling=1.0)
    taught, _ = made.network(contexts, rows)
    assert torch.equal(sampled[0], taught[0]) and not torch.allclose(sampled, taught)
    # Step by step, by hand.
    frame, states, written = sequence.inputs[-1][:1], (), []
    for step in range(sequence.length):
        one = rows_of(Window([1]), [frame], "cpu")
        outputs, states = made.network(contexts if step == 0 else [], one, states)
        written.append(outputs[0])
        best = int(outputs[0].argmax())
        frame = np.array([best]) if frame.ndim == 1 else np.eye(frame.shape[1], dtype=np.float32)[[best]]
    assert torch.allclose(sampled, torch.stack(written), atol=1e-6)


# Losses, schedules, orders

OUTPUTS = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -3.0]])


def test_softmax_cross_entropy_is_that_of_its_definition():
    classes = np.array([2, 1])
    logs = OUTPUTS - np.log(np.exp(OUTPUTS).sum(axis=1, keepdims=True))
    right = -logs[[0, 1], classes]
    found = loss_sum("softmax-cross-entropy", torch.tensor(OUTPUTS), torch.tensor(classes))
    assert float(found) == pytest.approx(right.sum())
    found = loss_sum("softmax-cross-entropy", torch.tensor(OUTPUTS), torch.tensor(classes), 0.3)
    assert float(found) == pytest.approx((0.7 * right - 0.3 * logs.mean(axis=1)).sum())
    assert float(metric_sum("softmax-cross-entropy", torch.tensor(OUTPUTS), torch.tensor(classes))) == 1


def test_losses_on_numbers_are_means_over_the_outputs():
    targets = np.array([[1.0, 0, 0.5], [0, 1, 0]])
    given = torch.tensor(OUTPUTS), torch.tensor(targets)
    logs = np.log1p(np.exp(OUTPUTS)) - OUTPUTS * targets
    assert float(loss_sum("sigmoid-cross-entropy", *given)) == pytest.approx(logs.mean(axis=1).sum())
    squares = ((OUTPUTS - targets) ** 2).mean(axis=1).sum()
    assert float(loss_sum("mean-squared-error", *given)) == pytest.approx(squares)
    assert float(metric_sum("sigmoid-cross-entropy", *given)) == pytest.approx(2 / 3 + 2 / 3)


def test_schedules_are_those_of_pytorch():
    steps = 40
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=0.01)
    for step in range(steps):
        assert Schedule("cosine", 0.1, final=0.01).at(step / steps, 0) == pytest.approx(cosine.get_last_lr()[0])
        optimizer.step()
        cosine.step()
    # OneCycleLR reaches its ends in the first and the last step, and its peak in step 0.3 (steps) - 1.
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=41, pct_start=13 / 41)
    for step in range(41):
        found = Schedule("one-cycle", 0.1, warm_up=0.3).at(step / 40, 0)
        assert found == pytest.approx(cycle.get_last_lr()[0], rel=1e-6)
        optimizer.step()
        if step < 40:
            cycle.step()


def test_other_schedules_are_those_of_their_definitions():
    assert [Schedule("step", 0.8, factor=0.5, epochs=2).at(0, epoch) for epoch in range(5)] == [0.8, 0.8, 0.4, 0.4, 0.2]
    warm = Schedule("warm-up-cosine", 0.8, 0.2, warm_up=0.5)
    assert [warm.at(fraction, 0) for fraction in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([0, 0.4, 0.8, 0.5, 0.2])


def lengths_of(count):
    random = np.random.default_rng(0)
    return [Sequence((np.zeros((length, 1)),), np.zeros(1, int), True) for length in random.integers(1, 30, count)]


@pytest.mark.parametrize("buckets", [False, True])
def test_an_epoch_visits_every_sequence_once_in_an_order_of_its_own(buckets):
    sequences, settings = lengths_of(103), Settings(1, batch_size=8, buckets=buckets)
    orders = [list(epoch_order(sequences, settings, epoch)) for epoch in (0, 1, 0)]
    assert all(sorted(order) == list(range(103)) for order in orders)
    assert orders[0] == orders[2] != orders[1]


def test_buckets_bring_sequences_of_like_length_together():
    sequences = lengths_of(160)

    def spread(buckets):
        order = epoch_order(sequences, Settings(1, batch_size=8, buckets=buckets), 0)
        lengths = np.array([sequences[number].length for number in order]).reshape(-1, 8)
        return np.ptp(lengths, axis=1).mean()

    assert spread(True) < 4 < 15 < spread(False)


def test_crops_are_runs_of_at_least_their_share():
    sequences, settings = lengths_of(50), Settings(1, minimum_crop_fraction=0.5)
    found = visits(sequences, range(50), settings, 0)
    assert [visit.length for visit in found] == sorted((visit.length for visit in found), reverse=True)
    assert all(visit.length >= visit.sequence.length / 2 and visit.stop <= visit.sequence.length for visit in found)
    assert any(visit.length < visit.sequence.length for visit in found) and any(visit.start for visit in found)


def test_validation_gets_the_same_share_of_each_class():
    classes = [0] * 40 + [1] * 10
    sequences = [Sequence((np.zeros((1, 1)),), np.array([number]), True) for number in classes]
    training, validation = split(sequences, 0.2, 3)
    assert len(training) == 40 and [entry.only_class for entry in validation] == [0] * 8 + [1] * 2
    assert split(sequences, 0.0, 3) == (sequences, []) and len(split(sequences[:2], 0.01, 3)[1]) == 1


def test_the_average_forgets_its_start_soon():
    mean, network = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(mean.weight)
    torch.nn.init.ones_(network.weight)
    average = Average(mean, 0.9)
    average.follow(network, 1)
    assert mean.weight.item() == pytest.approx(1 - 2 / 11)
    average.follow(network, 1000)
    assert mean.weight.item() == pytest.approx(1 - 2 / 11 * 0.9)


# Export


def test_the_exported_model_gives_what_the_network_gives(made, tmp_path, run_tool):
    source, output = tmp_path / "mine.safetensors", tmp_path / "mine.runnel"
    write_trained(made.trained(), source)
    assert main([str(source), str(output)]) == 0
    model = runnel.read(output)
    assert [program.name for program in model.programs] == [program.name for program in made.specification.programs]
    for sequence in made.data.training:
        frames = [
            part if constants is None else constants(part)
            for part, constants in zip(sequence.inputs, made.normalisations)
        ]
        parts = [torch.from_numpy(part).float() if part.ndim > 1 else torch.from_numpy(part) for part in frames]
        expected = [values.numpy() for values in made.network.outputs(parts)]
        if made.specification.loss == "softmax-cross-entropy":
            expected[-1] = torch.from_numpy(expected[-1]).softmax(dim=1).numpy()
        session = runnel.Session(model)
        for place, values in enumerate(expected):
            assert np.abs(session.run(sequence.inputs[place], place) - values).max() <= 1e-5
    assert {run.program for run in model.golden} == set(range(len(model.programs)))
    result = run_tool("verify", output)
    assert result.returncode == 0, result.stdout + result.stderr


def test_names_are_those_that_runnel_train_gives(tmp_path):
    model = exporting.model_of(Made(tmp_path, NAMING, START_STEP).trained())
    assert [operation.name for operation in model.programs[0].operations] == [
        "affine",
        "dense",
        "tanh",
        "gather",
        "store",
        "gather",
        "store",
    ]
    assert [tensor.name for tensor in model.tensors] == [
        "start.normalisation.scale",
        "start.normalisation.shift",
        "start.dense0.weights",
        "start.dense0.bias",
        "start.state0.cell",
        "start.state0.hidden",
        "step.embedding0.table",
        "step.lstm0.inputWeights",
        "step.lstm0.recurrentWeights",
        "step.lstm0.bias",
        "step.dense0.weights",
        "step.dense0.bias",
    ]
    assert [(state.name, state.size) for state in model.states] == [
        ("start.state0.hidden", 4),
        ("start.state0.cell", 4),
    ]
    assert [program.outputs[0].name for program in model.programs] == ["state", "prediction"]


def test_an_export_that_is_not_the_network_is_caught(made):
    trained = made.trained()
    model = exporting.model_of(trained)
    assert exporting.checked(model, trained, 1e-5).golden
    name = next(name for name in trained.parameters if name.endswith("bias_hh_l0"))
    trained.parameters[name] = trained.parameters[name] + 0.5
    with pytest.raises(CheckError, match="the export is not the network: in sequence 0"):
        exporting.checked(model, trained, 1e-5)


def test_the_check_may_be_left_out(made, tmp_path):
    source, output = tmp_path / "mine.safetensors", tmp_path / "mine.runnel"
    write_trained(made.trained(), source)
    assert main([str(source), str(output), "--no-check", "--name", "other"]) == 0
    assert runnel.read(output).golden == () and runnel.read(output).metadata["name"] == ("other",)


def changed(header, **changes):
    return {KEY: json.dumps(json.loads(header[KEY]) | changes)}


DAMAGES = {
    "weights that are not there": (
        lambda tensors, header: (tensors.pop("programs.0.layers.1.cell.weight_hh_l0"), header)[1],
        ExportError,
        "there are no weights programs.0.layers.1.cell.weight_hh_l0",
    ),
    "weights too many": (
        lambda tensors, header: (tensors.update(more=np.zeros(1, np.float32)), header)[1],
        ExportError,
        "there are weights more",
    ),
    "weights of another shape": (
        lambda tensors, header: (tensors.update({"programs.0.layers.0.weight": np.zeros((1, 3))}), header)[1],
        ExportError,
        r"programs.0.layers.0.weight has the shape \[1, 3\]",
    ),
    "no frames": (
        lambda tensors, header: ([tensors.pop(name) for name in list(tensors) if name.startswith("golden")], header)[1],
        ExportError,
        "no tensors golden.0.0",
    ),
    "frames of one program": (
        lambda tensors, header: (tensors.pop("golden.0.1"), header)[1],
        ExportError,
        "golden frames of program decode are not there",
    ),
    "an index out of range": (
        lambda tensors, header: (tensors.update({"golden.0.0": np.array([7])}), header)[1],
        ExportError,
        "golden frames of program encode are no indices below 2",
    ),
    "constants of no normalisation": (
        lambda tensors, header: (tensors.update({"normalisation.0.scale": np.zeros(1)}), header)[1],
        ExportError,
        "has normalisation.0.scale",
    ),
    "another version": (lambda tensors, header: changed(header, version=2), RecipeError, "version.*found 2"),
    "no network": (lambda tensors, header: changed(header, network=None), RecipeError, 'no "network"'),
    "metadata that are no texts": (
        lambda tensors, header: changed(header, metadata={"name": [3]}),
        RecipeError,
        r"metadata.name\[0\].*found 3",
    ),
    "no JSON": (lambda tensors, header: {KEY: "{"}, RecipeError, "the end of the file"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_file_that_is_not_whole_is_refused(case, tmp_path):
    damage, kind, message = DAMAGES[case]
    path = tmp_path / "mine.safetensors"
    write_trained(Made(tmp_path, WRITING, ENCODE_DECODE).trained(), path)
    tensors, header = read_all(path)
    exporting.export(path)
    header = damage(tensors, header)
    path.write_bytes(encode(tensors, header))
    with pytest.raises(kind, match=message):
        exporting.export(path)


def test_an_architecture_for_a_file_that_has_its_own_is_refused(tmp_path, capsys):
    path = tmp_path / "mine.safetensors"
    write_trained(Made(tmp_path, TEXT, ONE).trained(), path)
    assert main([str(path), str(tmp_path / "mine.runnel"), "--architecture", str(tmp_path / "recipe.json")]) == 1
    assert "has its network and its frames with it" in capsys.readouterr().err
