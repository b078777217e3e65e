"""The data of the models: the scripts give the committed files, and no test example was learnt from."""

import csv
import lzma
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import product
from math import log2
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPTS = REPOSITORY / "tools" / "python" / "data"
MODELS = REPOSITORY / "models"
sys.path.insert(0, str(SCRIPTS))

import files
import scores
from captions import SIDE, Thing, caption
from draws import Draws
from kneser_ney import KneserNey, discounts
from lexicon import Verb, plural
from make_translate import ordinal, suffixed, year_in_words

# name -> the files that its script writes with the standard library alone
STANDARD = {
    "gesture": ["train.csv", "test.csv", "sample.csv"],
    "tagging": ["train.tsv", "test.tsv", "sample.txt"],
    "translate": ["train.tsv", "test.tsv", "test-years.tsv", "sample.txt"],
}
LINES = ["caption", "sentiment", "tagging", "translate"]
LARGEST = 4_000_000  # bytes of data in a model's folder


def run(script, *arguments):
    return subprocess.run([sys.executable, SCRIPTS / script, *arguments], capture_output=True, text=True)


def pairs(name, part):
    return files.read_pairs(MODELS / name / f"{part}.tsv")


@pytest.mark.parametrize("name", STANDARD)
def test_a_script_writes_the_committed_bytes(name, tmp_path):
    done = run(f"make_{name}.py", tmp_path)
    assert done.returncode == 0, done.stderr
    for file in STANDARD[name]:
        assert (tmp_path / file).read_bytes() == (MODELS / name / file).read_bytes(), file


@pytest.mark.parametrize(
    "things, sentence",
    [
        ([], "nothing"),
        ([(1, 8, False)], "an eight in the middle"),
        ([(0, 3, True), (2, 8, False)], "a faint three on the left and an eight on the right"),
        ([(0, 3, False), (1, 7, True), (2, 3, False)], "a three , a faint seven and a three"),
        ([(0, 6, True), (1, 6, True)], "two faint sixes , on the left and in the middle"),
        ([(0, 1, False), (1, 1, False), (2, 1, False)], "three ones"),
        ([(0, 6, True), (2, 6, False)], "two sixes , a faint one on the left and a bright one on the right"),
    ],
)
def test_a_caption_follows_the_rules(things, sentence):
    assert caption([Thing(*thing) for thing in things]) == sentence


def test_a_caption_names_what_is_in_its_image():
    for pixels, sentence in pairs("caption", "test"):
        numbers = [int(word) for word in pixels.split()]
        assert len(numbers) == SIDE * SIDE * 3 and min(numbers) >= 0 and max(numbers) <= 16
        inks = [
            max(numbers[24 * row + SIDE * place + column] for row in range(SIDE) for column in range(SIDE))
            for place in range(3)
        ]
        assert sentence in possible_captions(tuple((place, ink <= 5) for place, ink in enumerate(inks) if ink > 0))


@cache
def possible_captions(shades):
    """All captions of digits in these places, each faint or not."""
    digits = product(range(10), repeat=len(shades))
    return {caption([Thing(p, d, faint) for (p, faint), d in zip(shades, row)]) for row in digits}


def met_before(train, test):
    """The items of test that are in train, or in test twice."""
    counts = Counter(test)
    return {item for item in test if item in train or counts[item] > 1}


@pytest.mark.parametrize("name", LINES)
def test_no_test_input_is_a_training_input(name):
    train, test = ([text for text, _ in pairs(name, part)] for part in ("train", "test"))
    assert met_before(frozenset(train), test) == set()


@pytest.mark.parametrize("name", LINES)
def test_a_test_input_that_is_a_training_input_is_found(name):
    train, test = ([text for text, _ in pairs(name, part)] for part in ("train", "test"))
    assert met_before(frozenset(train), [*test, train[7]]) == {train[7]}
    assert met_before(frozenset(train), [*test, test[7]]) == {test[7]}


def test_no_test_date_is_a_training_date():
    train, test, others = ([date for _, date in pairs("translate", p)] for p in ("train", "test", "test-years"))
    assert met_before(frozenset(train), test + others) == set()
    assert {date[:4] for date in test} <= {date[:4] for date in train}
    assert not {date[:4] for date in others} & {date[:4] for date in train}


def test_numbers_are_spelled_as_english_spells_them():
    assert [ordinal(n) for n in (1, 5, 9, 12, 20, 22, 30)] == [
        "first",
        "fifth",
        "ninth",
        "twelfth",
        "twentieth",
        "twenty-second",
        "thirtieth",
    ]
    assert [suffixed(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)] == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 31st".split()
    )


