"""Lines of stdin in, one reply each out."""

import io
import json

from everlearn.cli import chat
from everlearn.records import Message
from everlearn.store import Store


def test_each_line_is_a_turn(call, home, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("What is the code?\n\nWho leads?\n"))
    outcome = call("chat", "--json")
    turns = [json.loads(line) for line in outcome.out.splitlines()]
    assert outcome.code == 0
    assert [turn["user"] for turn in turns] == ["What is the code?", "Who leads?"]
    assert turns[0]["assistant"] == "42"
    assert turns[0]["at"] == Store.open(home).head()


def test_without_json_only_the_replies_are_on_stdout(call, home, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("What is the code?\n"))
    assert call("chat").out == "42\n"


def test_earlier_turns_are_part_of_the_conversation(call, home, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "everlearn.learner.Learner.chat", lambda self, messages, at, limit: seen.append([*messages]) or "!"
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n"))
    call("chat")
    assert [message.content for message in seen[1]] == ["one", "!", "two"]


def test_the_beginning_is_forgotten_where_the_context_ends(tiny, monkeypatch, capsys):
    class Holder:
        model = tiny

    turns = [Message("user", "x" * 200), Message("assistant", "y" * 100), Message("user", "z")]
    assert chat._fitting(Holder(), turns) == turns[2:]
    assert "is forgotten" in capsys.readouterr().err
