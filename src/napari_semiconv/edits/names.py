"""Which label the pixels of a stored number show."""

from collections.abc import Iterator

from ..labels import relabelled
from .change import Labels, Numbers


class FrameNames:
    """Which label each stored number of a frame shows, where it is another number."""

    __slots__ = ("_labels", "_numbers")

    def __init__(self, labels: dict[int, int] | None = None) -> None:
        self._labels = labels or {}
        self._numbers = {label: number for number, label in self._labels.items()}

    def __len__(self) -> int:
        """Count the numbers that show another label."""
        return len(self._labels)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Go through stored numbers and the labels they show, by number."""
        return iter(sorted(self._labels.items()))

    def label(self, number: int) -> int:
        """Label that a stored number shows; negative when it is hidden."""
        return self._labels.get(number, number)

    def number(self, label: int) -> int | None:
        """Give the number that shows, or may show, a label; None when it is taken."""
        found = self._numbers.get(label)
        if found is None and label not in self._labels:
            return label
        return found

    def name(self, number: int, label: int) -> None:
        """Let a stored number show a label."""
        before = self._labels.pop(number, None)
        if before is not None and self._numbers.get(before) == number:
            del self._numbers[before]
        if label != number:
            self._labels[number] = label
            self._numbers[label] = number

    def show(self, numbers: Numbers) -> Labels:
        """Give the labels that stored numbers, of any shape, show."""
        return relabelled(numbers, self._labels)

    def hidden(self) -> list[int]:
        """List the stored numbers of cells that the user took away."""
        return sorted(number for number, label in self._labels.items() if label < 0)


class DraftNames:
    """Names of a frame with changes that the frame itself knows nothing of.

    Parameters
    ----------
    base
        The names as they are; not changed.
    """

    __slots__ = ("_base", "_labels", "_numbers")

    def __init__(self, base: FrameNames) -> None:
        self._base = base
        self._labels: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    def label(self, number: int) -> int:
        """Label that a stored number shows; negative when it is hidden."""
        found = self._labels.get(number)
        return self._base.label(number) if found is None else found

    def number(self, label: int) -> int | None:
        """Give the number that shows, or may show, a label; None when it is taken."""
        number = self._numbers.get(label)
        if number is not None and self.label(number) == label:
            return number
        number = self._base.number(label)
        if number is not None and self.label(number) == label:
            return number
        return label if self.label(label) == label else None

    def name(self, number: int, label: int) -> None:
        """Let a stored number show a label."""
        self._labels[number] = label
        # A number that shows itself may just have lost its pixels: it answers last.
        if number != label:
            self._numbers[label] = number

    def changes(self) -> Iterator[tuple[int, int, int]]:
        """Go through stored numbers, labels before and after, where they differ."""
        for number, label in sorted(self._labels.items()):
            before = self._base.label(number)
            if before != label:
                yield number, before, label

    def merged(self) -> FrameNames:
        """Give names with the changes in them."""
        labels = dict(self._base) | self._labels
        return FrameNames({n: label for n, label in labels.items() if n != label})
