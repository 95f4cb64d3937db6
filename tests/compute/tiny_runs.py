"""Runs of a small real network in processes of their own, to be killed."""

import multiprocessing
from pathlib import Path

import numpy as np
import torch
import zarr
from tests.inference.tiny import CRUMBS, tiny_model

from napari_semiconv.compute.child import Child
from napari_semiconv.compute.messages import Failed, MovieChoice, Segment
from napari_semiconv.compute.tools import NetworkTools

FRAMES = 8


class TinyTools(NetworkTools):
    """The network's tools, with random weights."""

    def load(self, settings):
        # As everywhere: with other threads the last bits of sums may differ.
        torch.set_num_threads(1)
        return tiny_model(Path())


def write_noise(path):
    noise = np.random.default_rng(0).integers(0, 200, (FRAMES, 48, 64))
    array = zarr.create_array(
        store=path, shape=noise.shape, chunks=(1, 48, 64), dtype="uint16"
    )
    array[:] = noise.astype(np.uint16)
    return MovieChoice(path=path, name=path.stem, axes="TYX")


def request_for(choice, output, engine="votes"):
    settings = CRUMBS.model_copy(update={"engine": engine})
    return Segment(
        movie=choice, settings=settings, output=output, resume=True, save_every=1
    )


def run(request):
    """Do what is asked, in this process."""
    said = []
    Child(said.append, TinyTools).answer(request)
    for message in said:
        if isinstance(message, Failed):
            raise RuntimeError(message.message)
    return said


def start(request):
    """Begin a run in a process forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.compute.tiny_runs"])
    begun = context.Event()
    process = context.Process(target=_run_when_begun, args=(request, begun))
    process.start()
    assert begun.wait(120)
    return process


def _run_when_begun(request, begun):
    begun.set()
    run(request)
