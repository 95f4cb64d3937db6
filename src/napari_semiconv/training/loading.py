"""Batches of clips, drawn in worker processes while the network learns."""

import os
from collections.abc import Generator
from multiprocessing import parent_process
from threading import Thread

from torch.utils.data import DataLoader, Dataset

from .clips import Clip, Clips

PREFETCH = 2  # batches that each worker prepares


def _end_with_parent(worker: int) -> None:
    """Watch the process that began a worker, and end the worker with it."""
    del worker
    parent = parent_process()
    assert parent is not None  # workers are begun by one

    def watch() -> None:
        parent.join()
        # A plain exit would wait for batches to be taken that nobody takes any more.
        os._exit(1)

    Thread(target=watch, daemon=True).start()


class _Drawn(Dataset[Clip]):
    """Clips by number, from a first one on."""

    def __init__(self, clips: Clips, first: int, count: int) -> None:
        self._clips, self._first, self._count = clips, first, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Clip:
        return self._clips.draw(self._first + index)


def batches(
    clips: Clips, first: int, last: int, *, size: int, workers: int
) -> Generator[list[Clip]]:
    """Draw the batches of the steps from ``first`` to ``last``, exclusive, in order.

    A clip hangs on its number alone, so that batches are the same whatever the number
    of workers and wherever a training was resumed. Workers are started anew, not
    forked, and end by themselves when this process ends.

    Parameters
    ----------
    clips
        What to draw from.
    first, last
        Steps.
    size
        Clips in a batch.
    workers
        Processes that draw; 0 draws here.
    """
    loader = DataLoader(
        _Drawn(clips, first * size, (last - first) * size),
        batch_size=size,
        num_workers=workers,
        collate_fn=list,
        worker_init_fn=_end_with_parent,
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=PREFETCH if workers else None,
    )
    yield from loader
