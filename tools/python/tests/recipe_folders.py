"""Folders with a recipe and its data."""

import json

ONE = {"layers": [{"kind": "gru", "hidden": 4}, {"kind": "dense"}], "loss": "softmax-cross-entropy"}
ENCODE_DECODE = {
    "programs": [
        {"name": "encode", "layers": [{"kind": "embedding", "size": 3}, {"kind": "gru", "hidden": 5}]},
        {
            "name": "decode",
            "layers": [{"kind": "embedding", "size": 3}, {"kind": "gru", "hidden": 5}, {"kind": "dense"}],
        },
    ],
    "loss": "softmax-cross-entropy",
}
START_STEP = {
    "programs": [
        {
            "name": "start",
            "normalise": True,
            "layers": [
                {"kind": "dense", "size": 8},
                {"kind": "tanh"},
                {"kind": "state", "hidden": 4, "cell": True},
            ],
        },
        {
            "name": "step",
            "layers": [{"kind": "embedding", "size": 3}, {"kind": "lstm", "hidden": 4}, {"kind": "dense"}],
        },
    ],
    "loss": "softmax-cross-entropy",
}
TEXT = {"kind": "text", "text": "hello, hello", "input": "one-hot"}
WRITING = {"kind": "lines", "train": "train.tsv", "input": "characters", "predict": "characters"}
NAMING = {"kind": "lines", "train": "train.tsv", "input": "numbers", "predict": "words"}
FRAMES = {"kind": "frames", "train": "train.csv", "sequence": "s", "label": "label", "predict": "last"}

# Three sequences of three lengths.
CSV = "s,a,b,label\n1,0.5,-1,x\n1,1,2,x\n1,0.25,0,x\n2,3,1,y\n3,-2,0.5,x\n3,1,1,x\n"
TSV = "ab\tba\nabba\tb\nb\tabab\nbab\ta\nbb\tab\naab\tbaa\n"
NUMBERS = "0 1.5 2\ta two\n1 1 1\ttwo two\n-1 0 3\ta\n"


def write_recipe(folder, data=FRAMES, network=ONE, training=None, **more):
    """Writes recipe.json, and gives its path."""
    recipe = {"name": "mine", "data": data, "network": network, "training": {"epochs": 2} | (training or {}), **more}
    path = folder / "recipe.json"
    path.write_text(json.dumps(recipe, indent=1))
    return path


def write_data(folder, csv=CSV, tsv=TSV):
    (folder / "train.csv").write_text(csv)
    (folder / "train.tsv").write_text(tsv)
