"""Projects as somebody might make them to do harm, a few kilobytes each.

Each of `HOSTILE` spoils the folder of a small project of six frames, (6, 24, 32), with
cells 1 to 5, and says what opening it must tell. Links lead to ``outside``, a folder
beside the project in which nothing may change.
"""

import io
import json
import os
import zipfile
import zlib

import numpy as np
from numcodecs import Zstd
from tests.edits.worlds import SHAPE

from napari_semiconv.edits.change import Change
from napari_semiconv.edits.codec import encode
from napari_semiconv.edits.journal import Journal

FAR = 10**12
MASKS = ("labels.zarr", "zarr.json")


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def read_json(path):
    value = json.loads(path.read_text(encoding="utf-8"))
    # Whoever means harm writes none, as the first releases did.
    value.pop("check", None)
    return value


def facts(folder, **values):
    """Change values of project.json."""
    write_json(folder / "project.json", read_json(folder / "project.json") | values)


def movie(folder, **values):
    """Change what project.json says of the movie."""
    facts(folder, movie=read_json(folder / "project.json")["movie"] | values)


def run(place, **values):
    """Enter a run into project.json."""
    usual = {"folder": "runs/0001", "frames": [0, 5], "first": 0, "group": 1}
    facts(place, runs=[usual | {"settings": {}} | values])


def masks(folder, **values):
    """Change the description of the masks."""
    path = folder.joinpath(*MASKS)
    write_json(path, read_json(path) | values)


def chunk(folder, data, frame=3):
    """Replace the chunk of a frame; its check is made anew."""
    path = folder / "labels.zarr" / "c" / str(frame) / "0" / "0"
    path.write_bytes(data)


def tracks(folder, pack=np.savez, **arrays):
    """Change arrays of lineage.npz."""
    path = folder / "lineage.npz"
    with np.load(path) as known:
        values = {name: known[name] for name in known.files}
    stream = io.BytesIO()
    pack(stream, **(values | arrays))
    path.write_bytes(stream.getvalue())


def track(folder, label=1, first=0, last=5, parent=0):
    """Let there be one track alone."""
    rows = np.array([[label, parent, 0, 1, 0]], np.int64)
    alone(folder, rows, np.array([[first, last]], np.int64))


def alone(folder, rows, intervals):
    """Let there be tracks without confirmations and scores."""
    nothing = np.zeros(len(rows), np.int64)
    tracks(
        folder,
        tracks=rows,
        runs=intervals,
        confirmed=np.zeros((0, 2), np.int64),
        score_sizes=nothing,
        scores=np.zeros(0, np.uint8),
    )


def integers(*rows):
    return np.array(rows, np.int64)


def endless(folder, name):
    """Put a pipe that nobody writes to in the place of a file."""
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)


