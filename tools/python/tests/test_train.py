"""python -m runnel.train: one process and two, interruptions, divergence, files."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
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
from runnel.command import main as export
from runnel.safetensors import read_all

torch = pytest.importorskip("torch", reason="torch is not installed: training in PyTorch is not tested")

from runnel import train
from runnel.recipes import checkpoints, job
from runnel.recipes.interruption import Interruption
from runnel.recipes.trained import HISTORY

SGD = {"optimizer": {"kind": "sgd", "momentum": 0.9}, "schedule": {"kind": "constant", "rate": 0.1}}
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY / "tools" / "python")}


@pytest.fixture
def folder(tmp_path):
    write_data(tmp_path)
    return tmp_path


def run(folder, name="one", *arguments):
    """Trains in this process; gives the exit code."""
    output = folder / f"{name}.safetensors"
    return train.main([str(folder / "recipe.json"), "--output", str(output), "--device", "cpu", "--quiet", *arguments])


def torchrun(folder, *arguments):
    """Trains in two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)


def contents(folder, name="one"):
    """The parameters and the training curve of a file."""
    tensors, header = read_all(folder / f"{name}.safetensors")
    return tensors, json.loads(header[HISTORY])


def assert_equal(found, expected, tolerance=0.0):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.abs(found[name] - values).max() <= tolerance, name


CASES = {
    "one program": (FRAMES | {"lossAt": "every"}, ONE | {"normalise": True}),
    "encode and decode": (WRITING, ENCODE_DECODE),
    "start and step": (NAMING, START_STEP),
}


@pytest.mark.parametrize("case", CASES)
def test_a_recipe_becomes_a_model_that_the_tool_verifies(case, folder, run_tool, capsys):
    data, network = CASES[case]
    if data is NAMING:
        write_data(folder, tsv=NUMBERS)
    more = {"about": "A test", "provenance": ["Made up"], "frameRate": 12.5}
    write_recipe(folder, data, network, {"averaging": 0.9, "validationFraction": 0.3, "patience": 2}, **more)
    assert run(folder) == 0
    assert "runnel-export" in capsys.readouterr().out
    output = folder / "one.runnel"
    assert export([str(folder / "one.safetensors"), str(output)]) == 0
    assert run_tool("verify", output).returncode == 0
    metadata = runnel.read(output).metadata
    assert metadata["name"] == ("mine",) and metadata["frameRate"] == ("12.5",)
    assert metadata["provenance"][:2] == ("A test", "Made up") and "seed 0, epoch" in metadata["provenance"][2]
    assert metadata.get("end") == (None if data["kind"] == "frames" else ("<end>",))
    assert not (folder / "one.checkpoint").exists()


@pytest.mark.parametrize("case", CASES)
def test_the_model_is_that_of_runnel_train_but_for_its_weights(case, folder, run_tool):
    data, network = CASES[case]
    if data is NAMING:
        write_data(folder, tsv=NUMBERS)
    path = write_recipe(folder, data, network, frameRate=12.5)
    assert run(folder) == 0
    assert export([str(folder / "one.safetensors"), str(folder / "one.runnel")]) == 0
    trained = run_tool("train", path, "--output", folder / "two.runnel", "--quiet")
    assert trained.returncode == 0, trained.stderr
    one, two = runnel.read(folder / "one.runnel"), runnel.read(folder / "two.runnel")
    assert one.metadata | {"provenance": ()} == two.metadata | {"provenance": ()}
    assert one.programs == two.programs and one.states == two.states
    for found, expected in zip(one.tensors, two.tensors, strict=True):
        assert (found.name, found.shape) == (expected.name, expected.shape)
        if "normalisation" in found.name:
            assert np.array_equal(found.data, expected.data)
    for found, expected in zip(one.golden, two.golden, strict=True):
        assert (found.program, found.resets) == (expected.program, expected.resets)
        assert np.array_equal(found.frames, expected.frames)


def test_a_network_learns_what_the_recipe_asks_for(folder, run_tool):
    write_recipe(folder, TEXT | {"text": "hello", "labels": list("helo")}, ONE, SGD | {"epochs": 60, "batchSize": 1})
    assert run(folder) == 0
    _, history = contents(folder)
    assert len(history) == 60 and history[-1]["training"]["accuracy"] == 1
    assert history[-1]["training"]["loss"] < 0.1 < 1 < history[0]["training"]["loss"]
    export([str(folder / "one.safetensors"), str(folder / "one.runnel")])
    written = run_tool("sample", folder / "one.runnel", "--prompt", "h", "--length", "4", "--temperature", "0")
    assert written.stdout.strip().endswith("ello")


