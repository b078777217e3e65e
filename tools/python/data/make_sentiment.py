#!/usr/bin/env python3
"""Makes the data of models/sentiment: sentences from reviews, and whether people found them positive or negative.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    python3 tools/python/data/make_sentiment.py models/sentiment vaderSentiment-3.3.2.tar.gz

The source package carries sentences of film and product reviews, each with the mean of at least 20 people's ratings
from -4 to 4. Sentences with a mean between -0.5 and 0.5 are left out. Sentences of one product review stay together:
all in the training or all in the test set. Needs only the standard library; the same bytes every time.
"""

import hashlib
import io
import re
import sys
import tarfile
import unicodedata
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from draws import Draws
from files import made_folder, write_lines, write_pairs

SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SOURCES = {
    "film": "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
    "product": "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt",
}
SEED = 5
UNDECIDED = 0.5  # mean ratings nearer to 0 than this are neither positive nor negative
TEST = 1_500
SAMPLE = 10

TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|[0-9]+(?:[.,][0-9]+)*|\.\.+|[^\sa-z0-9]")


@dataclass(frozen=True)
class Snippet:
    review: str  # sentences of one review have this in common
    rating: float  # mean over the people asked, -4 to 4
    text: str

    def words(self):
        """Lower case, without accents, words and marks apart."""
        text = unicodedata.normalize("NFKD", unescape(self.text)).lower().replace("’", "'").replace("''", '"')
        return " ".join(TOKEN.findall(text.encode("ascii", "ignore").decode()))

    def label(self):
        return "positive" if self.rating > 0 else "negative"


def snippets(package):
    """All snippets of the source package, those that are undecided too."""
    content = Path(package).read_bytes() if Path(package).is_file() else sys.exit(f"{package}: found no such file")
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        sys.exit(f"{package}: found SHA-256 {found}, expected {SHA256}: download vaderSentiment 3.3.2 as source")
    with tarfile.open(fileobj=io.BytesIO(content)) as outer:
        inner = outer.extractfile(INNER).read()
    result = []
    with tarfile.open(fileobj=io.BytesIO(inner)) as archive:
        for kind, path in SOURCES.items():
            for line in archive.extractfile(path).read().decode().splitlines():
                name, rating, text = line.split("\t")
                result.append(Snippet(f"{kind} {name.split('_')[0]}", float(rating), text))
    return result


def examples(snippets):
    """{words: snippet}: the decided ones, the first of those that have the same words."""
    result = {}
    for snippet in snippets:
        words = snippet.words()
        if abs(snippet.rating) >= UNDECIDED and any(word.isalpha() for word in words.split()):
            result.setdefault(words, snippet)
    return result


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        sys.exit("usage: make_sentiment.py MODEL_FOLDER VADER_SENTIMENT_SOURCE_PACKAGE")
    decided = examples(snippets(sys.argv[2]))
    folder = made_folder(sys.argv[1])
    draws = Draws(SEED)
    test_reviews, count = set(), 0
    sizes = {}
    for snippet in decided.values():
        sizes[snippet.review] = sizes.get(snippet.review, 0) + 1
    for review in draws.shuffled(sizes):
        if count + sizes[review] <= TEST:
            test_reviews.add(review)
            count += sizes[review]
    order = draws.shuffled(decided.items())
    for name, tested in (("train", False), ("test", True)):
        pairs = [(words, s.label()) for words, s in order if (s.review in test_reviews) == tested]
        write_pairs(folder / f"{name}.tsv", pairs)
        positive = sum(label == "positive" for _, label in pairs)
        print(f"  {positive:,} positive, {len(pairs) - positive:,} negative")
    write_lines(folder / "sample.txt", [words for words, _ in pairs[:SAMPLE]])


if __name__ == "__main__":
    main()
