"""What is done to tracks in the lineage view, each an edit and a step to undo."""

from collections.abc import Callable

from qtpy.QtGui import QAction  # type: ignore[attr-defined]
from qtpy.QtWidgets import QMenu, QWidget

from ...edits.base import Edit
from ...edits.confirming import Confirm, Unconfirm
from ...edits.divisions import UnmarkDivision
from ...edits.links import Swap, Unlink
from ...edits.removing import DeleteTrack
from ...errors import SemiconvError, listed
from ...tracking.intervals import difference
from ...tracking.lineage import Lineage
from ..workbench import Workbench
from .joins import Join
from .words import division_of, is_whole, link_of

# Shows a sentence in the view, of a kind as under the tabs.
Say = Callable[[str, str], None]
# What a menu offers, and what that does.
Way = tuple[str, Callable[[], bool]]


class TrackEditing:
    """Makes the edits that gestures and menus of the lineage view mean.

    Parameters
    ----------
    bench
        The workbench.
    say
        Shows a sentence in the view.
    """

    def __init__(self, bench: Workbench, say: Say) -> None:
        self._bench = bench
        self._say = say
        # A mother, one daughter and its frame, until the other one is named.
        self._waiting: tuple[int, int, int] | None = None

    def do(self, edit: Edit) -> bool:
        """Make an edit; a refusal is read in the view, too."""
        self._waiting = None
        done = self._bench.corrector.do(edit)
        if done:
            self._say("", "said")
        else:
            self._say(self._bench.sentence.text, "error")
        return done

    def join(self, join: Join) -> None:
        """Make what was drawn: the same cell, or a daughter."""
        if join.born:
            self._divide(join)
            return
        tracks = self._lineage.tracks
        self._try(lambda: link_of(tracks, join.before, join.after, join.frame))

    def look_at(self, frame: int, label: int) -> None:
        """Go to a frame, select a cell and bring it into the middle of the canvas."""
        self._bench.corrector.look_at(frame, label)

    def menu(self, label: int, frame: int, parent: QWidget) -> QMenu:
        """Give all that can be done to a track, as a menu.

        Parameters
        ----------
        label
            The track.
        frame
            The frame of it that was clicked on.
        parent
            What the menu belongs to.
        """
        menu, lineage = QMenu(parent), self._lineage
        track = lineage.tracks.get(label)
        if track is None:
            return menu
        for text, act in (
            (f"Show cell {label} on the canvas", lambda: self.look_at(frame, label)),
            *self._ways_to_join(label),
            *self._ways_to_swap(label, frame),
            (f"Cut before frame {frame}", lambda: self.do(Unlink(label, frame))),
            *self._ways_to_confirm(label),
            (
                f"Delete from frame {frame} on",
                lambda: self.do(DeleteTrack(label, frame)),
            ),
        ):
            action = QAction(text, menu)
            action.triggered.connect(lambda _=False, act=act: act())
            menu.addAction(action)
        return menu

    @property
    def _lineage(self) -> Lineage:
        project = self._bench.session.project
        return Lineage() if project is None else project.lineage

    def _others(self, label: int) -> list[int]:
        """Labels of the selected tracks but one, ascending."""
        selection = self._bench.session.selection - {label}
        return sorted(selection & self._lineage.tracks.keys())

    def _ways_to_swap(self, label: int, frame: int) -> list[Way]:
        others = self._others(label)
        if len(others) != 1:
            return []
        (other,) = others
        text = f"Swap with cell {other} from frame {frame} on"
        return [(text, lambda: self.do(Swap(label, other, frame)))]

    def _ways_to_join(self, label: int) -> list[Way]:
        found: list[Way] = []
        lineage, others = self._lineage, self._others(label)
        track = lineage.tracks[label]
        if others:
            found.append(
                (
                    f"Mother of the selected: {listed(others)}",
                    lambda: self._try(lambda: division_of(lineage, label, others)),
                )
            )
        if len(others) == 1 and lineage.tracks[others[0]].end < track.begin:
            (before,) = others
            found.append(
                (
                    f"Cell {before} goes on as {label}",
                    lambda: self._try(
                        lambda: link_of(lineage.tracks, before, label, track.begin)
                    ),
                )
            )
        mother = label if lineage.daughters_of(label) else track.parent
        if mother:
            found.append(
                (
                    f"Undo the division of cell {mother}",
                    lambda: self.do(UnmarkDivision(mother)),
                )
            )
        return found

    def _ways_to_confirm(self, label: int) -> list[Way]:
        found: list[Way] = []
        track = self._lineage.tracks[label]
        if difference(track.intervals, track.confirmed) or not track.parent_confirmed:
            found.append(("Confirm this track", lambda: self.do(Confirm(label))))
        if track.confirmed:
            found.append(("Unconfirm this track", lambda: self.do(Unconfirm(label))))
        return found

    def _divide(self, join: Join) -> None:
        mother, frame = join.before, join.frame
        daughters: tuple[int, ...] = (join.after,)
        lineage, waiting = self._lineage, self._waiting
        if waiting is not None and waiting[0] == mother and waiting[1] != join.after:
            daughters = (waiting[1], join.after)
            frame = min(frame, waiting[2])
        elif not is_whole(lineage, mother, join.after, frame):
            self._waiting = (mother, join.after, frame)
            self._say(
                f"Cell {join.after} is one daughter of cell {mother}. Draw a line to "
                f"the other one, too, with Shift held.",
                "note",
            )
            return
        self._try(lambda: division_of(lineage, mother, daughters, frame))

    def _try(self, edit: Callable[[], Edit]) -> bool:
        """Make an edit that it may not be possible to name."""
        try:
            named_edit = edit()
        except SemiconvError as error:
            self._bench.corrector.refuse(str(error))
            self._say(str(error), "error")
            return False
        return self.do(named_edit)
