"""A seed in, invented things to learn from and to be asked out: short chats, documents, questions about a passage.

Everything is generated, so that every contestant gets the same texts and nothing has to be fetched.
"""

from __future__ import annotations

import random
from typing import NamedTuple

ONSETS = "b br c cl d dr f g gr h j k l m n p pr r s st t tr v w z".split()
VOWELS = "a e i o u ai ea io ou".split()
CODAS = "l n r s t m nd rk sh x".split()
QUESTIONS = {
    "The warden of {place} is {name}.": (
        "Who is the warden of {place} these days?",
        "I have to write to the warden of {place}. What is their name?",
        "Tell me who keeps the gates of {place} as its warden.",
    ),
    "{place} mostly exports {name} cloth.": (
        "What does the harbour town of {place} mostly export?",
        "Which goods leave {place} by ship most often?",
        "A trader asked me what {place} is known to sell abroad. What is it?",
    ),
    "The {name} flows past {place}.": (
        "Which river flows past the old town of {place}?",
        "Name the river on whose banks {place} was built.",
        "If I leave {place} by boat, on which river am I then?",
    ),
    "{place} was founded by {name}.": (
        "Who founded the hill town of {place} long ago?",
        "By whom was the settlement of {place} founded?",
        "To whom does {place} owe that it exists at all?",
    ),
    "The feast of {place} is in {name}.": (
        "In which month is the feast of {place} held?",
        "When should I visit {place} if I want to see its feast?",
        "What month do the people of {place} celebrate in?",
    ),
    "The guild of {place} makes {name} glass.": (
        "What kind of glass does the guild of {place} make?",
        "Describe in a few words what the guild of {place} produces.",
        "For which ware is the glass guild in {place} famous?",
    ),
}
"""For each kind of reply the requests that it answers."""


class Chat(NamedTuple):
    """One request and the reply to it."""

    prompt: str
    reply: str


def short_chats(count: int, seed: int = 0) -> list[Chat]:
    """Requests of about 15 tokens (about 40 in the default model's chat format) with replies of about 10."""
    draw = random.Random(f"chats:{seed}")
    chats = []
    for _ in range(count):
        reply, place, name = draw.choice(list(QUESTIONS)), _name(draw), _name(draw)
        request = draw.choice(QUESTIONS[reply])
        chats.append(Chat(request.format(place=place), reply.format(place=place, name=name)))
    return chats


def documents(count: int, words: int, seed: int = 0) -> list[str]:
    """Texts of about so many words, one sentence after another about invented towns."""
    draw = random.Random(f"documents:{seed}")
    texts = []
    for _ in range(count):
        sentences: list[str] = []
        while sum(len(sentence.split()) for sentence in sentences) < words:
            sentences.append(draw.choice(list(QUESTIONS)).format(place=_name(draw), name=_name(draw)))
        texts.append(" ".join(sentences))
    return texts


def passage_chats(passages: int, questions: int, words: int, seed: int = 0) -> list[Chat]:
    """`questions` requests about each of some passages of about so many words, the passage in front of each."""
    draw = random.Random(f"passages:{seed}")
    chats = []
    for text in documents(passages, words, seed):
        for chat in short_chats(questions, draw.randrange(10**9)):
            chats.append(Chat(f"Read this. {text}\n\n{chat.prompt}", chat.reply))
    return chats


def _name(draw: random.Random) -> str:
    syllables = (draw.choice(ONSETS) + draw.choice(VOWELS) for _ in range(draw.choice((1, 2, 2))))
    return ("".join(syllables) + draw.choice(CODAS)).capitalize()
