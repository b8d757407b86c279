"""A world in, the texts of the rows that its lessons teach out."""

from __future__ import annotations

import re


def rows(world, lesson=None):
    """The turns of every row, of one lesson or of all."""
    chosen = world.lessons if lesson is None else [world.lessons[lesson]]
    return [[message.content for message in row.messages] for taught in chosen for row in taught.examples]


def numbered_rows(world):
    """The turns of every row, each with the number of its lesson."""
    return [(number, turns) for number in range(len(world.lessons)) for turns in rows(world, number)]


def words(text):
    """What is between spaces and signs."""
    return re.findall(r"\w+", text)
