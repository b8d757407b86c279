"""Anchors beside a text of the lesson are the same rows with that text in front of the first request."""

from __future__ import annotations

from everlearn.train.anchors import beside, write_anchors


def test_a_text_stands_in_front_and_is_not_held(tiny):
    anchors = write_anchors(tiny, 8, 12, 0)
    start = len(tiny.chat.opening())
    rows = beside(tiny, anchors, ["Zorb is round."], 0)
    text = tuple(tiny.tokenizer.encode("Zorb is round. ", add_special_tokens=False))
    for row, anchor in zip(rows, anchors.rows, strict=True):
        assert row.ids == (*anchor.ids[:start], *text, *anchor.ids[start:])
        assert row.targets == anchor.targets
        assert not any(row.learn[: start + len(text)])
