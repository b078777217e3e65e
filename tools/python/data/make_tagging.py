#!/usr/bin/env python3
"""Makes the data of models/tagging: sentences, and the part of speech of each of their words.

    python3 tools/python/data/make_tagging.py models/tagging

The sentences are drawn from a small grammar of English. One word in five has several parts of speech (watch, plant,
can, to, that), and the words before tell which one it is: a tagger that answers word by word can be right. Words are
drawn by Zipf's law, so that some of the test set are new. Tags are those of Universal Dependencies. Needs only the
standard library; the same bytes every time.
"""

import lexicon
from draws import Draws
from files import folder_argument, write_lines, write_pairs
from lexicon import Verb

SEED = 6
TRAIN, TEST = 8_000, 2_000
LONGEST = 24  # words
SAMPLE = 10
ZIPF = 1.4  # the word of rank r is drawn in proportion to r ** -ZIPF

SUBJECTS = {"I": "first", "you": "plural", "he": "third", "she": "third", "it": "third", "we": "plural"}
SUBJECTS["they"] = "plural"
OBJECTS = ["me", "him", "it", "us", "them", "you"]
OWNERS = ["my", "your", "his", "her", "its", "our", "their"]
NUMBERS = ["two", "three", "four", "five", "ten", "twenty"]
BE = {"first": ("am", "was"), "third": ("is", "was"), "plural": ("are", "were")}


def by_rank(words):
    return {word: (rank + 1) ** -ZIPF for rank, word in enumerate(words)}


def mixed(first, second):
    """Both lists in one order of frequency, in turns."""
    longer, shorter = sorted((first, second), key=len, reverse=True)
    pairs = zip(longer, shorter)
    return [word for pair in pairs for word in pair] + longer[len(shorter) :]


