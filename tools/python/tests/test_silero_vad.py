"""A published model, end to end: Silero VAD, whose steps of 512 samples have a spectrum, convolutions and an LSTM."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import wave
import zipfile

import numpy as np
import pytest
from streaming import predicted

import runnel

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'onnx>=1.17'")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs the model, is not installed")

import runnel.onnx
from runnel.command import main

PACKAGE = "silero-vad==6.2.3"

# Files of the package, whose half file holds other weights, with the rate, and the numbers of samples of a step and of
# the context in front of them.
VARIANTS = {
    "opset 15": ("silero_vad_16k_op15.onnx", 16_000, 512, 64),
    "opset 16": ("silero_vad.onnx", 16_000, 512, 64),
    "opset 16 at 8 kHz": ("silero_vad.onnx", 8_000, 256, 32),
    "opset 18": ("silero_vad_op18_ifless.onnx", 16_000, 512, 64),
    "opset 18 at 8 kHz": ("silero_vad_op18_ifless.onnx", 8_000, 256, 32),
}

# Up to the LSTM: a spectrum of [4, 258], its magnitudes [4, 129], and four convolutions.
ENCODER = [
    *("gather", "convolution"),
    *("gather", "multiply", "gather", "multiply", "add", "squareRoot"),
    *("gather", "convolution", "relu", "gather", "convolution", "relu", "dense", "relu", "dense", "relu"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of the package's files, which come from PyPI."""
    folder = tmp_path_factory.mktemp("package")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip(f"{PACKAGE} cannot be downloaded: Silero VAD is not tested")
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder / "silero_vad" / "data"


TEXT = (
    "The quick brown fox jumps over the lazy dog. She had your dark suit in greasy wash water all year. "
    "Nine men walked slowly over the hill, and nobody said a word. How many apples are there in the basket?"
)


def spoken(folder, rate):
    """Two voices of espeak-ng, with pauses; None where it is not installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        return None
    parts = []
    for number, voice in enumerate(("en", "en+f3", "de")):
        path = folder / f"{number}.wav"
        subprocess.run([program, "-v", voice, "-w", str(path), TEXT], check=True, capture_output=True)
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32_768
            places = np.arange(0, len(samples) - 1, file.getframerate() / rate)
        parts += [np.zeros(2 * rate), np.interp(places, np.arange(len(samples)), samples)]
    return np.concatenate(parts)


def synthesised(seconds, rate, seed=3):
    """What sounds a little like speech: vowels of a glottal pulse in resonances, hisses, and pauses."""
    random = np.random.default_rng(seed)
    parts, length = [], 0
    while length < seconds * rate:
        count = int(rate * random.uniform(0.08, 0.3))
        kind = random.choice(["vowel", "vowel", "vowel", "hiss", "pause"])
        if kind == "pause" and random.uniform() < 0.4:
            count *= 8
        time = np.arange(count) / rate
        if kind == "vowel":
            pitch = random.uniform(90, 220) * (1 + 0.1 * np.sin(2 * np.pi * 3 * time))
            phase = 2 * np.pi * np.cumsum(pitch) / rate
            resonances = random.uniform((300, 900, 2200), (800, 2200, 3200))
            part = np.zeros(count)
            for harmonic in range(1, 25):
                frequency = harmonic * pitch
                gain = sum(1 / (1 + ((frequency - middle) / 120) ** 2) for middle in resonances) / harmonic**0.5
                part += gain * np.sin(harmonic * phase) * (frequency < rate / 2)
            part *= np.hanning(count) ** 0.3 * 0.2
        elif kind == "hiss":
            part = np.diff(random.normal(size=count + 1)) * np.hanning(count) * 0.05
        else:
            part = np.zeros(count)
        parts.append(part)
        length += count
    return np.concatenate(parts)


def sound(folder, rate):
    """About a minute of speech with noise that comes and goes, and what made it."""
    samples, name = spoken(folder, rate), "espeak-ng"
    if samples is None:
        samples, name = synthesised(60, rate), "vowels and hisses, as espeak-ng is not installed"
    samples = np.resize(samples, 60 * rate)
    random = np.random.default_rng(1)
    level = 0.02 * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(len(samples)) / (17 * rate)))
    return (samples + level * random.normal(size=len(samples))).astype(np.float32), name


def frames_of(samples, count, context):
    """Steps of so many samples, with the last ones of the step before in front, as the package feeds its models."""
    padded = np.concatenate([np.zeros(context, np.float32), samples])
    return np.stack([padded[at : at + context + count] for at in range(0, len(samples) - count + 1, count)])


def probabilities(path, frames, rate):
    """What onnxruntime gives, frame by frame."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    state, found = np.zeros((2, 1, 128), np.float32), []
    for frame in frames:
        probability, state = session.run(None, {"input": frame[None], "state": state, "sr": np.array(rate)})
        found.append(probability.item())
    return np.array(found)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_minute_is_within_1e_4_of_onnxruntime_and_no_decision_is_another(variant, files, tmp_path, run_tool):
    name, rate, count, context = VARIANTS[variant]
    samples, source = sound(tmp_path, rate)
    frames = frames_of(samples, count, context)
    expected = probabilities(files / name, frames, rate)
    shares = [(expected > 0.5).mean(), (expected < 0.5).mean()]
    assert min(shares) > 0.02, f"of {source}, no frame, or every one, is taken for speech: {shares}"
    path = tmp_path / "vad.runnel"
    shape = {"input": (1, context + count)}
    options = {"states": {"state": "stateN"}, "inputs": {"sr": rate}, "shapes": shape}
    model = runnel.onnx.export(files / name, path, frames=frames[:300], tolerance=1e-4, **options)
    names = [operation.name for operation in model.programs[0].operations]
    if "18" in variant:
        assert names[0] == "recall" and names[1 : 1 + len(ENCODER)] == ENCODER and names[-1] == "store"
    else:
        assert names == [*ENCODER, "lstm", "relu", "dense", "sigmoid"]
    found = predicted(run_tool, path, frames)
    assert found.shape == (len(frames), 1)
    assert np.abs(found[:, 0] - expected).max() <= 1e-4
    assert np.array_equal(found[:, 0] > 0.5, expected > 0.5)


