"""The lock of a project: one writer, whichever thread opens or closes it."""

from threading import Thread

from napari_semiconv.project.locking import Lock


def test_one_has_it_until_it_is_let_go(tmp_path):
    one, other = Lock(tmp_path), Lock(tmp_path)
    assert one.take() is None
    assert "is open elsewhere" in other.take()
    one.free()
    assert other.take() is None
    other.free()


def test_taken_in_one_thread_it_is_let_go_in_another(tmp_path):
    one, other, said = Lock(tmp_path), Lock(tmp_path), []
    job = Thread(target=lambda: said.append(one.take()))
    job.start()
    job.join()
    assert said == [None]
    one.free()
    assert other.take() is None
    other.free()