@pytest.mark.parametrize("kind", ["sgd", "rmsprop", "adam", "adamw"])
def test_every_optimizer_lowers_the_loss(kind, folder):
    training = {"optimizer": {"kind": kind}, "schedule": {"kind": "constant", "rate": 0.02}, "epochs": 6}
    write_recipe(folder, WRITING, ENCODE_DECODE, training | {"batchSize": 3})
    assert run(folder) == 0
    losses = [record["training"]["loss"] for record in contents(folder)[1]]
    assert losses[-1] < losses[0]


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(folder):
    layers = [{"kind": "noise", "deviation": 0.1}, {"kind": "dropout", "rate": 0.2}, *ONE["layers"]]
    write_recipe(folder, FRAMES, ONE | {"layers": layers}, {"minimumCropFraction": 0.5})
    for name, seed in (("one", "5"), ("two", "5"), ("three", "6")):
        assert run(folder, name, "--seed", seed) == 0
    assert_equal(contents(folder, "two")[0], contents(folder)[0])
    weights = "programs.0.layers.3.weight"
    assert not np.allclose(contents(folder, "three")[0][weights], contents(folder)[0][weights])


# Interruptions


def test_a_run_that_was_interrupted_resumes_to_the_same_bits(folder, monkeypatch, capsys):
    layers = [*ENCODE_DECODE["programs"][1]["layers"][:2], {"kind": "dropout", "rate": 0.2}, {"kind": "dense"}]
    network = ENCODE_DECODE | {"programs": [ENCODE_DECODE["programs"][0], {"name": "decode", "layers": layers}]}
    training = {"epochs": 4, "batchSize": 2, "averaging": 0.9, "validationFraction": 0.2, "scheduledSampling": 0.5}
    write_recipe(folder, WRITING, network, training)
    assert run(folder, "whole") == 0
    asked = iter([False] * 4 + [True])
    with monkeypatch.context() as patched:
        patched.setattr(Interruption, "is_requested", property(lambda self: next(asked)))
        assert run(folder) == 130
    assert "interrupted in epoch 2" in capsys.readouterr().err
    assert (folder / "one.checkpoint").exists() and not (folder / "one.safetensors").exists()
    assert run(folder, "one", "--resume") == 0
    assert_equal(contents(folder)[0], contents(folder, "whole")[0])
    assert contents(folder)[1] == contents(folder, "whole")[1]


def test_ctrl_c_keeps_a_checkpoint(folder):
    write_recipe(folder, TEXT, ONE, {"epochs": 1_000_000})
    command = [sys.executable, "-m", "runnel.train", "recipe.json", "--output", "one.safetensors", "--device", "cpu"]
    process = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    assert "epoch 1/1000000" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "repeat the command with --resume (the checkpoint is one.checkpoint)" in errors and "Traceback" not in errors
    assert (folder / "one.checkpoint").exists()


def interrupted(folder, monkeypatch, name="one"):
    """Leaves a checkpoint."""
    with monkeypatch.context() as patched:
        patched.setattr(Interruption, "is_requested", True)
        assert run(folder, name) == 130