def test_the_graph_of_one_branch_and_one_shape_is_the_same_program(files):
    state = {"states": {"state": "stateN"}}
    model = runnel.onnx.export(files / "silero_vad_openvino_16k.onnx", **state)
    other = runnel.onnx.export(files / "silero_vad.onnx", inputs={"sr": 16_000}, shapes={"input": (1, 576)}, **state)
    assert model.programs == other.programs
    assert all(np.array_equal(a.data, b.data) for a, b in zip(model.tensors, other.tensors, strict=True))


def test_the_graph_over_sequences_is_a_step(files, tmp_path, run_tool):
    """Whose frames are an axis that is a batch to the convolutions, and time to the LSTM."""
    path = tmp_path / "sequence.runnel"
    frames = frames_of(sound(tmp_path, 16_000)[0], 512, 64)
    model = runnel.onnx.export(files / "silero_vad_16k_sequence.onnx", path, frames=frames[:100], tolerance=1e-4)
    assert [operation.name for operation in model.programs[0].operations] == [
        *ENCODER,
        "lstm",
        "relu",
        "dense",
        "sigmoid",
    ]
    session = onnxruntime.InferenceSession(str(files / "silero_vad_16k_sequence.onnx"))
    zeros = np.zeros((1, 1, 128), np.float32)
    expected = session.run(None, {"input": frames, "h": zeros, "c": zeros})[0]
    assert np.abs(predicted(run_tool, path, frames)[:, 0] - expected).max() <= 1e-4


def test_an_export_without_its_rate_is_refused(files):
    with pytest.raises(runnel.ExportError, match="input sr is of the type INT64.*inputs={'sr': …}"):
        runnel.onnx.export(files / "silero_vad.onnx", shapes={"input": (1, 576)})


