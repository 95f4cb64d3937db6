"""Results as the first releases wrote them."""

import json

import numpy as np
from tests.tracked_worlds import UNITS, tracked_of

from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.runs.store import INFO, RunStore


def write_old_result(
    folder, world, parents=None, done=None, *, finish=True, movie=None
):
    """A result folder with the first ``done`` frames, or all.

    Runs of a project are kept in the same way, but for the name of the record and of
    its format.
    """
    movie = movie or movie_from_array(world.astype(np.uint8), "TYX", **UNITS)
    store = RunStore.create(folder, movie, {}, {})
    for t in range(len(world))[:done]:
        store.write_frame(t, world[t])
    store.write_lineage(tracked_of(world[:done], parents).lineage)
    if finish:
        store.finish()
    record = json.loads((folder / INFO).read_text(encoding="utf-8"))
    record["format"] = "napari-semiconv result"
    del record["check"]
    text = json.dumps(record, ensure_ascii=False)
    (folder / "result.json").write_text(text, encoding="utf-8")
    (folder / INFO).unlink()
    return folder