def test_a_checkpoint_of_another_run_is_refused(folder, monkeypatch, capsys):
    write_recipe(folder)
    interrupted(folder, monkeypatch)
    write_recipe(folder, training={"batchSize": 3})
    assert run(folder, "one", "--resume") == 1
    assert "found a checkpoint of another recipe, data or seed" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_refused(folder, monkeypatch, capsys):
    write_recipe(folder)
    interrupted(folder, monkeypatch)
    path = folder / "one.checkpoint"
    data = bytearray(path.read_bytes())
    path.write_bytes(data[: len(data) // 2])
    assert run(folder, "one", "--resume") == 1
    assert "found a damaged checkpoint" in capsys.readouterr().err
    path.unlink()
    assert run(folder, "one", "--resume") == 1
    assert "found no checkpoint" in capsys.readouterr().err


def test_a_checkpoint_that_would_run_code_is_refused(folder, capsys):
    write_recipe(folder)
    torch.save({"format": "runnel checkpoint 1", "mark": os.system, "state": {}}, folder / "one.checkpoint")
    assert run(folder, "one", "--resume") == 1
    assert "found a damaged checkpoint" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_checkpoint_that_is_none_is_left_alone(folder, capsys):
    write_recipe(folder)
    (folder / "one.checkpoint").write_text("mine")
    assert run(folder) == 1
    assert "is not a checkpoint, and is left as it is" in capsys.readouterr().err
    assert (folder / "one.checkpoint").read_text() == "mine"


# Divergence

# The rate explodes in the third epoch.
DIVERGING = {
    "epochs": 6,
    "clipNorm": None,
    "optimizer": {"kind": "sgd"},
    "schedule": {"kind": "step", "rate": 0.1, "factor": 1e30, "epochs": 2},
}
NUMBERS_RECIPE = {"kind": "frames", "train": "train.csv", "targets": ["a"], "features": ["b"], "predict": "every"}


def test_a_run_that_diverges_keeps_its_last_good_checkpoint(folder, capsys):
    write_recipe(folder, NUMBERS_RECIPE, ONE | {"loss": "mean-squared-error"}, DIVERGING)
    (folder / "one.safetensors").write_text("old")
    assert run(folder) == 1
    errors = capsys.readouterr().err
    assert "the training diverged in epoch 4" in errors and '"schedule"' in errors and "one.checkpoint" in errors
    assert (folder / "one.safetensors").read_text() == "old"
    state = torch.load(folder / "one.checkpoint", weights_only=True)["state"]
    assert state["epoch"] >= 2 and all(values.isfinite().all() for values in state["network"].values())


def test_all_processes_stop_when_a_run_diverges(folder):
    write_recipe(folder, NUMBERS_RECIPE, ONE | {"loss": "mean-squared-error"}, DIVERGING)
    result = torchrun(folder, "-m", "runnel.train", "recipe.json", "--output", "one.safetensors", "--device", "cpu")
    assert result.returncode != 0
    assert result.stderr.count("the training diverged in epoch 4") == 1, result.stderr
    assert (folder / "one.checkpoint").exists() and not (folder / "one.safetensors").exists()


# Two processes


@pytest.mark.parametrize("case", ["one program, windows", "two programs, resumed", "two programs, windows"])
def test_two_processes_train_as_one(case, folder, monkeypatch):
    # The last minibatch of each epoch is one sequence, so that one process has none; windows end while others go on.
    tsv = "ab\tba\nabba\tb\nb\tababab\nbab\ta\nbb\tab\naab\tbaa\nba\tbbab\n"
    write_data(folder, tsv=tsv)
    data = {"kind": "lines", "train": "train.tsv", "input": "characters", "predict": "label"}
    one = ONE | {"layers": [{"kind": "embedding", "size": 3}, {"kind": "lstm", "hidden": 4}, {"kind": "dense"}]}
    data, network = (data, one) if case.startswith("one") else (WRITING, ENCODE_DECODE)
    window = {"window": 2} if case.endswith("windows") else {}
    training = SGD | {"epochs": 3, "batchSize": 3, "averaging": 0.8, "labelSmoothing": 0.1, "validationFraction": 0.1}
    write_recipe(folder, data, network, training | window)
    assert run(folder) == 0
    resume = case.endswith("resumed")
    if resume:
        interrupted(folder, monkeypatch, "two")
    options = ["--output", "two.safetensors", "--device", "cpu", *["--resume"] * resume]
    result = torchrun(folder, "-m", "runnel.train", "recipe.json", *options)
    assert result.returncode == 0, result.stderr
    (one, curve), (two, other) = contents(folder), contents(folder, "two")
    assert_equal(two, one, 1e-5)
    for found, expected in zip(other, curve, strict=True):
        for key in ("training", "validation"):
            assert found[key] == pytest.approx(expected[key], abs=1e-5)
    # They are not where they started.
    write_recipe(folder, data, network, training | window | {"schedule": {"kind": "constant", "rate": 1e-9}})
    assert run(folder, "start") == 0
    assert max(np.abs(one[name] - values).max() for name, values in contents(folder, "start")[0].items()) > 1e-2


def test_processes_whose_gradients_stay_their_own_are_seen(folder):
    write_recipe(folder, FRAMES, ONE, SGD | {"batchSize": 2})
    assert run(folder) == 0
    script = folder / "apart.py"
    script.write_text(
        "import sys\nfrom runnel import train\nfrom runnel.recipes.processes import Processes\n"
        "Processes.wrapped = lambda self, network, uses_all: network\n"
        "sys.exit(train.main(['recipe.json', '--output', 'two.safetensors', '--device', 'cpu']))\n"
    )
    result = torchrun(folder, str(script))
    assert result.returncode == 0, result.stderr
    one, two = contents(folder)[0], contents(folder, "two")[0]
    assert max(np.abs(one[name] - values).max() for name, values in two.items()) > 1e-3


def test_processes_that_read_different_data_are_refused(folder):
    write_recipe(folder)
    other = folder / "other"
    other.mkdir()
    write_data(other, "s,a,b,label\n1,1,2,x\n2,1,2,y\n")
    write_recipe(other)
    script = folder / "apart.py"
    script.write_text(
        "import os, sys\nfrom runnel.train import main\n"
        "folder = 'other/' if os.environ['RANK'] == '1' else ''\n"
        "sys.exit(main([folder + 'recipe.json', '--output', 'one.safetensors', '--device', 'cpu']))\n"
    )
    result = torchrun(folder, str(script))
    assert result.returncode != 0 and "have read different recipes or data" in result.stderr, result.stderr


# Files


def test_what_would_be_destroyed_is_refused(folder, capsys):
    write_recipe(folder, FRAMES | {"train": "train.safetensors"})
    (folder / "train.safetensors").write_text("s,a,label\n1,2,x\n2,2,y\n")
    assert run(folder, "train") == 1
    assert "would be replaced, and the training reads it" in capsys.readouterr().err
    assert run(folder, "one", "--checkpoint", str(folder / "recipe.json")) == 1
    assert "recipe.json: would be replaced" in capsys.readouterr().err
    assert run(folder, "one", "--checkpoint", str(folder / "one.safetensors")) == 1
    assert "cannot be the same file" in capsys.readouterr().err
    assert run(folder) == 0


def test_a_name_or_a_folder_that_cannot_be_written_is_refused_before_the_work(folder, capsys):
    recipe = str(write_recipe(folder))
    assert train.main([recipe, "--output", str(folder / "one.pt")]) == 1
    assert "expected a name that ends with .safetensors" in capsys.readouterr().err
    assert train.main([recipe, "--output", str(folder / "gone" / "one.safetensors")]) == 1
    assert "found no folder" in capsys.readouterr().err


def test_a_recipe_that_is_wrong_is_one_line_without_a_trace(folder, capsys):
    path = write_recipe(folder, training={"epochs": 0})
    assert run(folder) == 1
    errors = capsys.readouterr().err
    assert errors.startswith(f"runnel.train: {path}: line ") and errors.count("\n") == 1
    assert run(folder.parent / "gone") == 1
    assert "No such file" in capsys.readouterr().err


def test_a_gpu_that_is_not_there_is_refused(folder, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    write_recipe(folder)
    assert run(folder, "one", "--device", "cuda") == 1
    assert "found 0 GPUs for 1 processes" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named(folder, monkeypatch, capsys):
    write_recipe(folder)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "runnel.recipes.job")
    monkeypatch.delitem(sys.modules, "runnel.recipes.checkpoints")
    assert run(folder) == 1
    assert "the package torch is missing: pip install 'runnel[torch]'" in capsys.readouterr().err


def test_what_cannot_be_exported_is_refused_before_the_work(folder, capsys, monkeypatch):
    monkeypatch.setattr(runnel.validation, "MAX_DIMENSION", 8)
    monkeypatch.setattr(job.Run, "train_minibatch", lambda self: pytest.fail("it was trained"))
    write_recipe(folder)
    assert run(folder) == 1
    assert "expected 1 to 8" in capsys.readouterr().err


def test_fingerprints_tell_data_apart(folder):
    from runnel.recipes import read_data, read_recipe

    recipe = read_recipe(write_recipe(folder))
    sequences = read_data(recipe).training
    specification = recipe.network.specified(read_data(recipe).inputs, 2)
    mark = checkpoints.fingerprint(specification, recipe.settings, sequences)
    assert mark == checkpoints.fingerprint(specification, recipe.settings, read_data(recipe).training)
    sequences[0].inputs[0][0, 0] += 1
    assert mark != checkpoints.fingerprint(specification, recipe.settings, sequences)
