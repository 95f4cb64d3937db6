"""What threads post is done one after the other in the window's thread."""

from threading import Thread, get_ident

import pytest
from qtpy.QtWidgets import QApplication

from napari_semiconv.gui.mailbox import Mailbox

pytestmark = pytest.mark.gui


def test_one_is_done_before_the_next_though_qt_is_let_go_on(qtbot):
    mailbox, done = Mailbox(), []

    def first():
        done.append("first begins")
        other = Thread(target=mailbox.post, args=[lambda: done.append("second")])
        other.start()
        other.join()
        QApplication.processEvents()
        done.append("first ends")

    mailbox.post(first)
    assert done == ["first begins", "first ends", "second"]


def test_a_thread_has_it_done_in_that_of_the_window(qtbot):
    mailbox, where = Mailbox(), []
    other = Thread(target=mailbox.post, args=[lambda: where.append(get_ident())])
    other.start()
    other.join()
    assert where == []
    qtbot.waitUntil(lambda: where == [get_ident()])


def test_the_others_are_done_though_one_raises(qtbot):
    mailbox, done = Mailbox(), []

    def first():
        mailbox.post(lambda: done.append("second"))
        raise ValueError("first")

    with qtbot.captureExceptions() as raised:
        mailbox.post(first)
        qtbot.waitUntil(lambda: done == ["second"])
    assert [str(error) for _, error, _ in raised] == ["first"]


def test_what_is_cleared_is_not_done(qtbot):
    mailbox, done = Mailbox(), []

    def first():
        mailbox.post(lambda: done.append("second"))
        mailbox.clear()

    mailbox.post(first)
    QApplication.processEvents()
    assert done == []
