"""A seed in, questions on small sums, differences, products, quotients, order and number words out."""

from __future__ import annotations

from everlearn.general.contract import Frame, GeneralSkill, Row, Topic
from everlearn.records import Question

WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


class Arithmetic(GeneralSkill):
    """Reckoning with small numbers."""

    def questions(self, seed: int) -> list[Question]:
        """Every operation on every pair of small numbers, in one phrasing each."""
        return self.draw(_topics(), count=72, seed=seed)


def _topics() -> list[Topic]:
    small = range(1, 11)
    sums = [_row(a, b, a + b) for a in small for b in small]
    products = [_row(a, b, a * b) for a in range(2, 11) for b in range(2, 11)]
    quotients = [_row(a * b, b, a) for a in range(2, 11) for b in range(2, 11)]
    differences = [_row(a, b, a - b) for a in range(3, 13) for b in range(1, a)]
    two, five, three = [_row(2, 2, 4)], [_row(5, 3, 8)], [_row(3, 3, 9)]
    return [
        Topic(
            sums,
            [
                Frame("What is {0} + {1}?", ("{0} + {1} = {2}",), tuple(two)),
                Frame("{0} + {1} =", ("{0} + {1} = {2}",), tuple(two + five)),
            ],
        ),
        Topic(
            products,
            [
                Frame("What is {0} * {1}?", ("{0} * {1} = {2}",), tuple(three)),
                Frame("What is {0} times {1}?", ("{0} times {1} is {2}.", "{0} * {1} = {2}."), tuple(three)),
                Frame("{0} x {1}", ("{0} x {1} = {2}",), tuple(three)),
            ],
        ),
        Topic(
            quotients,
            [Frame("What is {0} divided by {1}?", ("{0} divided by {1} is {2}.",), (_row(12, 4, 3),))],
        ),
        Topic(differences, [Frame("What is {0} - {1}?", ("{0} - {1} = {2}",), (_row(7, 2, 5), _row(9, 6, 3)))]),
        *_order(),
    ]


def _order() -> list[Topic]:
    pairs = [(a, b) for a in range(3, 100, 7) for b in range(2, 100, 11) if a != b]
    larger = [_row(a, b, max(a, b)) for a, b in pairs]
    after = [(str(number), str(number + 1)) for number in range(1, 24)]
    counts = [
        (", ".join(str(start + step * place) for place in range(4)), str(start + step * 4))
        for step in (1, 2, 5, 10)
        for start in range(step, step * 8, step)
    ]
    words = [(str(number), word) for number, word in enumerate(WORDS) if number != 3]
    return [
        Topic(
            larger,
            [
                Frame(
                    "Which number is larger, {0} or {1}?",
                    ("The larger number is {2}.",),
                    (_row(3, 8, 8), _row(40, 12, 40)),
                )
            ],
        ),
        Topic(
            after,
            [
                Frame("What number comes after {0}?", ("The number after {0} is {1}.",), (("3", "4"),)),
                Frame("What is one more than {0}?", ("One more than {0} is {1}.",), (("3", "4"),)),
            ],
        ),
        Topic(
            counts,
            [Frame("What comes next: {0}?", ("The next number is {1}.",), (("11, 12, 13, 14", "15"),))],
        ),
        Topic(
            words,
            [
                Frame(
                    "Write the number {0} as a word.",
                    ('The number {0} is written "{1}".',),
                    (("3", "three"),),
                ),
                Frame("Write the number {1} in digits.", ("The number {1} is {0}.",), (("3", "three"),)),
            ],
        ),
    ]


def _row(*numbers: int) -> Row:
    return tuple(str(number) for number in numbers)
