"""Origins in, short words for their lines out."""

from everlearn.data.places import counted, listed, places
from everlearn.records import Origin


def test_lines_of_one_file():
    assert places([Origin("a", 4)]) == "line 4"
    assert places([Origin("a", 4), Origin("a", 9), Origin("a", 12)]) == "lines 4, 9, 12"


def test_lines_of_several_files_and_whole_files():
    assert places([Origin("a", 4), Origin("b", 1), Origin("a", 5)]) == "a lines 4, 5; b line 1"
    assert places([Origin("a.md"), Origin("b.md")]) == "a.md; b.md"


def test_at_most_ten_are_listed():
    assert places([Origin("a", n) for n in range(1, 13)]) == "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"


def test_all_ten_lines_and_all_five_names():
    assert places([Origin("a", n) for n in range(1, 11)]) == "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"
    assert listed("abcde") == "a, b, c, d, e"
    assert listed("abcdef") == "a, b, c, d, e and 1 more"


def test_counted():
    assert [counted(n, "row") for n in (0, 1, 2, 1000)] == ["0 rows", "1 row", "2 rows", "1,000 rows"]
