"""Recipes and their data: what they say, and what is refused, as `runnel train` does."""

import json

import numpy as np
import pytest
from conftest import REPOSITORY
from recipe_folders import (
    CSV,
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
from runnel.errors import RecipeError
from runnel.recipes import read_data, read_recipe

MODELS = REPOSITORY / "models"
LAYER = {"kind": "gru", "hidden": 4}


@pytest.fixture
def folder(tmp_path):
    write_data(tmp_path)
    return tmp_path


def lines(folder, text, network=ONE, **data):
    """The data of lines."""
    (folder / "train.tsv").write_text(text)
    path = write_recipe(folder, {"kind": "lines", "train": "train.tsv", **data}, network)
    return read_data(read_recipe(path))


def columns(sequences):
    """Inputs of the last program, and targets."""
    return [(sequence.inputs[-1].tolist(), sequence.targets.tolist()) for sequence in sequences]


# Against the models that runnel train made


@pytest.mark.parametrize(
    "recipe, model",
    [
        ("vowels/recipe.json", "vowels/vowels.runnel"),
        ("motions/recipe.json", "motions/motions.runnel"),
        ("hello/recipe-lstm.json", "hello/hello-lstm.runnel"),
    ],
)
def test_labels_and_frames_are_those_of_the_model_that_runnel_train_made(recipe, model):
    recipe, model = read_recipe(MODELS / recipe), runnel.read(MODELS / model)
    data = read_data(recipe)
    assert tuple(data.labels) == model.metadata["labels"]
    assert data.entries.get("features") == model.metadata.get("features")
    sequences = data.test or data.training
    for run, sequence in zip(model.golden, sequences):
        assert np.array_equal(run.frames, sequence.inputs[0][: len(run.frames)].astype(np.float32))


def test_normalisation_is_that_of_the_model_that_runnel_train_made():
    from runnel.recipes.normalisation import normalisations

    recipe, model = read_recipe(MODELS / "vowels/recipe.json"), runnel.read(MODELS / "vowels/vowels.runnel")
    data = read_data(recipe)
    specification = recipe.network.specified(data.inputs, data.output_size)
    (found,) = normalisations(specification, data.training, recipe.path, data.entries["features"])
    named = {tensor.name: tensor.data for tensor in model.tensors}
    assert np.allclose(found.scale, named["normalisation.scale"], rtol=1e-6, atol=0)
    assert np.allclose(found.shift, named["normalisation.shift"], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/recipe*.json")), ids=lambda path: path.parent.name)
def test_every_recipe_of_the_repository_is_read(path):
    recipe = read_recipe(path)
    data = read_data(recipe)
    specification = recipe.network.specified(data.inputs, data.output_size)
    assert specification.output_size == len(data.labels)


# Data


def test_classes_are_in_the_order_of_their_values_where_all_are_numbers(folder):
    write_data(folder, "label,a\n10,1\n9,2\n-1,3\n")
    data = FRAMES | {"predict": "every"}
    del data["sequence"]
    assert read_data(read_recipe(write_recipe(folder, data))).labels == ("-1", "9", "10")
    write_data(folder, "label,a\n10,1\n9,2\nx,3\n")
    assert read_data(read_recipe(write_recipe(folder, data))).labels == ("10", "9", "x")


def test_frames_become_sequences_with_a_class_at_the_last_frame(folder):
    data = read_data(read_recipe(write_recipe(folder)))
    assert data.entries == {"features": ("a", "b")} and data.labels == ("x", "y")
    assert columns(data.training) == [
        ([[0.5, -1], [1, 2], [0.25, 0]], [0]),
        ([[3, 1]], [1]),
        ([[-2, 0.5], [1, 1]], [0]),
    ]
    assert all(sequence.is_at_last for sequence in data.training)


def test_training_may_ask_every_frame_and_the_test_does_not(folder):
    (folder / "test.csv").write_text(CSV)
    data = read_data(read_recipe(write_recipe(folder, FRAMES | {"lossAt": "every", "test": "test.csv"})))
    assert data.training[0].targets.tolist() == [0, 0, 0] and not data.training[0].is_at_last
    assert data.test[0].targets.tolist() == [0] and data.test[0].is_at_last


def test_targets_are_numbers_by_column(folder):
    source = {"kind": "frames", "train": "train.csv", "sequence": "s", "targets": ["b", "a"], "predict": "every"}
    source["features"] = ["a"]
    data = read_data(read_recipe(write_recipe(folder, source, ONE | {"loss": "mean-squared-error"})))
    assert data.labels == ("b", "a") and data.output_size == 2
    assert columns(data.training)[1] == ([[3]], [[1, 3]])


def test_a_text_becomes_sequences_whose_targets_are_the_next_characters(folder):
    data = read_data(read_recipe(write_recipe(folder, TEXT | {"text": "hello", "sequenceLength": 3, "input": "index"})))
    assert data.labels == ("e", "h", "l", "o") and data.entries == {"tokens": ("characters",)}
    assert columns(data.training) == [([1, 0, 2], [0, 2, 2]), ([2], [3])]


def test_one_hot_frames_have_a_one_in_the_place_of_the_character(folder):
    data = read_data(read_recipe(write_recipe(folder, TEXT | {"text": "aba", "labels": ["b", "a"]})))
    assert columns(data.training) == [([[0, 1], [1, 0]], [0, 1])]


def test_a_label_for_a_line_of_words_is_predicted_at_the_last_word(folder):
    data = lines(folder, "so good\tyes\nso so\tno\n", input="words", predict="label")
    assert data.entries == {"inputLabels": ("good", "so"), "inputTokens": ("words",)}
    assert data.labels == ("no", "yes")
    assert columns(data.training) == [([1, 0], [1]), ([1, 1], [0])]


def test_words_that_are_rare_are_one_unknown_word(folder):
    data = lines(folder, "a a b\tyes\n", input="words", predict="label", minimumCount=2)
    assert data.entries["inputLabels"] == ("<unknown>", "a")
    assert columns(data.training) == [([1, 1, 0], [0])]


def test_each_word_can_have_a_label_of_its_own(folder):
    data = lines(folder, "the can\tD N\ncan\tV\n", input="words", predict="labels")
    assert data.labels == ("D", "N", "V")
    assert [targets for _, targets in columns(data.training)] == [[0, 1], [2]]


def test_a_text_to_predict_begins_and_ends_with_the_same_label(folder):
    data = lines(folder, "ab\tba\n", ENCODE_DECODE, input="characters", predict="characters")
    assert [(port.kind, port.size) for port in data.inputs] == [("index", 2), ("index", 3)]
    assert data.labels == ("<end>", "a", "b") and data.entries["end"] == ("<end>",)
    assert data.entries["tokens"] == ("characters",) and data.entries["inputTokens"] == ("characters",)
    assert data.training[0].inputs[0].tolist() == [0, 1]
    assert columns(data.training) == [([0, 2, 1], [2, 1, 0])]


def test_tokens_are_in_the_order_of_their_bytes(folder):
    data = lines(folder, "é z 😀 ￮ a\tx\n", input="words", predict="label")
    assert data.entries["inputLabels"] == ("a", "z", "é", "￮", "😀")


def test_numbers_are_one_frame_from_which_a_text_is_written(folder):
    data = lines(folder, NUMBERS, START_STEP, input="numbers", predict="words")
    assert [(port.kind, port.size) for port in data.inputs] == [("vector", 3), ("index", 3)]
    assert data.training[0].inputs[0].tolist() == [[0, 1.5, 2]]
    assert data.labels == ("<end>", "a", "two") and data.entries == {"tokens": ("words",), "end": ("<end>",)}


def test_a_table_of_a_spreadsheet_is_read(folder):
    text = '\ufeffs , a,"the ""b""",label\r\n"1", 5e-1 ,1,"x, or y"\r\n\r\n'
    write_data(folder, text)
    data = read_data(read_recipe(write_recipe(folder)))
    assert data.entries["features"] == ("a", 'the "b"') and data.labels == ("x, or y",)
    assert columns(data.training) == [([[0.5, 1]], [0])]


# What is refused

BAD_RECIPES = {
    "an unknown key": ({"oops": 1}, "oops", "an unknown key"),
    "a key of other data": ({"data": FRAMES | {"text": "a"}}, "data.text", "an unknown key"),
    "a key of another layer": (
        {"network": ONE | {"layers": [LAYER | {"rate": 0.5}]}},
        "network.layers[0].rate",
        "an unknown key",
    ),
    "a missing key": ({"training": {}}, "training", 'no "epochs"'),
    "a wrong type": ({"training": {"epochs": "3"}}, "training.epochs", '"3"'),
    "a truth value": ({"training": {"epochs": True}}, "training.epochs", "true"),
    "a number that is not whole": ({"training": {"epochs": 1.5}}, "training.epochs", "1.5"),
    "a number out of range": ({"training": {"epochs": 1, "batchSize": 0}}, "training.batchSize", "0"),
    "a share of 1": ({"training": {"epochs": 1, "averaging": 1}}, "training.averaging", "1"),
    "an unknown kind": ({"network": ONE | {"layers": [{"kind": "relu6"}]}}, "network.layers[0].kind", '"relu6"'),
    "no layers": ({"network": ONE | {"layers": []}}, "network.layers", "a list"),
    "layers and programs": ({"network": ONE | ENCODE_DECODE}, "network.layers", "an unknown key"),
    "a name twice": (
        {"network": ONE | {"programs": [{"name": "a", "layers": [LAYER]}] * 2} | {"layers": None}},
        "network.programs[1].name",
        '"a" again',
    ),
    "an optimizer's key": (
        {"training": {"epochs": 1, "optimizer": {"kind": "sgd", "beta1": 0.9}}},
        "training.optimizer.beta1",
        "an unknown key",
    ),
    "a schedule without its rate": (
        {"training": {"epochs": 1, "schedule": {"kind": "one-cycle", "rate": 1}}},
        "training.schedule",
        'no "peak"',
    ),
    "label and targets": ({"data": FRAMES | {"targets": ["a"]}}, "data.targets", '"targets" beside "label"'),
    "a loss at every frame that is there already": (
        {"data": FRAMES | {"predict": "every", "lossAt": "every"}},
        "data.lossAt",
        '"lossAt" here',
    ),
    "a character of two": ({"data": TEXT | {"labels": ["ab"]}}, "data.labels[0]", '"ab"'),
    "a label twice": ({"data": FRAMES | {"labels": ["x", "x"]}}, "data.labels[1]", '"x" again'),
    "labels of numbers": (
        {"data": {"kind": "lines", "train": "t", "input": "numbers", "predict": "labels"}},
        "data.predict",
        "numbers",
    ),
    "labels of a text": ({"data": WRITING | {"labels": ["a"]}}, "data.labels", "text to predict"),
    "a count of numbers": ({"data": NAMING | {"minimumCount": 2}}, "data.minimumCount", "numbers"),
    "two validations": (
        {"data": FRAMES | {"validation": "train.csv"}, "training": {"epochs": 1, "validationFraction": 0.5}},
        "training.validationFraction",
        "a share for validation",
    ),
}


@pytest.mark.parametrize("case", BAD_RECIPES)
def test_a_recipe_is_refused_with_the_place_of_what_is_wrong(case, folder):
    changes, element, found = BAD_RECIPES[case]
    recipe = {"name": "mine", "data": FRAMES, "network": ONE, "training": {"epochs": 1}} | changes
    path = folder / "recipe.json"
    path.write_text(json.dumps(recipe))
    with pytest.raises(RecipeError) as error:
        read_recipe(path)
    assert error.value.element == element and found in error.value.found
    assert str(path) in str(error.value)


def test_the_recipe_of_these_cases_is_fine_without_a_change(folder):
    assert read_recipe(write_recipe(folder)).name == "mine"


BAD_JSON = {
    "a comma at the end": ('{"name": "a",}', 1, 14),
    "a key twice": ('{"name": "a",\n "name": "b"}', 2, 2),
    "no colon": ('{\n\n "name" "a"}', 3, 9),
    "an open text": ('{"name": "a\n', 1, 10),
    "a half of a pair": ('{"name": "\\ud800"}', 1, 10),
    "not a number": ('{"name": NaN}', 1, 10),
    "a number beyond 64 bits": ('{"name": 1e999}', 1, 10),
    "more behind it": ("{} {}", 1, 4),
    "nothing": ("", 1, 1),
    "too deep": ("[" * 100, 1, 65),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_what_is_no_json_is_refused_with_line_and_column(case, tmp_path):
    text, line, column = BAD_JSON[case]
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(RecipeError) as error:
        read_recipe(path)
    assert (error.value.line, error.value.column) == (line, column), error.value


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_bytes(b'{\n"name": "\xff"}')
    with pytest.raises(RecipeError, match="line 2: found bytes that are not UTF-8"):
        read_recipe(path)


BAD_CSV = {
    "a text for a number": (CSV.replace("0.25", "o"), "line 4, column 2 (a): found 'o'"),
    "nothing for a number": (CSV.replace("0.25", ""), "line 4, column 2 (a): found nothing"),
    "no finite number": (CSV.replace("0.25", "inf"), "line 4, column 2 (a): found 'inf', expected a finite number"),
    "a number beyond 32 bits": (CSV.replace("0.25", "1e39"), "found '1e39', expected a finite number"),
    "a number with underscores": (CSV.replace("0.25", "1_0"), "found '1_0'"),
    "a field too few": (CSV.replace("2,3,1,y", "2,3,y"), "line 5: found 3 columns, expected 4"),
    "semicolons": (CSV.replace("2,3,1,y", "2;3;1;y"), "separate columns with commas"),
    "a field too many": (CSV.replace("2,3,1,y", "2,3,1,y,"), "line 5, column 5: found 5 columns"),
    "a sequence in two parts": (CSV + "1,1,1,x\n", "line 8, column 1 (s): found sequence '1' again"),
    "no class": (CSV.replace("3,1,y", "3,1,"), "line 5, column 4 (label): found nothing"),
    "another class within a sequence": (CSV.replace("0.25,0,x", "0.25,0,y"), "line 4, column 4: found 'y'"),
    "no such column": (CSV.replace("label", "class"), "a column 'label' with the class"),
    "a name twice": (CSV.replace("a,b", "a,a"), "line 1, column 3: found the name 'a' again"),
    "no frames": ("s,label\n1,x\n", "at least one more, for the frames"),
    "no rows": ("s,a,label\n", "line 2: found the end of the file"),
    "nothing": ("", "line 1: found nothing"),
    "an open quote": (CSV + '4,"1,1,x\n', "line 8, column 2: found a quote that is not closed"),
    "text behind a quote": (CSV + '4,"1"1,1,x\n', "line 8, column 2: found text after a closing quote"),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_a_table_is_refused_with_the_place_of_what_is_wrong(case, folder):
    text, message = BAD_CSV[case]
    write_data(folder, text)
    with pytest.raises(RecipeError) as error:
        read_data(read_recipe(write_recipe(folder)))
    assert "train.csv" in str(error.value) and message in str(error.value)


BAD_LINES = {
    "no tab": ("a\n", {}, "line 1: found 0 tabs"),
    "two tabs": ("a\tb\tc\n", {}, "line 1: found 2 tabs"),
    "no input": ("a\tb\n\tb\n", {}, "line 2: found nothing before the tab"),
    "no target": ("a\t\n", {}, "line 1: found nothing after the tab"),
    "no lines": ("\n", {}, "line 2: found the end of the file"),
    "spaces": (" \tb\n", {}, "an input of spaces"),
    "labels that are not as many": ("a b\tX Y\na b\tX\n", {"predict": "labels"}, "line 2: found 1 labels"),
    "an unknown label": ("a\tb\n", {"labels": ["c"]}, 'found "b", expected one of "c"'),
    "too many numbers": ("1 2\ta\n1 2 3\ta\n", {"input": "numbers"}, "line 2: found 3 numbers"),
    "no number": ("1 2\ta\n1 nan\ta\n", {"input": "numbers"}, "line 2: found 'nan' as number 2"),
    "a word that ends texts": ("a\t<end>\n", {"predict": "words"}, "found the word <end>"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_lines_are_refused_with_the_place_of_what_is_wrong(case, folder):
    text, data, message = BAD_LINES[case]
    with pytest.raises(RecipeError) as error:
        lines(folder, text, **{"input": "words", "predict": "label"} | data)
    assert "train.tsv" in str(error.value) and message in str(error.value)


def test_a_word_that_training_never_saw_is_refused_where_none_are_unknown(folder):
    (folder / "test.tsv").write_text("a\tyes\nb a\tyes\n")
    with pytest.raises(RecipeError, match='test.tsv: line 2: found the word "b".*"minimumCount": 2'):
        lines(folder, "a\tyes\n", input="words", predict="label", test="test.tsv")


def test_a_character_that_training_never_saw_is_refused(folder):
    (folder / "test.txt").write_text("he\nx")
    with pytest.raises(RecipeError, match="test.txt: line 1, column 3: found the character '\\\\n'"):
        read_data(read_recipe(write_recipe(folder, TEXT | {"test": "test.txt"})))


def test_a_file_that_is_not_there_is_refused_with_who_named_it(folder):
    path = write_recipe(folder, FRAMES | {"train": "gone.csv"})
    with pytest.raises(RecipeError, match="gone.csv.*No such file.*recipe.json, line 5, data.train"):
        read_data(read_recipe(path))


@pytest.mark.parametrize("data", [TEXT, WRITING, FRAMES], ids=lambda data: data["kind"])
def test_a_loss_that_does_not_go_with_the_data_is_refused(data, folder):
    with pytest.raises(RecipeError, match='network.loss: found .*expected "softmax-cross-entropy"'):
        read_data(read_recipe(write_recipe(folder, data, ONE | {"loss": "mean-squared-error"})))


def test_targets_out_of_range_are_refused(folder):
    source = {"kind": "frames", "train": "train.csv", "sequence": "s", "targets": ["a"], "predict": "every"}
    path = write_recipe(folder, source | {"features": ["b"]}, ONE | {"loss": "sigmoid-cross-entropy"})
    with pytest.raises(RecipeError, match="line 5 \\(a\\): found the target 3.0, expected a number from 0 to 1"):
        read_data(read_recipe(path))


BAD_NETWORKS = {
    "an output of another size": (FRAMES, [LAYER, {"kind": "dense", "size": 3}], "layers[1]", "ends with 3 outputs"),
    "a last layer that is none": (FRAMES, [LAYER], "layers[0]", "ends with 4 outputs"),
    "an embedding on a vector": (FRAMES, [{"kind": "embedding", "size": 2}], "layers[0]", "an embedding here"),
    "an index without an embedding": (
        TEXT | {"input": "index"},
        [LAYER, {"kind": "dense"}],
        "layers[0]",
        "no embedding",
    ),
    "a state of another size": (
        FRAMES,
        [{"kind": "state", "hidden": 3}, {"kind": "dense"}],
        "layers[0]",
        "another size than the state",
    ),
    "no parameters": (FRAMES, [{"kind": "tanh"}], "", "no layer that makes a prediction"),
    "a text with one program": (WRITING, [LAYER, {"kind": "dense"}], "", "one program"),
}


@pytest.mark.parametrize("case", BAD_NETWORKS)
def test_a_network_that_does_not_fit_is_refused(case, folder):
    data, layers, element, found = BAD_NETWORKS[case]
    recipe = read_recipe(write_recipe(folder, data, ONE | {"layers": layers}))
    read = read_data(recipe)
    with pytest.raises(RecipeError) as error:
        recipe.network.specified(read.inputs, read.output_size)
    assert error.value.element == ("network." + element).rstrip(".") and found in error.value.found


def test_states_of_two_programs_that_are_not_alike_are_refused(folder):
    network = json.loads(json.dumps(ENCODE_DECODE))
    network["programs"][1]["layers"][1]["hidden"] = 6
    recipe = read_recipe(write_recipe(folder, WRITING, network))
    data = read_data(recipe)
    with pytest.raises(RecipeError, match=r"programs\[1\].layers\[1\].*a state of another size"):
        recipe.network.specified(data.inputs, data.output_size)


BAD_SETTINGS = {
    "labelSmoothing": ({"labelSmoothing": 0.1}, {"loss": "mean-squared-error"}),
    "patience": ({"patience": 3}, {}),
    "scheduledSampling": ({"scheduledSampling": 0.1}, {}),
}


@pytest.mark.parametrize("key", BAD_SETTINGS)
def test_a_setting_that_does_not_fit_is_refused(key, folder):
    training, network = BAD_SETTINGS[key]
    one_feature = FRAMES | {"features": ["a"]}
    inputs = read_data(read_recipe(write_recipe(folder, one_feature))).inputs
    recipe = read_recipe(write_recipe(folder, one_feature, ONE | network, training))
    specification = recipe.network.specified(inputs, 2)
    with pytest.raises(RecipeError, match=f"training.{key}: found a value that does not fit"):
        recipe.settings.refuse(recipe.path, specification, has_validation=False)
    read_recipe(write_recipe(folder)).settings.refuse(recipe.path, specification, has_validation=False)


def test_an_element_with_a_mean_beyond_its_deviation_is_refused(folder):
    from runnel.recipes.normalisation import normalisations

    write_data(folder, "s,a,b,label\n1,100000,5,x\n1,100001,5,x\n")
    recipe = read_recipe(write_recipe(folder, network=ONE | {"normalise": True}))
    data = read_data(recipe)
    specification = recipe.network.specified(data.inputs, data.output_size)
    with pytest.raises(RecipeError, match="the column a with mean 100000.5"):
        normalisations(specification, data.training, recipe.path, data.entries["features"])
    # One that never changes is only shifted.
    write_data(folder, "s,a,b,label\n1,0,5,x\n1,2,5,x\n")
    (found,) = normalisations(specification, read_data(recipe).training, recipe.path, ())
    assert found.scale.tolist() == [1, 1] and found.shift.tolist() == [-1, -5]
