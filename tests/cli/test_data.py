"""A data file in; format, counts, lengths and loss mask out."""

from everlearn.model.language_model import LanguageModel

from .conftest import write_rows


def test_the_check_of_a_file(call, home):
    out = call("data", "check", "rows.jsonl").out
    assert "format     question_answer\nitems      3 examples\n" in out
    assert "⟦Anna Bell<|end|>⟧" in out


def test_json(call, home):
    found = call("data", "check", "rows.jsonl", "--json").json
    assert found["kinds"] == {"example": 3}
    assert found["target_tokens"] == len("42Anna Bell9:30") + 3
    assert found["context"] == 512


def test_without_a_store_a_model_can_be_chosen(call, fresh, tiny_folder):
    assert call("data", "check", "rows.jsonl", "--model", str(tiny_folder)).code == 0
    assert not (fresh / ".everlearn").exists()


def test_only_the_tokenizer_is_loaded(call, home, monkeypatch):
    monkeypatch.setattr(LanguageModel, "load", lambda name: 1 / 0)
    assert call("data", "check", "rows.jsonl").code == 0


def test_rows_longer_than_the_context_are_found_at_full_length(call, home):
    write_rows(home / "long.jsonl", [("Say x.", "x" * 600), ("Say y.", "y")])
    found = call("data", "check", "long.jsonl", "--json").json
    assert [origin["line"] for origin in found["too_long"]] == [1]
    assert found["lengths"]["longest"] > 600


def test_broken_data(call, home):
    (home / "broken.jsonl").write_text('{"question": "a", "answer": "b"}\n{"question"\n')
    outcome = call("data", "check", "broken.jsonl")
    assert outcome.code == 1
    assert outcome.err.startswith("error: broken.jsonl:2: ")


def test_an_unknown_action(usage_error):
    assert "invalid choice: 'look'" in usage_error("data", "look", "rows.jsonl")