@pytest.mark.parametrize(
    "year, words",
    [
        (1900, {"nineteen hundred"}),
        (2000, {"two thousand"}),
        (1905, {"nineteen oh five", "nineteen hundred five", "nineteen hundred and five"}),
        (2007, {"two thousand seven", "two thousand and seven"}),
        (2012, {"twenty twelve", "two thousand twelve", "two thousand and twelve"}),
    ],
)
def test_a_year_has_these_names(year, words):
    draws = Draws(9)
    assert {year_in_words(year, draws) for _ in range(200)} == words


def test_verbs_and_nouns_are_inflected():
    run, carry, plan = Verb("run/ran/run"), Verb("carry"), Verb("plan")
    assert [run.third_person, run.progressive, run.past] == ["runs", "running", "ran"]
    assert [carry.third_person, carry.progressive, carry.past] == ["carries", "carrying", "carried"]
    assert [plan.third_person, plan.progressive, plan.participle] == ["plans", "planning", "planned"]
    assert [plural(noun) for noun in ("watch", "city", "day", "child", "box")] == (
        "watches cities days children boxes".split()
    )


@pytest.mark.parametrize("part", ["train", "test"])
def test_tagged_sentences_have_a_tag_for_every_word(part):
    assert all(len(words.split(" ")) == len(tags.split(" ")) for words, tags in pairs("tagging", part))


def conflicts(sentences):
    """Beginnings of sentences whose last word has several tags."""
    seen = {}
    for words, tags in sentences:
        words, tags = words.split(), tags.split()
        for k, tag in enumerate(tags, 1):
            seen.setdefault(tuple(words[:k]), set()).add(tag)
    return [words for words, tags in seen.items() if len(tags) > 1]


def test_the_words_so_far_decide_a_tag():
    sentences = pairs("tagging", "train") + pairs("tagging", "test")
    assert conflicts(sentences) == []
    alone = [pair for words, tags in sentences for pair in zip(words.split(), tags.split(), strict=True)]
    assert len(conflicts(alone)) > 100  # and a word alone does not


def test_the_classes_of_sentences_are_the_two():
    for part in ("train", "test"):
        counts = Counter(label for _, label in pairs("sentiment", part))
        assert set(counts) == {"positive", "negative"} and min(counts.values()) > 0.4 * counts.total()


def test_gestures_are_labelled_frame_by_frame():
    with (MODELS / "gesture" / "test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    clips = Counter(row["sequence"] for row in rows)
    assert set(clips.values()) == {90}
    assert all(len({row["label"] for row in rows if row["sequence"] == clip}) > 2 for clip in clips)
    assert {int(row[f"p{k}"]) for row in rows for k in range(64)} <= set(range(10))


def test_the_test_characters_are_all_in_the_training_text():
    train, test = ((MODELS / "charlm" / f"{part}.txt").read_text(encoding="utf-8") for part in ("train", "test"))
    counts = Counter(train)
    assert min(counts.values()) >= 20
    assert set(test) <= set(counts)
    named = [{line for line in text.split("\n") if line.startswith("¶ ")} for text in (train, test)]
    assert len(named[0]) == 276 and len(named[1]) == 50 and not named[0] & named[1]


@pytest.mark.parametrize("name", [*LINES, "charlm", "gesture"])
def test_the_data_of_a_model_stays_small(name):
    data = [path for path in (MODELS / name).iterdir() if path.suffix in (".tsv", ".csv", ".txt")]
    assert 0 < sum(path.stat().st_size for path in data) <= LARGEST


@pytest.mark.parametrize(
    "script", sorted(path.name for path in SCRIPTS.glob("make_*.py") if path.stem != "make_caption")
)
def test_a_script_without_arguments_says_how_it_is_used(script):
    done = run(script)
    assert done.returncode == 1 and done.stderr.startswith("usage: ")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "here").write_text("")
    done = run("make_translate.py", tmp_path / "here")
    assert done.returncode == 1 and "found a file, expected a folder" in done.stderr


def test_a_line_without_a_tab_is_refused_with_its_number(tmp_path):
    (tmp_path / "train.tsv").write_text("a\tb\nc\n")
    with pytest.raises(SystemExit, match=r"train\.tsv:2: found 0 tabs, expected one"):
        files.read_pairs(tmp_path / "train.tsv")


