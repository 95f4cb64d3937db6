"""Label images of the Cell Tracking Challenge, one file a frame, read late."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ....errors import BadInputError, UnreadableFrameError
from ....labels import Labels, as_labels
from ...movies.tiff import read_tiff

RESULT_MASK = re.compile(r"mask(\d+)\.tif", re.IGNORECASE)
TRUTH_MASK = re.compile(r"man_track(\d+)\.tif", re.IGNORECASE)
OUTLINE = re.compile(r"man_seg_?(\d+)\.tif", re.IGNORECASE)


@dataclass(frozen=True)
class MaskFiles(Mapping[int, Labels]):
    """Label images of frames, each read when asked for.

    Parameters
    ----------
    paths
        File of each frame that has one, ascending by frame.
    """

    paths: Mapping[int, Path]

    def __getitem__(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame.

        Raises
        ------
        UnreadableFrameError
            When the file is damaged or holds no labels.
        """
        path = self.paths[frame]
        try:
            source = read_tiff(path, taken="T").source
            if source.axes != "YX" or source.dtype.kind not in "bui":
                raise OSError(
                    f"expected whole numbers in 2D, found {source.dtype} with axes "
                    f"{source.axes}"
                )
            return as_labels(source.plane({}), path.name)
        except (OSError, BadInputError) as error:
            raise UnreadableFrameError(
                f"The masks of frame {frame} in {path.name} cannot be read: "
                f"{str(error).rstrip('.')}. Restore the file.",
                frame,
            ) from error

    def __iter__(self) -> Iterator[int]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def numbered_masks(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    """Find the file of each frame, ascending, by the number in its name."""
    if not folder.is_dir():
        return {}
    found = [(pattern.fullmatch(path.name), path) for path in folder.iterdir()]
    return dict(sorted((int(match[1]), path) for match, path in found if match))
