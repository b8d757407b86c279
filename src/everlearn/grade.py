"""A generated reply and the name of a check in, right or wrong out; no model and no judge involved."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from everlearn.errors import PluginError
from everlearn.interpreter import CallError, Function, run, show
from everlearn.settings import nearest

LONGEST_ENTRY = 3
"""Words; an entry of a comma list that is longer is a sentence with a comma in it."""

ROLE_TAG = re.compile(r"<\|[^|]*\|>|^\s*(user|assistant|system)\s*:|(user|assistant|system)\n", re.I | re.M)
"""What shows that the reply has run on into the next turn, or that a control token was spelled out."""

FENCE = re.compile(r"```\w*\s*(.*?)\s*```", re.S)


class Reply(NamedTuple):
    """What the model wrote, with control tokens spelled out except for the one that ended it."""

    text: str
    finished: bool
    """Whether it ended by itself, with the end-of-turn token."""
    tokens: int
    """How many it has, the end-of-turn token not counted."""


def check(name: str, argument: str, reply: Reply) -> bool:
    """Whether `reply` passes the check called `name`; what `argument` means is the check's affair.

    Only `contains` and `starts_with` accept a reply that was cut off: the others judge its end.

    Raises:
        PluginError: no such check (the hint has the nearest name), or an argument it cannot read.
    """
    if name not in CHECKS:
        raise PluginError(f"there is no check called {name!r}", nearest(name, CHECKS))
    return CHECKS[name](argument, reply)


def contains(argument: str, reply: Reply) -> bool:
    """The reply holds the argument as whole words, in any case."""
    return re.search(rf"(?<!\w){re.escape(argument)}(?!\w)", reply.text, re.IGNORECASE) is not None


def equals(argument: str, reply: Reply) -> bool:
    """The reply is the argument, but for case, white space and final punctuation."""
    return reply.finished and _normal(reply.text) == _normal(argument)


def uppercase(argument: str, reply: Reply) -> bool:
    """The reply is in capitals and holds the argument, if there is one."""
    return reply.finished and reply.text.isupper() and _holds(argument, reply)


def lowercase(argument: str, reply: Reply) -> bool:
    """The reply is in small letters and holds the argument, if there is one."""
    return reply.finished and reply.text.islower() and _holds(argument, reply)


def one_word(argument: str, reply: Reply) -> bool:
    """The reply is one word: the argument, if there is one."""
    return reply.finished and len(reply.text.split()) == 1 and _holds(argument, reply)


def json_object(argument: str, reply: Reply) -> bool:
    """The reply is a JSON object (a code fence is allowed) with the comma-separated keys of the argument."""
    fenced = FENCE.fullmatch(reply.text.strip())
    try:
        value = json.loads(fenced[1] if fenced else reply.text)
    except json.JSONDecodeError:
        return False
    keys = {key.strip() for key in argument.split(",") if key.strip()}
    return reply.finished and isinstance(value, dict) and keys <= value.keys()


def comma_list(argument: str, reply: Reply) -> bool:
    """The reply is one line of as many short entries, with commas between them, as the argument says."""
    entries = [entry.split() for entry in reply.text.strip().split(",")]
    short = all(0 < len(entry) <= LONGEST_ENTRY for entry in entries)
    return reply.finished and short and "\n" not in reply.text.strip() and len(entries) == _number(argument)


def starts_with(argument: str, reply: Reply) -> bool:
    """The reply begins with the argument, in any case."""
    return reply.text.strip().lower().startswith(argument.strip().lower())


def ends_with(argument: str, reply: Reply) -> bool:
    """The reply ends with the argument, but for case and final punctuation."""
    return reply.finished and _normal(reply.text).endswith(_normal(argument))


def max_words(argument: str, reply: Reply) -> bool:
    """The reply has at least one word and at most as many as the argument says."""
    return reply.finished and 0 < len(reply.text.split()) <= _number(argument)


def regex(argument: str, reply: Reply) -> bool:
    """The whole reply, without white space around it, matches the argument."""
    try:
        return reply.finished and re.fullmatch(argument, reply.text.strip(), re.DOTALL) is not None
    except re.error as error:
        raise PluginError(f"{argument!r} is no regular expression: {error}", "mend the pattern") from None


def chat(argument: str, reply: Reply) -> bool:
    """The reply keeps to the chat: says something, stops within as many tokens as the argument says (if it
    says so), spells no role tag or control token, and never repeats four words in a row three times."""
    words = reply.text.lower().split()
    runs = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    loops = any(count >= 3 for count in runs.values())
    in_time = not argument or reply.tokens <= _number(argument)
    return reply.finished and bool(words) and in_time and not loops and not ROLE_TAG.search(reply.text)


def evaluates(argument: str, reply: Reply) -> bool:
    """The reply is one call in the language of `everlearn.interpreter` which gives the wanted value.

    The argument is a JSON object: `functions` (by name, the operation and the order of its parameters in a call),
    `value` (as `interpreter.show` writes it) and `uses` (names that must have run, in this order, each once, so that no
    literal passes, nor what gives the same the other way round; in a nest the inner one runs first).
    """
    wanted = _wanted(argument)
    try:
        outcome = run(reply.text.strip().rstrip("."), wanted.functions)
    except CallError:
        return False
    used = [name for name in outcome.used if name in wanted.uses]
    return reply.finished and show(outcome.value) == wanted.value and used == wanted.uses


CHECKS: dict[str, Callable[[str, Reply], bool]] = {
    function.__name__: function
    for function in (
        contains,
        equals,
        uppercase,
        lowercase,
        one_word,
        json_object,
        comma_list,
        starts_with,
        ends_with,
        max_words,
        regex,
        chat,
        evaluates,
    )
}
"""Every check by its name, which is what `Question.grade` holds."""


class _Wanted(NamedTuple):
    functions: dict[str, Function]
    value: str
    uses: list[str]


def _wanted(argument: str) -> _Wanted:
    try:
        read = json.loads(argument)
        functions = {name: Function(operation, tuple(order)) for name, (operation, order) in read["functions"].items()}
        if any(sorted(function.order) != list(range(len(function.order))) for function in functions.values()):
            raise ValueError("an order that leaves out a parameter")
        return _Wanted(functions, str(read["value"]), list(read["uses"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        hint = 'such as {"functions": {"f": ["take", [0, 1]]}, "value": "(5, 2)", "uses": ["f"]}'
        raise PluginError(f"this check needs functions, a value and uses, not {argument!r}", hint) from None


def _holds(argument: str, reply: Reply) -> bool:
    return not argument or contains(argument, reply)


def _normal(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".!?\"' ")


def _number(argument: str) -> int:
    if not argument.strip().isdecimal():
        raise PluginError(f"this check needs a whole number, not {argument!r}", "give it a number such as 3")
    return int(argument)