def test_a_source_package_that_is_another_one_is_refused(tmp_path):
    (tmp_path / "package.tar.gz").write_bytes(b"another")
    done = run("make_sentiment.py", tmp_path / "model", tmp_path / "package.tar.gz")
    assert done.returncode == 1 and "expected 5d7c06e0" in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_revision_that_is_not_there_is_refused(tmp_path):
    done = run("make_charlm.py", tmp_path / "model", "no-such-revision")
    assert done.returncode == 1 and "no-such-revision" in done.stderr
    assert not (tmp_path / "model").exists()


def test_draws_are_the_same_for_the_same_seed_and_cover_what_they_draw_from():
    assert Draws(1).shuffled(range(50)) == Draws(1).shuffled(range(50))
    assert Draws(1).shuffled(range(50)) != Draws(2).shuffled(range(50))
    assert sorted(Draws(3).shuffled(range(50))) == list(range(50))
    draws = Draws(4)
    counts = Counter(draws.weighted({"often": 3, "rarely": 1, "never": 0}) for _ in range(4_000))
    assert counts["never"] == 0 and 2_850 < counts["often"] < 3_150


TEXT = "the cat sat on the mat; the dog sat on the log, and that was that. "


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("context", ["", "t", "th", "the ", "xyz", "sat on the ", "at. "])
def test_the_probabilities_of_what_follows_a_context_add_up_to_one(order, context):
    model = KneserNey(TEXT * 3 + "a few words more, zebra", order)
    total = sum(model.probability(context, character) for character in model.alphabet)
    assert total == pytest.approx(1, abs=1e-12)


def brute_force(text, order, context, character):
    """The same probability straight from its definition, every count taken anew."""
    alphabet = sorted(set(text))

    def occurrences(gram):
        return sum(text[k : k + len(gram)] == gram for k in range(len(text) - order + 1))

    def count(gram):
        """How often the longest n-grams occur; how many characters stand before the shorter ones."""
        if len(gram) == order:
            return occurrences(gram)
        return sum(any_longer(a + gram) for a in alphabet)

    def any_longer(gram):
        return count(gram) > 0

    def grams(length):
        return {text[k : k + length] for k in range(len(text) - length + 1)}

    def probability(context):
        shorter = probability(context[1:]) if context else 1 / len(alphabet)
        counts = [count(context + a) for a in alphabet]
        if sum(counts) == 0:
            return shorter
        discount = discounts([c for c in map(count, grams(len(context) + 1)) if c > 0])
        freed = sum(discount[min(c, 3)] for c in counts)
        own = count(context + character)
        return (own - discount[min(own, 3)] + freed * shorter) / sum(counts)

    return probability(context[max(len(context) - order + 1, 0) :])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_are_those_of_the_definition(order):
    text = "abracadabra, a barb and a crab: cab, bad, dab"
    model = KneserNey(text, order)
    for context in ("", "a", "b", "ab", "ra", "zz", "d d"):
        for character in model.alphabet:
            expected = brute_force(text, order, context, character)
            assert model.probability(context, character) == pytest.approx(expected, rel=1e-12)


def test_discounts_are_those_of_chen_and_goodman():
    # 10 n-grams seen once, 6 twice, 4 three times, 3 four times: Y = 10 / 22.
    share = 10 / 22
    expected = [0, 1 - 2 * share * 6 / 10, 2 - 3 * share * 4 / 6, 3 - 4 * share * 3 / 4]
    assert discounts([1] * 10 + [2] * 6 + [3] * 4 + [4] * 3) == pytest.approx(expected)
    assert discounts([1, 1, 2]) == [0, 0.75, 0.75, 0.75]


def test_bits_per_character_are_the_mean_of_the_logarithms():
    model = KneserNey(TEXT, 3)
    text = "the hat"
    bits = [-log2(model.probability(text[max(k - 2, 0) : k], text[k])) for k in range(len(text))]
    assert model.bits_per_character(text) == pytest.approx(sum(bits) / len(text))


def test_a_longer_memory_predicts_the_repository_better():
    train = (MODELS / "charlm" / "train.txt").read_text(encoding="utf-8")[:100_000]
    test = (MODELS / "charlm" / "test.txt").read_text(encoding="utf-8")[:5_000]
    two, five = (KneserNey(train, order).bits_per_character(test) for order in (2, 5))
    assert five < two < log2(len(set(train)))
    assert five < 8 * len(lzma.compress(test.encode(), preset=9)) / len(test)


def test_edits_count_insertions_deletions_and_replacements():
    assert scores.edits("kitten", "sitting") == 3
    assert scores.edits("", "abc") == scores.edits("abc", "") == 3
    assert scores.word_error_rate(["a two", "a four on it"], ["a two", "an owl on it"]) == pytest.approx(2 / 6)
    assert scores.share([1, 2, 3, 4], [1, 2, 3, 0]) == 0.75
