"""A stand-in for the network, so that commands are tested in milliseconds."""

from dataclasses import replace

from tests.stand_in_child import BlobTools

from napari_semiconv.compute.child import Child
from napari_semiconv.compute.messages import Failed
from napari_semiconv.errors import ComputeError


class Threshold(BlobTools):
    """Every bright blob is a cell. `at_frame` is called before each frame.

    Frame ``damaged`` is said to have been skipped.
    """

    def __init__(self, at_frame=lambda frame: None, damaged=None):
        super().__init__()
        self.at_frame = at_frame
        self.damaged = damaged
        self.sizes = []

    def load(self, settings):
        return settings.model

    def size(self, movie, model, frames):
        return 12.0

    def run(self, movie, model, settings, frames, resume_from=None, constraints=None):
        self.sizes.append(settings.cell_size)
        results = super().run(movie, model, settings, frames, resume_from, constraints)
        for frame in frames:
            self.at_frame(frame)
            result = next(results)
            reason = "frame 1 is damaged." if frame == self.damaged else None
            yield replace(result, unreadable=reason)


class Here:
    """A computing process within this one: it is there at once.

    Parameters
    ----------
    tools
        What it computes with.
    """

    def __init__(self, tools):
        self._tools = tools

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def follow(self, request, stop=None):
        said = []

        def say(message):
            said.append(message)
            if stop is not None and stop():
                child.cancel(request.ticket)

        child = Child(say, lambda: self._tools)
        child.answer(request)
        for message in said:
            if isinstance(message, Failed):
                raise ComputeError(message.message)
            yield message
