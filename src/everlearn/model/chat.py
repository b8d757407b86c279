"""Conversations in, token ids with a loss mask out, by the tokenizer's own chat template.

Each turn that is to be learnt is tokenised by itself and appended to the tokens of everything before it, so
that training sees exactly the tokens that generation will produce.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from everlearn.errors import DataError, ModelError
from everlearn.records import Example, Message, Question

MARKER = "everlearn"
"""Words put into a template to see what stands around them."""


@dataclass(frozen=True)
class Row:
    """One tokenised sequence: `learn[t]` says whether the loss falls on predicting `ids[t]`."""

    ids: tuple[int, ...]
    learn: tuple[bool, ...]

    @property
    def targets(self) -> int:
        """How many tokens the loss falls on."""
        return sum(self.learn)

    @property
    def prompt(self) -> tuple[int, ...]:
        """The tokens before the first target; all where there is none."""
        return self.ids[: self.learn.index(True)] if True in self.learn else self.ids

    @functools.cached_property
    def read(self) -> tuple[int, ...]:
        """The tokens from which all targets are predicted: what stands before the last one; all where there is none."""
        if True not in self.learn:
            return self.ids
        return self.ids[: max(1, len(self.learn) - 1 - self.learn[::-1].index(True))]


class Chat:
    """The chat format of one tokenizer."""

    def __init__(self, tokenizer: Any, context: int) -> None:
        if tokenizer.chat_template is None:
            raise ModelError(
                "this model's tokenizer has no chat template",
                "take an instruction-tuned model, or add a chat_template.jinja to its directory",
            )
        self.tokenizer = tokenizer
        self.context = context
        self.end = self._end_of_turn()

    def example(self, example: Example) -> Row:
        """Tokens of a conversation, or of raw text; sequences beyond the context are cut at its end.

        Raises:
            DataError: nothing is left to learn, because no turn is marked or the cut removed it.
        """
        if example.messages[0].role == "text":
            row = self._raw(example.messages)
        else:
            row = self._conversation(example.messages)
        row = Row(row.ids[: self.context], row.learn[: self.context])
        if not any(row.learn):
            where = f"{example.origin.file}:{example.origin.line}: " if example.origin.file else ""
            raise DataError(
                f"{where}nothing to learn within the context of {self.context} tokens",
                "mark an assistant turn as the target, or shorten what stands before it",
            )
        return row

    def answered(self, question: Question, answer: str) -> Row:
        """Tokens of a question followed by one answer and the end of the turn; only these are `learn`."""
        prompt = self.prompt(question.messages)
        reply = [*self._encode(answer), self.end]
        return Row((*prompt, *reply), (*(False for _ in prompt), *(True for _ in reply)))

    def prompt(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
        """Tokens up to where the assistant begins to speak."""
        return tuple(self._encode(self._render(messages, generate=True)))

    def cue(self, example: Example) -> tuple[int, ...]:
        """What a question about an example is like: what stands before its answer; a text, which asks nothing, as if
        the user said it, as it would else be told by not being a question."""
        if example.messages[0].role == "text":
            return self.prompt((Message("user", example.messages[0].content),))[: self.context]
        return self.example(example).prompt

    @functools.cached_property
    def first(self) -> tuple[int, ...]:
        """The one token with which all conversations begin."""
        return self.prompt((Message("user", "?"),))[:1]

    def opening(self) -> tuple[int, ...]:
        """The tokens up to where a user begins to speak."""
        text = self.tokenizer.decode(self.prompt((Message("user", MARKER),)))
        return tuple(self._encode(text[: text.index(MARKER)]))

    def turn_of(self, role: str) -> tuple[int, ...]:
        """The tokens between the end of a turn and the words of the next one, the `user`'s or the `assistant`'s."""
        turns = {
            "user": (Message("user", "?"), Message("assistant", MARKER), Message("user", MARKER)),
            "assistant": (Message("user", MARKER),),
        }[role]
        behind = self._encode(self.tokenizer.decode(self.prompt(turns)).split(MARKER)[1])
        return tuple(behind[1:] if behind[:1] == [self.end] else behind)

    def openings(self, rows: Sequence[Row]) -> list[Row]:
        """Of each row only the first tokens of what the assistant says are `learn`; rows without any are left out."""
        turn = self.turn_of("assistant")
        size = len(turn)
        begun = [
            Row(
                row.ids,
                tuple(learn and at >= size and row.ids[at - size : at] == turn for at, learn in enumerate(row.learn)),
            )
            for row in rows
            if turn
        ]
        return [row for row in begun if row.targets]

    @functools.cached_property
    def sentence_ends(self) -> frozenset[int]:
        """All tokens with which a sentence may end."""
        pieces = self.tokenizer.batch_decode([[token] for token in range(len(self.tokenizer))])
        return frozenset(token for token, piece in enumerate(pieces) if piece.rstrip().endswith((".", "!", "?")))

    def text(self, ids: list[int]) -> str:
        """The text of some tokens, without special ones."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()

    def pieces(self, ids: tuple[int, ...]) -> list[str]:
        """The text of each token by itself."""
        return [str(self.tokenizer.decode([token])) for token in ids]

    def _conversation(self, messages: tuple[Message, ...]) -> Row:
        ids: list[int] = []
        learn: list[bool] = []
        rendered = ""
        for index, message in enumerate(messages):
            if message.role != "assistant":
                continue
            before = self._render(messages[:index], generate=True)
            self._extend(ids, learn, before[len(rendered) :], False)
            spoken = message.content.strip()
            self._extend(ids, learn, spoken, message.learn)
            ids.append(self.end)
            learn.append(message.learn)
            rendered = before + spoken + self.tokenizer.decode([self.end])
        return Row(tuple(ids), tuple(learn))

    def _raw(self, messages: tuple[Message, ...]) -> Row:
        ids = self._encode("".join(message.content for message in messages))
        start = [self.tokenizer.bos_token_id] if self.tokenizer.bos_token_id is not None else ids[:1]
        body = ids if self.tokenizer.bos_token_id is not None else ids[1:]
        return Row((*start, *body), (*(False for _ in start), *(True for _ in body)))

    def _extend(self, ids: list[int], learn: list[bool], text: str, flag: bool) -> None:
        new = self._encode(text)
        ids.extend(new)
        learn.extend([flag] * len(new))

    def _render(self, messages: tuple[Message, ...], generate: bool) -> str:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=generate))

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def _end_of_turn(self) -> int:
        """The token that the template puts behind an assistant's words."""
        closed = self._render((Message("user", "?"), Message("assistant", MARKER)), generate=False)
        tail = self._encode(closed[closed.rindex(MARKER) + len(MARKER) :].strip())
        return int(tail[0]) if tail else int(self.tokenizer.eos_token_id)
