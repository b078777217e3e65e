#!/usr/bin/env python3
"""Makes the data of models/translate: dates as English writes them, and the same dates as ISO 8601.

    python3 tools/python/data/make_translate.py models/translate

Every date of 1900 to 2099 is written at most once, so no date of the test set is in the training set in any
phrasing; a second test set has dates of years that the training set never names. Years have four digits or are spelled
out, and a month is never a number but after its year, so each phrasing means one date. Needs only the standard library;
the same bytes every time.
"""

from datetime import date, timedelta

from draws import Draws
from files import folder_argument, write_lines, write_pairs

SEED = 1
FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
UNSEEN_YEARS = 10
TRAIN, TEST, TEST_YEARS = 30_000, 2_000, 500
SAMPLE = 20

UNITS = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
UNITS += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"]
MONTHS += ["November", "December"]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def cardinal(number, hyphen="-"):
    """1 to 99 in words."""
    if number < 20:
        return UNITS[number]
    tens, units = divmod(number, 10)
    return TENS[tens] + (hyphen + UNITS[units] if units else "")


def ordinal(number, hyphen="-"):
    """first to ninety-ninth."""
    head, last = cardinal(number, hyphen), ""
    for mark in ("-", " "):
        if mark in head:
            head, last = head.split(mark)
            head += mark
    if not last:
        head, last = "", head
    if last in IRREGULAR_ORDINALS:
        return head + IRREGULAR_ORDINALS[last]
    return head + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def suffixed(number):
    """1st to 31st, in digits."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if 10 < number < 20 else endings.get(number % 10, 'th')}"


def year_in_words(year, draws):
    century, rest = divmod(year, 100)
    hyphen = draws.choice("- ")
    if rest == 0:
        return "two thousand" if century == 20 else cardinal(century) + " hundred"
    spoken = f"{cardinal(century)} {cardinal(rest, hyphen)}"
    if rest < 10:
        spoken = f"{cardinal(century)} oh {cardinal(rest)}"
    joint = draws.choice([" ", " and "])
    if century == 20 and (rest < 10 or draws.chance(0.3)):
        return f"two thousand{joint}{cardinal(rest, hyphen)}"
    if century == 19 and draws.chance(0.15):
        return f"nineteen hundred{joint}{cardinal(rest, hyphen)}"
    return spoken


def year_of(day, draws):
    return year_in_words(day.year, draws) if draws.chance(0.4) else str(day.year)


def month_of(day, draws):
    name = MONTHS[day.month - 1]
    if name != "May" and draws.chance(0.3):
        return name[:3] + draws.choice(["", "."])
    return name


def ordinal_of(day, draws):
    return ordinal(day.day, draws.choice("- ")) if draws.chance(0.5) else suffixed(day.day)


def day_first(day, draws):
    joint = draws.choice([" ", ", "])
    return f"{draws.choice([str(day.day), ordinal_of(day, draws)])} {month_of(day, draws)}{joint}{year_of(day, draws)}"


def day_of_month(day, draws):
    article = draws.choice(["the ", "the ", ""])
    joint = draws.choice([" ", ", ", " in the year ", " in "])
    return f"{article}{ordinal_of(day, draws)} of {month_of(day, draws)}{joint}{year_of(day, draws)}"


def month_first(day, draws):
    written = draws.choice([str(day.day), ordinal_of(day, draws), "the " + ordinal_of(day, draws)])
    # Digits beside digits need the comma.
    joint = ", " if written[-1].isdigit() else draws.choice([" ", ", "])
    return f"{month_of(day, draws)} {written}{joint}{year_of(day, draws)}"


def year_first(day, draws):
    written = draws.choice([str(day.day), "the " + ordinal_of(day, draws)])
    return f"{year_of(day, draws)}{draws.choice([' ', ', '])}{month_of(day, draws)} {written}"


def year_then_day(day, draws):
    return f"in {year_of(day, draws)}, on the {ordinal_of(day, draws)} of {month_of(day, draws)}"


def digits(day, draws):
    if draws.chance(0.5):
        return day.strftime("%Y/%m/%d")
    return f"{day.year}/{day.month}/{day.day}"


ORDERS = {day_first: 25, day_of_month: 25, month_first: 28, year_first: 9, year_then_day: 8, digits: 5}


def phrasing(day, draws):
    """One of the ways in which people write this date."""
    order = draws.weighted(ORDERS)
    text = order(day, draws)
    if order in (day_first, day_of_month, month_first) and draws.chance(0.2):
        weekday = WEEKDAYS[day.weekday()]
        text = draws.choice([weekday, weekday[:3]]) + draws.choice([" ", ", "]) + text
    return text.lower() if draws.chance(0.5) else text


def main():
    folder = folder_argument("make_translate.py MODEL_FOLDER")
    draws = Draws(SEED)
    years = draws.shuffled(range(FIRST.year, LAST.year + 1))
    unseen_years = set(years[:UNSEEN_YEARS])
    days = draws.shuffled([FIRST + timedelta(days=k) for k in range((LAST - FIRST).days + 1)])

    def examples(days):
        return [(phrasing(day, draws), day.isoformat()) for day in days]

    pairs = examples([day for day in days if day.year not in unseen_years][: TEST + TRAIN])
    write_pairs(folder / "test.tsv", pairs[:TEST])
    write_pairs(folder / "train.tsv", pairs[TEST:])
    write_lines(folder / "sample.txt", [text for text, _ in pairs[:SAMPLE]])
    write_pairs(folder / "test-years.tsv", examples([day for day in days if day.year in unseen_years][:TEST_YEARS]))


if __name__ == "__main__":
    main()
