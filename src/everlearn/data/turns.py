"""A list of turns as a row holds it in, messages out; every turn of the assistant is marked to be learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from everlearn.data.rows import Row, kind_of
from everlearn.records import Message
from everlearn.settings import nearest


@dataclass(frozen=True)
class Spelling:
    """How a format writes a turn."""

    speaker: str = "role"
    """The key of who speaks."""
    content: str = "content"
    """The key of what is said."""
    assistant: str = "assistant"
    """What the format itself calls the assistant, for messages to people."""
    roles: Mapping[str, str] = field(
        default_factory=lambda: {"system": "system", "user": "user", "assistant": "assistant"}
    )
    """Role in the file → role in a message."""

    @property
    def form(self) -> str:
        """A turn as it should look."""
        return f'{{"{self.speaker}": "user", "{self.content}": "..."}}'


CHAT = Spelling()


def messages_of(row: Row, key: str, spelling: Spelling = CHAT) -> tuple[Message, ...]:
    """The turns under `key`.

    Raises:
        DataError: not a list of objects, a key missing, an unknown role, a content that is not a text, or an
            assistant turn that is empty.
    """
    turns = row.values[key]
    if not isinstance(turns, list):
        raise row.error(f'"{key}" is {kind_of(turns)}, not a list', f'write it as "{key}": [{spelling.form}, ...]')
    return tuple(_message(row, number, turn, spelling) for number, turn in enumerate(turns, 1))


def taught_messages(row: Row, key: str, spelling: Spelling = CHAT) -> tuple[Message, ...]:
    """The turns under `key`, of which at least one is the assistant's.

    Raises:
        DataError: as `messages_of`, or there is no turn to learn.
    """
    messages = messages_of(row, key, spelling)
    if not any(message.learn for message in messages):
        raise row.error(
            f'no "{spelling.assistant}" message; each line needs one',
            f'add a turn of the "{spelling.assistant}", or delete the row',
        )
    return messages


def _message(row: Row, number: int, turn: object, spelling: Spelling) -> Message:
    hint = f"write it as {spelling.form}"
    if not isinstance(turn, dict):
        raise row.error(f"message {number} is {kind_of(turn)}, not an object", hint)
    for key in (spelling.speaker, spelling.content):
        if key not in turn:
            raise row.error(f'message {number} has no "{key}"', hint)
    role = row.checked(turn[spelling.speaker], f'"{spelling.speaker}" of message {number}')
    if role not in spelling.roles:
        raise row.error(f'message {number} has the unknown role "{role}"', nearest(role, spelling.roles))
    text = row.checked(turn[spelling.content], f'"{spelling.content}" of message {number}')
    learn = spelling.roles[role] == "assistant"
    if learn and not text.strip():
        raise row.error(
            f'message {number} of the "{role}" is empty', "write the answer to be learnt, or delete the row"
        )
    return Message(spelling.roles[role], text, learn=learn)
