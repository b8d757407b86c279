"""A choice of texts has one of each sort, and the most usual one of it."""

from __future__ import annotations

from everlearn.train.clusters import typical


def test_one_of_each_sort_is_chosen_and_it_is_the_usual_one():
    sorts = [[(token, token + 1, token + 2)] * 3 + [(token, token + 1, 99)] for token in (0, 10, 20)]
    texts = [text for texts in sorts for text in texts]
    chosen = [texts[number] for number in typical(texts, 3)]
    assert chosen == [(0, 1, 2), (10, 11, 12), (20, 21, 22)]


def test_few_texts_are_all_chosen_and_equal_ones_once():
    assert typical([(1,), (2,)], 5) == [0, 1]
    assert typical([], 5) == [] and typical([(1,), (2,)], 0) == []
    assert typical([(1, 2)] * 6, 3) == [0]
