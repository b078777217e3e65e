"""The recipe's section `data`: the files that are learnt from, and how."""

from dataclasses import dataclass
from pathlib import Path

from .tokens import CHARACTERS, WORDS

_KEYS = (
    "kind",
    "train",
    "validation",
    "test",
    "sequence",
    "label",
    "targets",
    "features",
    "labels",
    "predict",
    "lossAt",
    "text",
    "input",
    "sequenceLength",
    "minimumCount",
)
LABEL, LABELS, NUMBERS = "label", "labels", "numbers"


@dataclass(frozen=True)
class File:
    """A file that the recipe names, and where."""

    path: Path
    named_by: str


@dataclass(frozen=True)
class Columns:
    """Which columns of CSV mean what; all others are features where those are None."""

    sequence: str | None = None
    label: str | None = None
    targets: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None


@dataclass(frozen=True)
class FrameSource:
    """Frames in CSV. Every frame has a target, or the last one; training may ask every frame for the last one's."""

    train: File
    validation: File | None
    test: File | None
    columns: Columns
    labels: tuple[str, ...] | None
    is_every_frame: bool
    teaches_every_frame: bool

    @property
    def files(self):
        return [file for file in (self.train, self.validation, self.test) if file]


@dataclass(frozen=True)
class TextSource:
    """A text whose next character is predicted; `train` is the text itself or a file."""

    train: str | File
    test: File | None
    labels: tuple[str, ...] | None
    is_one_hot: bool
    sequence_length: int | None
    validation = None

    @property
    def files(self):
        return [file for file in (self.train, self.test) if isinstance(file, File)]


@dataclass(frozen=True)
class LineSource:
    """Lines of an input, a tab and a target.

    input: CHARACTERS, WORDS or NUMBERS. target: LABEL, one for the input; LABELS, one for each of its tokens;
    CHARACTERS or WORDS of a text, which the model writes.
    """

    train: File
    validation: File | None
    test: File | None
    input: str
    target: str
    labels: tuple[str, ...] | None
    minimum_count: int

    @property
    def files(self):
        return [file for file in (self.train, self.validation, self.test) if file]


def read_source(field):
    """The section of a recipe."""
    with field.members(*_KEYS) as members:
        kind = members.required("kind").choice("frames", "text", "lines")
        return {"frames": _frames, "text": _text, "lines": _lines}[kind](members)


def _file(field):
    if field is None:
        return None
    path = Path(field.file).parent / field.text("the name of a file")
    return File(path, f"{field.file}, line {field.line}, {field.path}")


def _frames(members):
    files = [_file(members.required("train")), _file(members.optional("validation")), _file(members.optional("test"))]
    sequence, label = (_column(members.optional(key)) for key in ("sequence", "label"))
    targets = members.optional("targets")
    if targets is not None and label is not None:
        raise targets.error('"label" to predict classes, or "targets" to predict numbers', '"targets" beside "label"')
    features = _texts(members.optional("features"))
    columns = Columns(sequence, label, () if targets is None else _texts(targets), features)
    if label is None and targets is None:
        raise members.missing("label")
    labels_field = members.optional("labels")
    labels = _texts(labels_field)
    if labels is not None and targets is not None and len(labels) != len(columns.targets):
        expected = f"{len(columns.targets)}, one for each of {targets.path}"
        raise labels_field.error(expected, f"{len(labels)} labels")
    is_every_frame = members.required("predict").choice("last", "every") == "every"
    loss_at = members.optional("lossAt")
    teaches = is_every_frame if loss_at is None else loss_at.choice("last", "every") == "every"
    if loss_at is not None and (is_every_frame or label is None):
        raise loss_at.error('it only where a "label" is predicted at the "last" frame', '"lossAt" here')
    return FrameSource(*files, columns, labels, is_every_frame, teaches)


def _text(members):
    text, file = members.optional("text"), members.optional("train")
    if text is None and file is None:
        raise members.missing("text")
    if text is not None and file is not None:
        raise text.error(
            '"text" with the text itself, or "train" with the name of a file', found='"text" beside "train"'
        )
    train = text.text() if file is None else _file(file)
    test = _file(members.optional("test"))
    labels = members.optional("labels")
    labels = None if labels is None else tuple(labels.characters())
    is_one_hot = members.required("input").choice("one-hot", "index") == "one-hot"
    length = members.optional("sequenceLength")
    return TextSource(train, test, labels, is_one_hot, None if length is None else length.whole(1, 1 << 20))


def _lines(members):
    files = [_file(members.required("train")), _file(members.optional("validation")), _file(members.optional("test"))]
    inputs = members.required("input").choice(CHARACTERS, WORDS, NUMBERS)
    predict = members.required("predict")
    target = predict.choice(LABEL, LABELS, CHARACTERS, WORDS)
    if inputs == NUMBERS and target == LABELS:
        raise predict.error('"label", as the numbers of a line are one frame', '"labels" with an input of numbers')
    labels_field = members.optional("labels")
    labels = _texts(labels_field)
    if labels is not None and target in (CHARACTERS, WORDS):
        raise labels_field.error(
            "none: the tokens of the training texts are the labels", '"labels" with a text to predict'
        )
    count = members.optional("minimumCount")
    if count is not None and inputs == NUMBERS:
        raise count.error("it with tokens only", '"minimumCount" with an input of numbers')
    return LineSource(*files, inputs, target, labels, 1 if count is None else count.whole(1, 1_000_000))


def _column(field):
    return None if field is None else field.text("the name of a column")


def _texts(field):
    return None if field is None else tuple(field.texts())