def test_the_command_exports_it_as_its_help_says(files, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "runnel-export silero_vad.onnx" in line)
    _, source, output, *options = line.split()
    path, other = tmp_path / output, tmp_path / "other.runnel"
    assert main([str(files / source), str(path), *options]) == 0
    named = {"states": {"state": "stateN"}, "inputs": {"sr": 16_000}, "shapes": {"input": (1, 576)}}
    runnel.onnx.export(files / source, other, **named)
    assert path.read_bytes() == other.read_bytes()


def test_an_export_without_its_shape_is_refused_with_what_to_give(files):
    with pytest.raises(runnel.ExportError, match="windows of 256 positions.*shapes={'input': …} gives others"):
        runnel.onnx.export(files / "silero_vad.onnx", states={"state": "stateN"}, inputs={"sr": 16_000})


# Speed

# What `runnel bench` does, with the arguments FILE and COUNT of a frame's numbers: the median of 11 runs of 20 ms or
# more, of each of which the mean counts, over random frames in -1...1. Everything is bound to memory that is allocated
# once, and the state takes turns in two buffers.
ONNXRUNTIME = """
import statistics, sys, time
import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.log_severity_level = 4
options.add_session_config_entry("session.set_denormal_as_zero", "1")
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
frames = np.random.default_rng(1).uniform(-1, 1, (16, 1, int(sys.argv[2]))).astype(np.float32)
states, probability, rate = np.zeros((2, 2, 1, 128), np.float32), np.zeros((1, 1), np.float32), np.array(16_000)
value = onnxruntime.OrtValue.ortvalue_from_numpy
values = [value(array) for array in (*frames, *states, probability, rate)]
bindings = []
for number in range(16):
    binding = session.io_binding()
    binding.bind_ortvalue_input("input", values[number])
    binding.bind_ortvalue_input("state", values[16 + number % 2])
    binding.bind_ortvalue_input("sr", values[19])
    binding.bind_ortvalue_output("output", values[18])
    binding.bind_ortvalue_output("stateN", values[17 - number % 2])
    bindings.append(binding)

def run(nanoseconds):
    start, count, now = time.perf_counter_ns(), 0, 0
    while now < nanoseconds:
        for binding in bindings:
            session.run_with_iobinding(binding)
        count, now = count + len(bindings), time.perf_counter_ns() - start
    return now / count

run(100e6)
assert 0 < probability.item() < 1 and states.any()
print(statistics.median(run(20e6) for _ in range(11)))
"""

ROUNDS, ATTEMPTS, FACTOR = 5, 3, 3


def pinned(attempt):
    """What starts a program on one core, each time another one."""
    cores = sorted(os.sched_getaffinity(0), reverse=True)
    return ["taskset", "-c", str(cores[attempt % len(cores)])] if shutil.which("taskset") else []


def measured(command):
    """What a program prints that measures."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_frame_takes_a_third_of_onnxruntime_s_time_or_less(files, tmp_path, tool):
    """In turns on one core; pytest -s shows the figures. Other programs cost one round or one attempt, not the test."""
    source, path = files / "silero_vad.onnx", tmp_path / "vad.runnel"
    runnel.onnx.export(
        source, path, states={"state": "stateN"}, inputs={"sr": 16_000}, shapes={"input": (1, 576)}, check=False
    )
    figures = []
    for attempt in range(ATTEMPTS):
        theirs, ours = [], []
        for _ in range(ROUNDS):
            theirs.append(measured([*pinned(attempt), sys.executable, "-c", ONNXRUNTIME, source, 576]))
            ours.append(measured([*pinned(attempt), tool, "bench", path, "--json", "--frames", 1000])["medianNs"])
        ratio = statistics.median(theirs) / statistics.median(ours)
        figures.append(
            f"onnxruntime {statistics.median(theirs):,.0f} ns ({min(theirs):,.0f} to {max(theirs):,.0f}), runnel "
            f"{statistics.median(ours):,.0f} ns ({min(ours):,.0f} to {max(ours):,.0f}): {ratio:.1f} times as fast"
        )
        if ratio >= FACTOR:
            break
    print(*figures, sep="\n")
    assert ratio >= FACTOR, figures
