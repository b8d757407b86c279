"""Questions and answers in a page: that they come out as they went in, and what is left out of many."""

import base64
import gzip
import itertools
import json
from collections import Counter

from hand_made_cases import case_of

from everlearn.bench.report.content import Board
from everlearn.bench.report.recorded import LONGEST, pack
from everlearn.bench.report.scoring import score
from everlearn.desiderata.contract import Asked, Case, Moment, Reply, Trial


def unpacked(packed):
    return json.loads(gzip.decompress(base64.b64decode(packed.text)))


def said(recorded, method, place):
    """What a method replied, as the page's script reads it."""
    chosen = next(one for one in recorded["methods"] if one["name"] == method)
    at = chosen["said"][place]
    return recorded["probes"]["gold"][place] if at == -1 else recorded["said"][at]


def question(stream, n):
    """One question, a tenth of them of a second kind."""
    kind = "rare" if n % 10 == 0 else "often"
    prompt, gold = f"{n * 7919 % 10007} {n}?", str(n * 31 % 997)
    return Asked(f"{stream}.{n}", "f", kind, "atom", (1,), "k", 0.0, prompt=prompt, gold=gold)


def many(count, streams=2):
    """A board of `count` questions on each stream."""
    cases = []
    for stream in range(1, streams + 1):
        probes = tuple(question(stream, n) for n in range(count))
        replies = tuple(Reply(probe.id, False, 1.0, text=str(n * 17 % 991)) for n, probe in enumerate(probes))
        moment = Moment(1, replies=replies)
        cases.append(Case(Trial("a", stream, (moment,)), probes, 1, 10, Moment(0)))
    return score(Board(tuple(cases)), {})


def test_what_was_recorded_comes_out():
    rows = score(Board((case_of("a", ("0000", "1100", "1001")), case_of("b", ("0000", "0000", "0000")))), {})
    packed = pack(rows)
    recorded = unpacked(packed)
    assert recorded["probes"]["prompt"] == ["q1.0", "q1.1", "q2.0", "q2.1"]
    assert recorded["probes"]["stages"] == [[1], [1], [2], [2]]
    assert {one["name"]: one["marks"] for one in recorded["methods"]} == {"a": "1001", "b": "0000", "base": "0000"}
    assert [said(recorded, "a", place) for place in range(4)] == ["g", "not p1.1", "not p2.0", "g"]
    assert (packed.shown, packed.asked) == (4, 4)


def test_solo_training_answers_after_each_questions_own_stage():
    rows = score(Board((case_of("a", ("0000", "0000", "0000"), solo=("1011", "1101")),)), {})
    marks = {one["name"]: one["marks"] for one in unpacked(pack(rows))["methods"]}
    assert marks["solo"] == "1001"


def test_a_failed_and_a_missing_reply_are_told_apart():
    probes = tuple(Asked(name, "f", "k", "atom", (1,), "k", 0.0, gold="g") for name in "xyz")
    replies = (Reply("x", False, 0.0, error="too long"), Reply("y", False, 0.0, text=""))
    case = Case(Trial("a", 1, (Moment(1, replies=replies),)), probes, 1, 10, Moment(0))
    recorded = unpacked(pack(score(Board((case,)), {})))
    assert recorded["methods"][0]["marks"] == "!0-"
    assert [said(recorded, "a", place) for place in (0, 1)] == ["too long", ""]


def test_long_texts_are_cut():
    probe = Asked("x", "f", "k", "atom", (1,), "k", 0.0, prompt="p" * 5000, gold="g")
    case = Case(
        Trial("a", 1, (Moment(1, replies=(Reply("x", False, 0.0, text="r" * 5000),)),)), (probe,), 1, 10, Moment(0)
    )
    recorded = unpacked(pack(score(Board((case,)), {})))
    for text in (recorded["probes"]["prompt"][0], said(recorded, "a", 0)):
        assert len(text) == LONGEST
        assert text.endswith("…")


def test_too_many_are_evenly_fewer_of_every_stream_and_kind():
    rows = many(2000)
    whole = pack(rows)
    packed = pack(rows, len(whole.text) // 3)
    assert len(packed.text) <= len(whole.text) // 3
    assert (whole.shown, packed.asked) == (4000, 4000)
    assert 800 < packed.shown < 2000
    recorded = unpacked(packed)
    counts = Counter(zip(recorded["probes"]["stream"], recorded["probes"]["kind"], strict=True))
    rare, often = recorded["kinds"].index("rare"), recorded["kinds"].index("often")
    for stream in (1, 2):
        assert abs(counts[stream, often] / counts[stream, rare] - 9) < 0.7
    numbers = [int(prompt.split()[1][:-1]) for prompt in recorded["probes"]["prompt"]]
    assert max(b - a for a, b in itertools.pairwise(numbers)) < 60


def test_something_is_left_even_of_a_tiny_page():
    assert pack(many(50), 10).shown == 4


def test_the_same_rows_give_the_same_text():
    assert pack(many(30)).text == pack(many(30)).text
