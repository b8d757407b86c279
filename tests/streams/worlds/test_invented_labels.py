import random

import pytest

from everlearn.streams.worlds.invented_labels import ATTRIBUTES, VALUES, Label, conjunctions, describe, values_left


def test_no_value_belongs_to_two_attributes():
    attribute = {value: name for name, values in ATTRIBUTES.items() for value in values}
    assert len(attribute) == VALUES * len(ATTRIBUTES)
    assert all(len(values) == VALUES for values in ATTRIBUTES.values())


@pytest.mark.parametrize("unseen", [False, True])
def test_a_description_holds_what_decides_and_details_that_tell_whether_it_is_kept_for_probes(unseen):
    draw = random.Random(1)
    label = Label("zo", (("colour", "red"), ("size", "huge")), 0)
    places = {value: values.index(value) for values in ATTRIBUTES.values() for value in values}
    for _ in range(50):
        values = describe(draw, label, unseen).split()
        details = [value for value in values if value not in ("red", "huge")]
        assert len(details) == len(values) - 2 in (1, 2)
        assert (sum(places[value] for value in details) % 3 == 0) == unseen


def test_labels_of_a_lesson_differ_in_the_lead_alone():
    traits, lead = conjunctions(random.Random(1), 2, 3)
    assert len(traits) == 6
    for lesson in (traits[:3], traits[3:]):
        assert len({dict(one)[lead] for one in lesson}) == 3
        assert len({tuple(pair for pair in one if pair[0] != lead) for one in lesson}) == 1


def test_values_left_are_what_other_lessons_have_not_used():
    def label(word, colour, shape, lesson):
        return Label(word, (("colour", colour), ("shape", shape)), lesson)

    labels = [label("ba", "red", "round", 0), label("bo", "blue", "round", 0), label("bi", "red", "flat", 1)]
    assert values_left(labels, 1, "shape", "colour") == 5, "round is taken"
    assert values_left(labels, 1, "colour", "colour") == 2, "every lesson has the same leads"
    assert values_left(labels[:2], 0, "colour", "colour") == 6, "there is no other lesson to tell"
