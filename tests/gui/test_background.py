"""Work in a thread: what it returns, and what becomes of its errors."""

import pytest

from napari_semiconv.errors import BadInputError
from napari_semiconv.gui.background import Background

pytestmark = pytest.mark.gui


def outcome(qtbot, work):
    """Run ``work`` and wait for what is handed back."""
    answers = []
    with qtbot.capture_exceptions() as raised:
        Background().run(
            work,
            lambda value: answers.append(("done", value)),
            lambda sentence: answers.append(("failed", sentence)),
        )
        qtbot.waitUntil(lambda: bool(answers))
    return answers, [kind for kind, _, _ in raised]


def test_what_the_work_returns_is_handed_back(qtbot):
    assert outcome(qtbot, lambda: 7) == ([("done", 7)], [])


def test_an_error_for_the_user_is_handed_back_as_its_sentence(qtbot):
    def work():
        raise BadInputError("The movie is empty.")

    assert outcome(qtbot, work) == ([("failed", "The movie is empty.")], [])


def test_an_unexpected_error_ends_the_work_and_is_shown_whole(qtbot):
    def work():
        raise ZeroDivisionError("a mistake of ours")

    answers, raised = outcome(qtbot, work)
    assert raised == [ZeroDivisionError]
    (kind, sentence), *none = answers
    assert (kind, none) == ("failed", [])
    assert "ZeroDivisionError: a mistake of ours" in sentence
