"""Names point at commits, and no flipped bit goes unnoticed."""

import pytest

from everlearn.errors import StoreError
from everlearn.store import refs
from everlearn.store.refs import References

A, B = "a" * 64, "b" * 64


@pytest.fixture
def references(tmp_path):
    (tmp_path / "refs" / "branches").mkdir(parents=True)
    (tmp_path / "refs" / "rejected").mkdir()
    references = References(tmp_path)
    references.begin()
    return references


def test_a_new_store_stands_on_main_without_commits(references):
    assert (references.head(), references.tip()) == ("main", "")
    assert (references.branch_names(), references.branches()) == (["main"], {})
    assert references.tips() == []


def test_branches_head_and_rejected_are_read_back(references):
    references.set_branch("main", A)
    references.set_branch("v1.2_x-y", B)
    assert references.branches() == {"main": A, "v1.2_x-y": B}
    assert (references.branch("v1.2_x-y"), references.branch("nothing")) == (B, None)
    assert references.tip() == A
    references.set_head(B)
    assert references.tip() == B
    references.add_rejected("c" * 64)
    assert references.rejected() == ["c" * 64]
    assert sorted(references.tips()) == sorted([A, B, "c" * 64, B])


def test_beginning_again_changes_nothing(references):
    references.set_branch("main", A)
    references.set_head(B)
    references.begin()
    assert (references.branch("main"), references.head()) == (A, B)


@pytest.mark.parametrize("name", ["head", "HEAD", "Base", A, "", "a/b", "../x", ".hidden", "-x", "a b", "x" * 101, "ä"])
def test_bad_branch_names_are_refused(references, name):
    with pytest.raises(StoreError) as caught:
        references.set_branch(name, A)
    assert repr(name) in caught.value.problem
    assert caught.value.hint


def test_every_flipped_bit_and_every_truncation_is_noticed(references):
    for name in ("v1", "v3"):  # one bit apart
        references.set_branch(name, A)
    references.set_head("v1")
    for path in (references.head_path, references.branches_folder / "v1"):
        whole = path.read_bytes()
        damages = [bytes(whole[:length]) for length in range(len(whole))]
        for bit in range(8 * len(whole)):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            damages.append(bytes(flipped))
        for damage in damages:
            path.write_bytes(damage)
            with pytest.raises(StoreError) as caught:
                references.tip()
            assert caught.value.problem == f"{path}: the reference is damaged"
            assert "writes it anew" in caught.value.hint
        path.write_bytes(whole)


def test_a_lost_branch_is_noticed(references):
    (references.branches_folder / "main").unlink()
    with pytest.raises(StoreError) as caught:
        references.tip()
    assert caught.value.problem == f"{references.head_path}: it names the branch 'main', which does not exist"


def test_a_damaged_branch_does_not_hide_the_others(references):
    references.set_branch("main", A)
    references.set_branch("other", B)
    (references.branches_folder / "other").write_bytes(b"")
    assert references.tip() == A
    with pytest.raises(StoreError, match="other: the reference is damaged"):
        references.tips()


def test_a_branch_file_holds_a_digest(references):
    refs._write(references.branches_folder / "main", "other")
    with pytest.raises(StoreError, match="main: the reference is damaged"):
        references.tip()
