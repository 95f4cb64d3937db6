"""Letters from threads, and from one turn of the event loop to the next."""

import threading

import pytest
from qtpy.QtWidgets import QApplication

from napari_semiconv.gui.mailbox import Mailbox

pytestmark = pytest.mark.gui


@pytest.fixture
def mailbox(qapp):
    return Mailbox()


def test_in_the_windows_thread_it_is_done_at_once(mailbox):
    done = []
    mailbox.post(lambda: done.append(1))
    assert done == [1]
    assert mailbox.empty


def test_letters_of_a_thread_are_read_in_their_order(mailbox, qtbot):
    done = []

    def write():
        for n in range(5):
            mailbox.post(lambda n=n: done.append((n, threading.current_thread())))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert done == []
    qtbot.waitUntil(lambda: mailbox.empty)
    assert done == [(n, threading.main_thread()) for n in range(5)]


def test_no_letter_is_opened_while_another_is_read(mailbox, qtbot):
    done = []

    def outer():
        mailbox.post(lambda: done.append("inner"))
        done.append("outer")

    mailbox.post(outer)
    assert done == ["outer"]
    qtbot.waitUntil(lambda: mailbox.empty)
    assert done == ["outer", "inner"]


def test_what_comes_next_comes_before_all_that_waits(mailbox, qtbot):
    done = []

    def first():
        mailbox.post(lambda: done.append("last"))
        mailbox.next(lambda: done.append("next"))

    mailbox.post(first)
    qtbot.waitUntil(lambda: mailbox.empty)
    assert done == ["next", "last"]


def test_an_error_in_a_letter_keeps_no_other_back(mailbox, qtbot):
    done = []

    def broken():
        mailbox.post(lambda: done.append(1))
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        mailbox.post(broken)
    qtbot.waitUntil(lambda: mailbox.empty)
    assert done == [1]


def test_one_is_done_before_the_next_though_qt_is_let_go_on(mailbox, qtbot):
    done = []

    def first():
        done.append("first begins")
        other = threading.Thread(
            target=mailbox.post, args=[lambda: done.append("second")]
        )
        other.start()
        other.join()
        QApplication.processEvents()
        done.append("first ends")

    mailbox.post(first)
    qtbot.waitUntil(lambda: mailbox.empty)
    assert done == ["first begins", "first ends", "second"]


def test_what_is_cleared_is_not_done(mailbox):
    done = []

    def first():
        mailbox.post(lambda: done.append("second"))
        mailbox.clear()

    mailbox.post(first)
    QApplication.processEvents()
    assert done == []


def test_what_comes_last_is_done_when_nothing_else_waits(mailbox, qtbot):
    done = []

    def act():
        mailbox.last(lambda: done.append("last"))
        mailbox.post(lambda: done.append("posted"))
        mailbox.next(lambda: done.append("next"))

    mailbox.post(act)
    assert not mailbox.empty
    qtbot.waitUntil(lambda: mailbox.empty)
    assert done == ["next", "posted", "last"]
