"""The report page: that it loads nothing, that no text of a user becomes markup, and that all can read it."""

import base64
import hashlib
import re
from dataclasses import replace

from made_up_store import Week, fill, general_questions, three_weeks
from page_reader import Page
from payloads import PAYLOADS

from everlearn.report.page import Note, render, write_report
from everlearn.store import Store


def test_the_page_loads_nothing(page, read):
    assert not re.search(r"https?://|//[a-z]|@import|url\(", page)
    assert {name for element in read.elements for name in element.attributes} & {
        "src",
        "srcset",
        "action",
        "data",
    } == set()
    links = [element.attributes["href"] for element in read.elements if "href" in element.attributes]
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert {element.tag for element in read.elements} & {"iframe", "img", "object", "embed", "base", "form"} == set()


def test_the_policy_allows_this_script_and_this_style_and_nothing_else(read):
    (policy,) = [e.attributes["content"] for e in read.all("meta") if "http-equiv" in e.attributes]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for name, text in read.inside.items():
        found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{found}'"
        assert len(text) > 500
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    assert len(read.all("script")) == len(read.all("style")) == 1


def test_nothing_is_inline_that_the_policy_forbids(read):
    names = {name for element in read.elements for name in element.attributes}
    assert not [name for name in names if name.startswith("on") or name == "style"]


def test_every_link_has_a_target_and_every_id_is_there_once(read):
    names = [element.attributes["id"] for element in read.elements if "id" in element.attributes]
    assert len(names) == len(set(names))
    for element in read.elements:
        for name in ("href", "aria-labelledby"):
            target = element.attributes.get(name, "").removeprefix("#")
            assert not target or target == "data:," or target in names


def test_pictures_have_words_and_tables_have_headings(read):
    for picture in read.all("svg"):
        assert "aria-label" in picture.attributes or picture.attributes.get("aria-hidden") == "true"
    assert read.all("th", "scope", "row")
    assert read.all("th", "scope", "col")
    assert [e.attributes["lang"] for e in read.all("html")] == ["en"]


# --- text of users -----------------------------------------------------------------------------------------


def speaking(text):
    """Three weeks in which every text of a user is `text` and a number."""
    weeks = []
    for number, week in enumerate(three_weeks()):
        asked = tuple(
            replace(
                question,
                messages=(replace(question.messages[0], content=f"{text} {number}.{place}"),),
                gold=(f"{text} gold {place}", text),
                group=f"{text} {question.group}" if question.group else "",
            )
            for place, question in enumerate(week.stage.questions[::8])
        )
        named = {"name": f"{text} {number}", "source": text, "trust": text, "date": text}
        weeks.append(Week(replace(week.stage, questions=asked, **named), week.right, week.before, method=text))
    return weeks


def report_of(text, folder):
    folder.mkdir()
    store = Store.create(folder)
    asked = tuple(replace(q, gold=(text,), group=f"{text} {q.group}") for q in general_questions()[::20])
    fill(store, speaking(text), (0.5, 0.5, 0.5), asked)
    note = Note(text, (text, text), ((text, text),), text)
    return write_report(store, folder / "report.html", extra=[note]).read_text(encoding="utf-8")


def test_no_text_of_a_user_becomes_markup_on_its_way_through_a_store(tmp_path):
    everything = " ".join(PAYLOADS)
    harmless, hostile = (
        Page(report_of(text, tmp_path / name)) for name, text in (("harmless", "harmless"), ("hostile", everything))
    )
    assert harmless.text.count("harmless") > 100
    assert hostile.text.count(everything) == harmless.text.count("harmless")
    assert hostile.shape == harmless.shape
    assert hostile.inside == harmless.inside


def test_the_shape_of_the_page_does_not_depend_on_what_users_write(recording):
    def said(text):
        first = recording.versions[1]
        commit = replace(first.commit, message=text, method=text, model=text, created=text, settings={text: text})
        version = first._replace(commit=commit, stage=replace(first.stage, name=text))
        questions = {
            key: replace(question, messages=(replace(question.messages[-1], content=text),), gold=(text,), grade=text)
            for key, question in recording.questions.items()
        }
        versions = (recording.versions[0], version, *recording.versions[2:])
        return Page(render(recording._replace(versions=versions, questions=questions)))

    harmless = said("harmless")
    for payload in PAYLOADS:
        hostile = said(payload)
        assert hostile.shape == harmless.shape, payload
        assert hostile.text.count(payload) == harmless.text.count("harmless"), payload


# --- colours -----------------------------------------------------------------------------------------------


def themes_of(read):
    """The named colours in light and in dark."""
    blocks = re.findall(r":root \{(.*?)\}", read.inside["style"], re.S)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_text_can_be_read_on_every_colour_in_light_and_dark(read):
    themes = themes_of(read)
    assert len(themes) == 2
    for theme in themes:
        for step in range(11):
            ink = theme["ink-low" if step <= 6 else "ink-high"]
            assert contrast(theme[f"heat-{step}"], ink) >= 4.5, step
        for ink in ("ink", "soft", "learnt", "kept", "right", "wrong"):
            for ground in ("paper", "panel"):
                assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)


def test_heat_grows_with_the_share_right(read):
    light, dark = ([luminance(theme[f"heat-{step}"]) for step in range(11)] for theme in themes_of(read))
    assert light == sorted(light, reverse=True)
    assert dark == sorted(dark)
