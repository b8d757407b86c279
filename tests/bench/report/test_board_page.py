"""The benchmark's page: what it says, that it loads nothing, and that no text of others becomes markup."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace

import pytest
from hand_made_cases import Given, case_of
from made_up_cases import METHODS, board_of, cases_of

from everlearn.bench.agreement import agreement
from everlearn.bench.report.agreed import based_on
from everlearn.bench.report.content import Beside, Board, Facts
from everlearn.bench.report.page import headline, render, write_page
from everlearn.bench.report.scoring import installed, score
from everlearn.errors import EverlearnError
from report.page_reader import Page
from report.payloads import PAYLOADS

MARKS = ("0000", "1100", "1011")


def part(page, name):
    return Page(page.split(f'<section id="{name}"')[1].split('<section id="')[0])


def rows_of(**figures):
    """Rows of methods with JNS and rho on five streams; where one method is lucky the next one is not."""
    noise = {1: -0.01, 2: 0.0, 3: 0.01, 4: -0.01, 5: 0.01}
    cases = tuple(case_of(name, MARKS, stream) for name in figures for stream in noise)
    signs = dict(zip(figures, (1, -1) * len(figures), strict=False))
    given = {
        score: Given(score, {(n, s): f[place] + signs[n] * noise[s] for n, f in figures.items() for s in noise})
        for place, score in enumerate(("JNS", "rho"))
    }
    return score(Board(cases), given)


# --- what it says ------------------------------------------------------------------------------------------


def test_the_headline_names_the_leaders_and_says_where_a_lead_is_not_sure():
    assert headline(rows_of(a=(0.9, 0.9), b=(0.5, 0.5))) == (
        "A comes closest to joint training and loses least of the general skills"
    )
    assert headline(rows_of(a=(0.9, 0.5), b_c=(0.89, 0.9))) == (
        "A comes closest to joint training (not clearly ahead of b c) and b c loses least of the general skills"
    )
    assert headline(rows_of(a=(0.9, 0.9), b=(0.89, 0.89))) == (
        "A comes closest to joint training and loses least of the general skills (neither clearly ahead of b)"
    )
    assert headline(rows_of(a=(0.9, 0.9), b=(0.89, 0.5))) == (
        "A comes closest to joint training (not clearly ahead of b) and a loses least of the general skills"
    )


def test_a_small_lead_that_every_stream_shows_is_sure():
    streams = (1, 2, 3, 4, 5)
    cases = tuple(case_of(name, MARKS, stream) for name in "ab" for stream in streams)
    wide = {stream: stream / 10 for stream in streams}  # far apart, both alike
    found = {("a", s): wide[s] + 0.01 + s / 10_000 for s in streams} | {("b", s): wide[s] for s in streams}
    assert headline(score(Board(cases), {"JNS": Given("JNS", found)})) == "A comes closest to joint training"


def test_few_streams_make_no_headline():
    cases = tuple(case_of(name, MARKS, stream) for name in "ab" for stream in (1, 2))
    found = {(name, stream): {"a": 0.9, "b": 0.1}[name] for name in "ab" for stream in (1, 2)}
    said = headline(score(Board(cases), {"JNS": Given("JNS", found)}))
    assert said == "2 methods, read row by row: 2 streams cannot tell which is better"


def test_the_headline_of_a_single_method_makes_no_comparison():
    assert headline(rows_of(a=(0.9, 0.9))) == "1 method, read row by row"


def test_the_parts_come_in_order(page):
    names = (
        "leaderboard profile matrices fading orders plots scaling kinds comparisons answers scores run glossary".split()
    )
    places = [page.index(f'<section id="{name}"') for name in names]
    assert places == sorted(places)


def test_the_leaderboard_has_methods_and_apart_from_them_references(page, read):
    table = page.split('<table class="board">')[1].split("</table>")[0]
    methods, references = (Page(body) for body in table.split("<tbody>")[1:])
    assert [e.attributes["data-value"] for e in methods.all("th")] == ["anchored", "replay", "finetune", "nothing"]
    assert [e.attributes.get("data-value") for e in references.all("th")][1:] == ["base", "joint", "solo", "context"]
    assert "full replay" in methods.text
    assert "nothing trained" in methods.text
    assert len(Page(table).all("button")) == 11


def test_every_mean_stands_in_the_leaderboard_with_its_interval(page, rows):
    text = part(page, "leaderboard").text
    for row in rows:
        scored = row.scores["rho"].spread
        if scored:
            assert f"{scored.value:.2f}" in text
            if scored.low != scored.high:
                assert f"{scored.low:.2f}".replace("-", "−") in text


def test_a_mean_that_covers_fewer_streams_says_of_how_many():
    cases = tuple(case_of(name, MARKS, stream) for name in "ab" for stream in (1, 2, 3))
    values = {("a", 1): 0.5, ("a", 3): 0.5, **{("b", stream): 0.5 for stream in (1, 2, 3)}}
    page = render(Board(cases), {"given": Given("OW", values)})
    for name in ("leaderboard", "profile", "scores"):
        text = part(page, name).text
        assert text.count("2 of 3 streams") == 1, name
        assert "3 of 3" not in text


def test_each_method_that_learns_stage_by_stage_has_a_matrix_and_a_curve(page):
    matrices = Page(page[page.index('<section id="matrices"') : page.index('<section id="fading"')])
    assert len(matrices.all("table", "class", "heat")) == len(matrices.all("a")) == 4
    assert len(part(page, "fading").all("figure")) == 4


def test_scores_say_what_they_ask_and_why_they_are_missing(page):
    text = part(page, "scores").text
    for name, desideratum in installed().items():
        assert f"{name.replace('_', ' ')} {' '.join(desideratum.question.split())}" in text
    assert "not one model" in text


def test_how_it_was_run_is_told(page, board):
    text = part(page, "run").text
    facts = board.facts
    for said in (facts.command, facts.commit, facts.answers, facts.machine, *facts.salts.values()):
        assert said in text
    assert "full replay its memory holds nearly all of the raw stream" in text
    assert "learning_rate 0.0003" in text


def test_comparisons_are_in_plain_words(page):
    text = part(page, "comparisons").text
    assert text.count("anchored − replay") == 3
    assert "not enough evidence" in text


def test_the_glossary_has_every_column(page):
    text = part(page, "glossary").text
    for term in ("ρ, rho", "JNS", "LA", "BWT", "forgetting", "CS cross", "OW", "AU", "FLOPs", "bytes", "full replay"):
        assert term in text


def test_answers_are_in_the_page(read, board):
    (data,) = (e for e in read.all("script") if e.attributes)
    assert data.attributes == {"type": "text/plain", "id": "recorded"}
    packed = read.inside["script"].split("\n")[0].split('"use strict"')[0].strip()
    recorded = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert len(recorded["probes"]["prompt"]) == sum(len(case.probes) for case in board.cases[:2])
    assert [method["name"] for method in recorded["methods"]][:4] == ["anchored", "replay", "finetune", "nothing"]


def test_notes_stand_above_all_figures(board):
    noted = render(replace(board, notes=("left out of all scores: trust", "replay: 1 of 2 streams not finished")), {})
    box = noted[noted.index('<div class="notes"') : noted.index('<section id="leaderboard"')]
    assert [element.tag for element in Page(box).elements].count("li") == 2
    assert "Before you read the figures left out of all scores: trust" in Page(box).text
    assert 'class="notes"' not in render(board, {}), "nothing to say"


def test_the_spread_over_orders_of_every_method_is_told(page, rows):
    text = part(page, "orders").text
    for row in rows:
        if row.orders:
            assert f"{row.method}{row.orders.spread:.2f}" in text
    assert "another order of families, and another world" in text


def test_another_tier_is_put_beside(board):
    ranked = agreement("CS_cross", {"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 1, "c": 3})
    other = Beside("tier smollm2", "135M", ("a", "b", "c"), (ranked,))
    text = part(render(replace(board, beside=other), {}), "agreement").text
    assert "Beside tier smollm2, 135M" in text
    assert "CS cross0.501.0000.331.0003" in text
    assert "Based on 3 methods that both have: a, b, c." in text
    assert "With fewer than about 8 hardly anything can be told; p cannot be below 0.33." in text
    assert 'id="agreement"' not in render(board, {})


def test_enough_methods_are_not_called_few():
    assert based_on(Beside("t", "", tuple("abcdefgh"), ())) == (
        "Based on 8 methods that both have: a, b, c, d, e, f, g, h."
    )
    assert based_on(Beside("t", "", tuple("abcdefg"), ())).endswith("p cannot be below 0.0004.")


# --- other boards ------------------------------------------------------------------------------------------


def test_a_board_of_one_case_without_anything_beside_it():
    page = render(Board((case_of("a", MARKS),), "mine"), installed())
    text = Page(page).text
    assert "1 method and 1 reference on 1 stream of 2 stages; 4 questions." in text
    for gone in ("scaling", "comparisons"):
        assert f'id="{gone}"' not in page
        assert f'href="#{gone}"' not in page
    assert "inf" not in re.sub(r"[a-z]inf|inf[a-z]", "", Page(page).text)


def test_a_board_without_cases():
    assert "0 methods and 0 references on 0 streams" in Page(render(Board(()), installed())).text


def test_facts_that_are_not_known_are_left_out():
    text = part(render(Board((case_of("a", MARKS),), facts=Facts(command="run")), {}), "run").text
    assert "commandrun" in text
    assert "machine" not in text
    assert "salts" not in text


# --- the file ----------------------------------------------------------------------------------------------


def test_the_same_board_gives_the_same_bytes_and_a_small_page(board, page, tmp_path):
    path = write_page(board, tmp_path / "new" / "again.html")
    assert path.read_text(encoding="utf-8") == page
    assert len(page.encode()) < 700_000


def test_a_path_that_cannot_be_written_is_an_error_with_a_way_out(board, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(EverlearnError, match="cannot write the report"):
        write_page(Board((case_of("a", MARKS),)), tmp_path / "folder", {})


# --- safety ------------------------------------------------------------------------------------------------


def test_the_page_loads_nothing(page, read):
    assert not re.search(r"https?://|//[a-z]|@import|url\(", re.sub(r'id="recorded">[^<]*', "", page))
    names = {name for element in read.elements for name in element.attributes}
    assert not names & {"src", "srcset", "action", "data", "style"}
    assert not [name for name in names if name.startswith("on")]
    links = [element.attributes["href"] for element in read.elements if "href" in element.attributes]
    assert all(link.startswith("#") or link == "data:," for link in links)


def test_the_policy_allows_this_script_and_this_style_and_nothing_else(page, read):
    (policy,) = [e.attributes["content"] for e in read.all("meta") if "http-equiv" in e.attributes]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for name in ("style", "script"):
        (text,) = re.findall(rf"<{name}>(.*?)</{name}>", page, re.S)
        found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{found}'"
        assert len(text) > 500
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    assert "innerHTML" not in page


def test_every_link_has_a_target_and_every_id_is_there_once(read):
    names = [element.attributes["id"] for element in read.elements if "id" in element.attributes]
    assert len(names) == len(set(names))
    for element in read.elements:
        for name in ("href", "aria-labelledby"):
            target = element.attributes.get(name, "").removeprefix("#")
            assert not target or target == "data:," or target in names


def test_tables_have_captions_and_pictures_words(read):
    assert len(read.all("table")) == len(read.all("caption")) > 10
    for picture in read.all("svg"):
        assert "aria-label" in picture.attributes or picture.attributes.get("aria-hidden") == "true"
    labels = [element.attributes["aria-label"] for element in read.all("svg") if "aria-label" in element.attributes]
    assert any("anchored: " in label for label in labels)


def test_no_text_of_others_becomes_markup():
    plain = board_of(cases_of({"a": METHODS["replay"], "b": METHODS["anchored"]}, streams=2), ("a", "b"))

    def said(text):
        cases = tuple(_speaking(case, text) for case in plain.cases)
        facts = replace(plain.facts, command=text, commit=text, model=text, machine=text, ended=text, salts={1: text})
        pairs = tuple(replace(pair, a=text, b=text) for pair in plain.comparisons)
        curves = tuple(replace(curve, method=text, score=text, size=text) for curve in plain.curves)
        other = Beside(text, text, (text, "b"), (agreement(text, {text: 1, "b": 2}, {text: 2, "b": 1}),))
        return Page(render(Board(cases, text, facts, pairs, curves, (text,), other), installed()))

    harmless, hostile = said("harmless"), said(" ".join(PAYLOADS))
    assert hostile.shape == harmless.shape
    assert hostile.inside["style"] == harmless.inside["style"]


def _speaking(case, text):
    """The same case, with `text` wherever somebody else could have put it."""
    probes = tuple(
        replace(probe, prompt=text, gold=text, kind=f"{text} {probe.kind}", family=f"{text} {probe.family}")
        for probe in case.probes
    )
    trial = replace(case.trial, method=f"{text} {case.trial.method}", settings={text: text}, labels=(text,))
    return replace(case, trial=trial, probes=probes)
