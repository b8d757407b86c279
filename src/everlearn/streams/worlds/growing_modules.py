"""A source of words and chance in; the functions of modules to which one lesson after the other adds, out."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from everlearn.interpreter import Function
from everlearn.nonce import Lexicon
from everlearn.streams.worlds.api_functions import INTENTS, Entry
from everlearn.streams.worlds.drawing import shuffled

USUAL_SIZE = 8
"""Functions of a module, where there are enough; there may be len(INTENTS)."""
SHARE = 4
"""Functions that a lesson adds to a module, or one or two fewer; no lesson of two or more adds to one module only."""


def functions(lexicon: Lexicon, lessons: int, items: int, source: random.Random) -> list[Entry]:
    """The functions of each lesson in turn, about half with their arguments turned round in each share of a module."""
    shares = max(min(2, items), math.ceil(items / SHARE))
    count = math.ceil(lessons * items / USUAL_SIZE)
    # Every module gets something from two lessons, where there are two.
    modules = lexicon.some(max(min(2, items), count if lessons == 1 else min(count, lessons * shares // 2)))
    entries: list[Entry] = []
    for lesson in range(lessons):
        # The smallest modules of that moment, so that all of them grow alike.
        sizes = {module: sum(entry.module == module for entry in entries) for module in modules}
        chosen = sorted(shuffled(modules, source), key=lambda module: sizes[module])[:shares]
        for at, module in enumerate(chosen):
            size = len(range(at, items, len(chosen)))
            for order in source.sample([(0, 1), (1, 0)] * size, 2 * size)[:size]:
                operation = _operation(entries, module, lesson, source)
                entries.append(Entry(lexicon.word(), module, lesson, Function(operation, order)))
    return entries


def _operation(entries: Sequence[Entry], module: str, lesson: int, source: random.Random) -> str:
    """What the module cannot do yet: if possible something that the lesson does not teach elsewhere, and that a single
    other module can do, so that it takes the module's name to know which function is wanted."""
    there = {entry.function.operation for entry in entries if entry.module == module}
    in_lesson = [entry.function.operation for entry in entries if entry.lesson == lesson]
    in_world = [entry.function.operation for entry in entries]
    left = [operation for operation in shuffled(list(INTENTS), source) if operation not in there]
    return min(left, key=lambda one: (in_lesson.count(one), in_world.count(one) % 2 == 0, in_world.count(one)))