class Grammar:
    """Each method draws a phrase: [(word, tag)]. An agreement is first, third or plural."""

    def __init__(self, draws):
        self.draws = draws
        self.nouns = by_rank(dict.fromkeys(mixed(lexicon.NOUNS_AND_VERBS, lexicon.NOUNS)))
        self.names, self.adjectives = by_rank(lexicon.NAMES), by_rank(lexicon.ADJECTIVES)
        # "is running" has a verb, so no adjective in -ing stands there.
        self.predicates = {word: weight for word, weight in self.adjectives.items() if not word.endswith("ing")}
        self.adverbs, self.places = by_rank(lexicon.ADVERBS), by_rank(lexicon.PLACES)
        frames = ("INTRANSITIVE", "TRANSITIVE", "MOTION", "SAYING", "WANTING", "TELLING", "GIVING", "PERCEIVING")
        self.verbs = {frame: by_rank(getattr(lexicon, frame)) for frame in frames}

    def verb(self, frame):
        return Verb(self.draws.weighted(self.verbs[frame]))

    def noun(self, number):
        noun = self.draws.weighted(self.nouns)
        return [(lexicon.plural(noun) if number == "plural" else noun, "NOUN")]

    def adjectives_before(self):
        if not self.draws.chance(0.35):
            return []
        degree = [(self.draws.choice(lexicon.DEGREES), "ADV")] if self.draws.chance(0.15) else []
        adjective = [(self.draws.weighted(self.adjectives), "ADJ")]
        if self.draws.chance(0.15):
            adjective += [("and", "CCONJ"), (self.draws.weighted(self.adjectives), "ADJ")]
        return degree + adjective

    def determiner(self, number, next_word):
        singular = ["the", "the", "the", "this", "that", "every", "an" if next_word[0] in lexicon.VOWELS else "a"]
        words = ["the", "the", "these", "those", "some", "many"] if number == "plural" else singular
        return [(self.draws.choice(words if self.draws.chance(0.75) else OWNERS), "DET")]

    def noun_phrase(self, depth, subject):
        """(phrase, agreement)"""
        draws = self.draws
        kind = draws.weighted({"determined": 50, "pronoun": 22, "name": 12, "bare": 10, "counted": 5, "modal": 1})
        if kind == "pronoun" and subject:
            word = draws.choice(list(SUBJECTS))
            return [(word, "PRON")], SUBJECTS[word]
        if kind == "pronoun":
            return [(draws.choice(OBJECTS), "PRON")], "third"
        if kind == "name":
            return [(draws.weighted(self.names), "PROPN")], "third"
        if kind == "modal":
            return [(draws.choice(OWNERS), "DET"), (draws.choice(lexicon.NOUNS_AND_MODALS), "NOUN")], "third"
        number = "plural" if kind in ("bare", "counted") or draws.chance(0.25) else "third"
        phrase = self.adjectives_before() + self.noun(number)
        if kind == "determined":
            phrase = self.determiner(number, phrase[0][0]) + phrase
        if kind == "counted":
            phrase = [(draws.choice(NUMBERS), "NUM")] + phrase
        if kind == "bare" and draws.chance(0.3):
            phrase += [("and", "CCONJ")] + self.noun("plural")
        if depth > 0 and draws.chance(0.12):
            phrase += self.place(depth - 1)
        elif depth > 0 and subject and draws.chance(0.18):
            phrase += [(draws.choice(["that", "who"]), "PRON")] + self.verb_phrase(number, depth - 1)
        return phrase, number

    def object(self, depth):
        """A noun phrase behind a verb or a preposition."""
        return self.noun_phrase(depth, subject=False)[0]

    def place(self, depth):
        return [(self.draws.weighted(self.places), "ADP")] + self.object(depth)

    def adverb(self, share):
        return [(self.draws.weighted(self.adverbs), "ADV")] if self.draws.chance(share) else []

    def complement(self, frame, depth):
        """What follows a verb of this frame."""
        draws = self.draws
        if frame == "TRANSITIVE":
            return self.object(depth) + (self.place(0) if draws.chance(0.2) else self.adverb(0.2))
        if frame == "MOTION":
            return [("to", "ADP")] + self.object(depth)
        if frame == "SAYING":
            return [("that", "SCONJ")] + self.clause(depth - 1)
        if frame == "WANTING":
            return [("to", "PART")] + self.base_phrase(depth - 1)
        if frame == "TELLING":
            return self.object(0) + [("to", "PART")] + self.base_phrase(depth - 1)
        if frame == "GIVING":
            return self.object(0) + [("to", "ADP")] + self.object(0)
        if frame == "PERCEIVING":
            return self.object(0) + self.base_phrase(depth - 1)
        if draws.chance(0.08):
            return [("like", "ADP")] + self.object(0)
        return self.adverb(0.35) + (self.place(depth) if draws.chance(0.35) else [])

    def frame(self, depth):
        simple = {"INTRANSITIVE": 30, "TRANSITIVE": 40, "MOTION": 8, "GIVING": 8}
        return self.draws.weighted(
            simple | ({"SAYING": 6, "WANTING": 9, "TELLING": 7, "PERCEIVING": 5} if depth else {})
        )

    def base_phrase(self, depth):
        """run fast, cook the fish: a verb without tense, with what follows it."""
        frame = self.frame(max(depth, 0))
        return [(self.verb(frame).base, "VERB")] + self.complement(frame, max(depth, 0))

    def copula(self, agreement, depth):
        be = [(self.draws.choice(BE[agreement]), "AUX")]
        if self.draws.chance(0.3):
            return be + self.place(depth)
        degree = [(self.draws.choice(lexicon.DEGREES), "ADV")] if self.draws.chance(0.3) else []
        return be + degree + [(self.draws.weighted(self.predicates), "ADJ")]

    def verb_phrase(self, agreement, depth):
        draws = self.draws
        form = draws.weighted(
            {"present": 28, "past": 28, "modal": 14, "progressive": 8, "perfect": 7, "negated": 6, "copula": 10}
        )
        if form == "copula":
            return self.copula(agreement, depth)
        if form == "modal":
            negation = [("not", "PART")] if draws.chance(0.15) else []
            return [(draws.choice(lexicon.MODALS), "AUX")] + negation + self.base_phrase(depth)
        if form == "negated":
            do = draws.choice(["does" if agreement == "third" else "do", "did"])
            return [(do, "AUX"), ("not", "PART")] + self.base_phrase(depth)
        frame = self.frame(max(depth, 0))
        verb = self.verb(frame)
        rest = self.complement(frame, max(depth, 0))
        if form == "progressive":
            return [(draws.choice(BE[agreement]), "AUX"), (verb.progressive, "VERB")] + rest
        if form == "perfect":
            have = draws.choice(["has" if agreement == "third" else "have", "had"])
            return [(have, "AUX"), (verb.participle, "VERB")] + rest
        frequency = [(draws.choice(lexicon.FREQUENCIES), "ADV")] if draws.chance(0.08) else []

        def inflected(verb):
            if form == "past":
                return verb.past
            return verb.third_person if agreement == "third" else verb.base

        if frame == "INTRANSITIVE" and draws.chance(0.2):
            other = self.verb("INTRANSITIVE")
            return frequency + [(inflected(verb), "VERB"), ("and", "CCONJ"), (inflected(other), "VERB")] + rest
        return frequency + [(inflected(verb), "VERB")] + rest

    def clause(self, depth):
        subject, agreement = self.noun_phrase(max(depth, 0), subject=True)
        return subject + self.verb_phrase(agreement, depth)

    def question(self):
        subject, agreement = self.noun_phrase(0, subject=True)
        do = "does" if agreement == "third" else "do"
        auxiliary = self.draws.choice([do, "did", *self.draws.shuffled(lexicon.MODALS)[:2]])
        return [(auxiliary, "AUX")] + subject + self.base_phrase(1) + [("?", "PUNCT")]

    def statement(self):
        draws = self.draws
        clause = self.clause(2)
        if draws.chance(0.12):
            clause += [(draws.choice(lexicon.CONJUNCTIONS), "SCONJ")] + self.clause(1)
        elif draws.chance(0.1):
            opening = [(draws.choice(lexicon.CONJUNCTIONS), "SCONJ")] + self.clause(1)
            clause = opening + [(",", "PUNCT")] + clause
        return clause + [(".", "PUNCT")]

    def sentence(self):
        return self.question() if self.draws.chance(0.15) else self.statement()


def main():
    folder = folder_argument("make_tagging.py MODEL_FOLDER")
    grammar = Grammar(Draws(SEED))
    pairs = {}
    while len(pairs) < TRAIN + TEST:
        sentence = grammar.sentence()
        if len(sentence) <= LONGEST:
            words, tags = zip(*sentence)
            pairs.setdefault(" ".join(words), " ".join(tags))
    pairs = list(pairs.items())
    write_pairs(folder / "train.tsv", pairs[:TRAIN])
    write_pairs(folder / "test.tsv", pairs[TRAIN:])
    write_lines(folder / "sample.txt", [words for words, _ in pairs[TRAIN : TRAIN + SAMPLE]])


if __name__ == "__main__":
    main()