def link(folder, name, target="victim.txt"):
    """Put a link that leads out of the project in the place of a file or folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        path.rename(folder.parent / "moved")
    path.unlink(missing_ok=True)
    path.symlink_to(folder.parent / "outside" / target)


def torn(folder, name="journal.bin.damaged"):
    """Have the journal torn, so that what is cut off would be kept elsewhere."""
    with (folder / "journal.bin").open("ab") as stream:
        stream.write(b"SCJ1" * 20)
    link(folder, name)


def entry(folder, facts, more=b"", scores=b""):
    """Add an entry to the journal; made again when the project is opened."""
    usual = {"tracks": [], "added": [], "removed": [], "numbers": [9, 9]}
    text = json.dumps(usual | {"names": 0, "patches": []} | facts).encode()
    plain = zlib.compress(len(text).to_bytes(4, "little") + text + more, 9)
    body(folder, len(plain).to_bytes(8, "little") + plain + scores)


def body(folder, data, **head):
    usual = {"do": "edit", "kind": "paint", "group": 1, "what": {}}
    with Journal(folder / "journal.bin") as journal:
        journal.append(usual | head, data)


def patch(*place, label=0):
    """Facts and pixels of one pixel that is changed."""
    return {"patches": [[*place, 1, 1]]}, np.array([0, label], "<i4").tobytes()


def npz_of_one_promise(folder):
    """Write a header that promises an array that is not there."""
    header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000,), }"
    with zipfile.ZipFile(folder / "lineage.npz", "a") as file:
        file.writestr(
            "more.npy",
            b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header,
        )


def many_with_all_scores(folder):
    """Let the scores of tracks begin anew each time: each would copy them all."""
    count = 2000
    tracks(
        folder,
        tracks=integers(*([n, 0, 0, 1, 0] for n in range(1, count + 1))),
        runs=integers(*([0, 5] for _ in range(count))),
        confirmed=np.zeros((0, 2), np.int64),
        score_sizes=integers(*[2**20, -(2**20)] * (count // 2)),
        scores=np.zeros(2**20, np.uint8),
    )


CODECS = [
    {"name": "numcodecs.pickle", "configuration": {}},
    {"name": "bytes", "configuration": {"endian": "little"}},
]
GRID = {"name": "regular", "configuration": {"chunk_shape": [1, 1, 1]}}
SOUND = "expected sound tracks"
NO_TRACKS = "expected the tracks of a project"
NO_MASKS = "expected masks as this program writes them"
NO_FACTS = "project.json is damaged"
NO_JSON = "expected a project with project.json"
LINK = "found a link, pipe or device"
ENTRY = "damaged"

HOSTILE = {
    # Code.
    "masks with a codec that runs code": (lambda f: masks(f, codecs=CODECS), NO_MASKS),
    "masks of objects": (lambda f: masks(f, data_type="object"), NO_MASKS),
    "tracks of objects": (
        lambda f: tracks(f, names=np.array([{}], object)),
        NO_TRACKS,
    ),
    # Writing outside.
    "a link kept for damage": (torn, LINK),
    "a link at the journal": (lambda f: link(f, "journal.bin"), LINK),
    "a link at a draft of facts": (lambda f: link(f, "project.json.part"), LINK),
    "a link at a draft of tracks": (lambda f: link(f, "lineage.npz.part"), LINK),
    "a link at the journal's draft": (lambda f: link(f, "journal.bin.part"), LINK),
    "a link at the lock": (lambda f: link(f, "lock"), LINK),
    "a link at who has the lock": (lambda f: link(f, "lock.json.part"), LINK),
    "a link at all runs": (lambda f: link(f, "runs", "."), LINK),
    "a link at a run": (lambda f: link(f, "runs/0001", "."), LINK),
    "a link at the models": (lambda f: link(f, "models", "."), LINK),
    "a link at all frames": (lambda f: link(f, "labels.zarr/c", "."), LINK),
    "a link at the masks": (lambda f: link(f, "labels.zarr", "."), LINK),
    "a run with a whole path": (lambda f: run(f, folder="/tmp/x"), NO_FACTS),
    "a run outside": (lambda f: run(f, folder="../outside"), NO_FACTS),
    "a run outside after all": (lambda f: run(f, folder="runs/../../x"), NO_FACTS),
    # Without end.
    "facts from a pipe": (lambda f: endless(f, "project.json"), NO_JSON),
    "tracks from a pipe": (lambda f: endless(f, "lineage.npz"), LINK),
    "a journal from a pipe": (lambda f: endless(f, "journal.bin"), LINK),
    "a lock that is a pipe": (lambda f: endless(f, "lock"), LINK),
    "masks described by a pipe": (lambda f: endless(f, "labels.zarr/zarr.json"), LINK),
    "facts from a device": (
        lambda f: (
            (f / "project.json").unlink(),
            (f / "project.json").symlink_to("/dev/zero"),
        ),
        NO_JSON,
    ),
    "facts on many levels": (
        lambda f: (f / "project.json").write_text('{"a":' + "[" * 10**6),
        NO_JSON,
    ),
    "facts with a long number": (
        lambda f: (f / "project.json").write_text('{"version":' + "9" * 10**5 + "}"),
        NO_JSON,
    ),
    "masks described on many levels": (
        lambda f: f.joinpath(*MASKS).write_text('{"shape":' + "[" * 10**6),
        NO_MASKS,
    ),
    # Gigabytes.
    "tracks that unpack to gigabytes": (
        lambda f: tracks(f, np.savez_compressed, more=np.zeros(10**8, np.uint8)),
        NO_TRACKS,
    ),
    "tracks that are a promise": (npz_of_one_promise, NO_TRACKS),
    "scores that all tracks share": (many_with_all_scores, NO_TRACKS),
    "masks of one pixel a chunk": (lambda f: masks(f, chunk_grid=GRID), NO_MASKS),
    "masks larger than the movie": (
        lambda f: masks(
            f,
            shape=[6, 9000, 9000],
            chunk_grid={
                "name": "regular",
                "configuration": {"chunk_shape": [1, 9000, 9000]},
            },
        ),
        "as the movie of the project",
    ),
    "a movie of a billion frames": (
        lambda f: (
            movie(f, shape=[10**9, 24, 32]),
            masks(f, shape=[10**9, 24, 32]),
        ),
        NO_MASKS,
    ),
    "a track without end": (lambda f: track(f, last=FAR), SOUND),
    "a track from before the movie": (lambda f: track(f, first=-FAR), SOUND),
    "an entry that unpacks to gigabytes": (lambda f: entry(f, {}, bytes(10**8)), ENTRY),
    "an entry of many patches": (
        lambda f: entry(f, {"patches": [[0, 0, 0, 24, 32]] * 50_000}),
        ENTRY,
    ),
    "an entry of scores for all": (
        lambda f: entry(
            f,
            {"tracks": [[None, [9, [[0, 0]], 0, [], 0, 0, 10**5]]] * 10_000},
            scores=bytes(10**5),
        ),
        ENTRY,
    ),
    "an entry of a track without end": (
        lambda f: entry(f, {"tracks": [[None, [9, [[0, FAR]], 0, [], 0, 0, 0]]]}),
        ENTRY,
    ),
    # Nonsense.
    "a negative label": (lambda f: track(f, label=-1), SOUND),
    "no label": (lambda f: track(f, label=0), SOUND),
    "a label that no pixel can have": (lambda f: track(f, label=2**40), SOUND),
    "a parent of itself": (lambda f: track(f, parent=1), SOUND),
    "a parent that is not there": (lambda f: track(f, parent=7), SOUND),
    "one label twice": (
        lambda f: alone(
            f, integers([1, 0, 0, 1, 0], [1, 0, 0, 1, 0]), integers([0, 1], [3, 4])
        ),
        NO_TRACKS,
    ),
    "frames backwards": (lambda f: track(f, first=4, last=2), SOUND),
    "confirmed where nothing is": (
        lambda f: tracks(
            f,
            tracks=integers([1, 0, 0, 1, 1]),
            runs=integers([0, 2]),
            confirmed=integers([0, 5]),
            score_sizes=integers(0),
            scores=np.zeros(0, np.uint8),
        ),
        SOUND,
    ),
    "labels with fractions": (
        lambda f: tracks(f, tracks=np.full((5, 5), 0.5)),
        NO_TRACKS,
    ),
    "names of frames that are not there": (
        lambda f: tracks(f, names=integers([6, 1, 2])),
        "expected names that a movie",
    ),
    "names that no pixel can have": (
        lambda f: tracks(f, names=integers([0, 1, 2**40])),
        "expected names that a movie",
    ),
    "marks outside of the frame": (
        lambda f: tracks(f, absences=integers([0, 24, 0])),
        "expected marks that a movie",
    ),
    "numbers that were used": (
        lambda f: tracks(f, counters=integers(0, 1)),
        "expected counters that a movie",
    ),
    "an axis of no length": (lambda f: movie(f, shape=[0, 24, 32]), NO_FACTS),
    "an axis too many": (lambda f: movie(f, axes="TCYX"), NO_FACTS),
    "axes that are none": (lambda f: movie(f, axes="QYX"), NO_FACTS),
    "pixels of no size": (lambda f: movie(f, pixel_size=[float("nan"), 1]), NO_FACTS),
    "a run of frames that are not there": (lambda f: run(f, frames=[0, 6]), NO_FACTS),
    "a run of frames backwards": (lambda f: run(f, frames=[5, 0]), NO_FACTS),
    "a run after one to come": (lambda f: run(f, after=[2, 0]), NO_FACTS),
    "a patch outside of the frame": (lambda f: entry(f, *patch(0, 24, 0)), ENTRY),
    "a patch before the frame": (lambda f: entry(f, *patch(0, -1, 0)), ENTRY),
    "a patch after the movie": (lambda f: entry(f, *patch(6, 0, 0)), ENTRY),
    "a patch of a negative label": (
        lambda f: entry(f, *patch(0, 0, 0, label=-3)),
        ENTRY,
    ),
    "an entry with a label of no pixel": (
        lambda f: entry(f, {"tracks": [[None, [2**40, [[0, 1]], 0, [], 0, 0, 0]]]}),
        ENTRY,
    ),
    "an entry that makes a parent of itself": (
        lambda f: entry(f, {"tracks": [[None, [9, [[0, 1]], 9, [], 0, 0, 0]]]}),
        SOUND,
    ),
}


def packed_masks(values):
    """Write a chunk as the program does: numbers, packed, and their check."""
    from google_crc32c import value as crc32c

    data = bytes(Zstd(level=1).encode(np.ascontiguousarray(values)))
    return data + crc32c(data).to_bytes(4, "little")


# Chunks of one frame: the project opens, and that frame alone is told.
HOSTILE_CHUNKS = {
    "negative numbers": lambda: packed_masks(np.full(SHAPE[1:], -1, "<i4")),
    "gigabytes": lambda: packed_masks(np.zeros(10**8, np.uint8)),
    "a frame too small": lambda: packed_masks(np.zeros(5, "<i4")),
    "no chunk": lambda: b"\x28\xb5\x2f\xfd" * 100,
    "a change": lambda: encode(Change()),
}
