"""Skill folders in, skills out, or the rule that was broken."""

from pathlib import Path

import pytest

from everlearn.data import read_items, read_questions
from everlearn.records import Origin, Skill

FORM = "begin the file with: ---, name: my-skill, description: when to use it, --- (one per line)"
GOOD = "---\nname: tidy-desk-2\ndescription: Use when the desk is full.\n---\n\n# Steps\n\n1. Sort.\n"


def test_a_folder_is_one_skill(write):
    folder = write("tidy/SKILL.md", GOOD).parent
    skill = Skill("tidy-desk-2", "Use when the desk is full.", "# Steps\n\n1. Sort.", Origin("tidy/SKILL.md", 0))
    for path in (folder, folder / "SKILL.md"):
        reading = read_items(path)
        assert (reading.items, reading.format, reading.notes) == ((skill,), "skill_folder", ())


def test_crlf_quotes_folded_texts_and_further_keys(write):
    front = '---\nname: "a"\ndescription: >\n  One\n  two: three.\nlicense: MIT\ntools: [x]\n---\n'
    text = (front + "Do.\n").replace("\n", "\r\n")
    skill = read_items(write("s/SKILL.md", text).parent).items[0]
    assert (skill.name, skill.description, skill.text) == ("a", "One two: three.", "Do.")


def test_a_line_of_dashes_in_the_body_stays(write):
    skill = read_items(write("s/SKILL.md", GOOD + "---\nend\n").parent).items[0]
    assert skill.text.endswith("1. Sort.\n---\nend")


def test_other_files_of_the_folder_are_noted(write):
    write("s/scripts/run.py", "x")
    write("s/.git/config", "x")
    write("s/.hidden", "x")
    folder = write("s/SKILL.md", GOOD).parent
    assert read_items(folder).notes == ("of s only SKILL.md was read, not scripts/run.py",)
    for number in range(6):
        write(f"s/a{number}.md", "x")
    assert read_items(folder).notes == (
        "of s only SKILL.md was read, not a0.md, a1.md, a2.md, a3.md, a4.md and 2 more",
    )


def test_a_folder_of_skills(write):
    write("skills/a/SKILL.md", GOOD)
    write("skills/b/SKILL.md", GOOD.replace("tidy", "wipe"))
    reading = read_items(Path("skills"))
    assert ([item.name for item in reading.items], reading.format) == (
        ["tidy-desk-2", "wipe-desk-2"],
        "skill_folder",
    )


LIMITS = GOOD.replace("tidy-desk-2", "n" * 64).replace("Use when the desk is full.", "d" * 1024)


def test_the_limits_themselves_are_allowed(write):
    skill = read_items(write("s/SKILL.md", LIMITS).parent).items[0]
    assert (len(skill.name), len(skill.description)) == (64, 1024)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("# Steps\n", '1: a skill starts with front matter, but this line is not "---"', FORM),
        ("---\nname: a\ndescription: b\n", '1: the front matter has no closing "---"', FORM),
        ("---\n---\nbody\n", "2: the front matter must be lines of `key: value`", FORM),
        ("---\n- a\n---\nbody\n", "2: the front matter must be lines of `key: value`", FORM),
        (
            "---\nname: a\ndescription: Use when: always\n---\nbody\n",
            "3: broken YAML: mapping values are not allowed here",
            'put a value that holds ": " or " #" in quotes',
        ),
        (
            "---\nname: a\ndescription: \x01\n---\nbody\n",
            "2: broken YAML: unreadable characters or nesting",
            FORM,
        ),
        ("---\n[x]: y\nname: a\n---\nbody\n", '1: the front matter has no "description"', FORM),
        ("---\nname: a\n---\nbody\n", '1: the front matter has no "description"', FORM),
        ("---\ndescription: b\n---\nbody\n", '1: the front matter has no "name"', FORM),
        ("---\ndescription: b\nname:\n---\nbody\n", '3: "name" must be a text that is not empty', FORM),
        (
            "---\nname: a\ndescription: [x]\n---\nbody\n",
            '3: "description" must be a text that is not empty',
            FORM,
        ),
        (
            "---\nname: Tidy Desk!\ndescription: b\n---\nbody\n",
            '2: the name "Tidy Desk!" may hold only a-z, 0-9 and -',
            "write name: tidy-desk",
        ),
        (
            "---\nname: ß\ndescription: b\n---\nbody\n",
            '2: the name "ß" may hold only a-z, 0-9 and -',
            "write name: my-skill",
        ),
        (
            LIMITS.replace("nn", "nnn", 1),
            "2: the name has 65 characters, at most 64 are allowed",
            "shorten it",
        ),
        (
            LIMITS.replace("dd", "ddd", 1),
            "3: the description has 1025 characters, at most 1024 are allowed",
            "say when to use the skill; the rest belongs into the body",
        ),
        (
            "---\nname: a\ndescription: b\n---\n \n",
            "4: no instructions under the front matter",
            "write what the skill does",
        ),
    ],
)
def test_broken_skills_name_file_line_and_rule(write, fails, text, problem, hint):
    assert fails(write("s/SKILL.md", text).parent) == (f"s/SKILL.md:{problem}", hint)


def test_empty_file_and_wrong_encoding(write, fails):
    assert fails(write("s/SKILL.md", "").parent)[0].startswith("s/SKILL.md:1: a skill starts")
    problem, _ = fails(write("s/SKILL.md", b"---\nname: \xff\n---\nx\n").parent)
    assert problem == "s/SKILL.md:2: not UTF-8: byte 0xff at offset 10 of the file"


def test_a_skill_asks_nothing(write, fails):
    problem, _ = fails(write("s/SKILL.md", GOOD).parent, read_questions)
    assert problem == "s: skill_folder holds no questions"
