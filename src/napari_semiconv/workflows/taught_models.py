"""The models that were taught in a project: listed, noted on, renamed, copied, deleted.

Their folders may have been damaged, or changed by other programs: nothing is taken for
granted.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import BadInputError, BadModelError
from ..io.cells.staging import new_target
from ..network.model_folder import (
    CARD,
    SETTINGS,
    WEIGHTS,
    check_weights,
    list_models,
    read_info,
)
from ..project.project import Project
from ..project.runs.run import MODELS, ProjectRun
from ..safe import named, saving
from ..teaching.record import PICTURES, RECORD, TeachRecord, read_record, write_record
from .opening import check_writable

# What a model folder may hold, and an export takes along.
FILES = (SETTINGS, WEIGHTS, CARD, RECORD, PICTURES)
# What no file system, and nobody who types it, can do with in a name.
FORBIDDEN = set('/\\:*?"<>|')
DRAFT = ".part"
# Letters of a note.
LONGEST_NOTE = 2000


@dataclass(frozen=True)
class ModelEntry:
    """A model folder of a project.

    Parameters
    ----------
    folder
        Where it lies.
    above
        Name of the model that it was taught from: of a folder beside it, if it is
        there; empty when nobody knows.
    record
        Whence it comes; None for one that was not taught, or is damaged.
    trouble
        What is wrong with it, in a sentence.
    """

    folder: Path
    above: str = ""
    record: TeachRecord | None = None
    trouble: str = ""

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.folder.name


def taught_models(project: Project) -> tuple[ModelEntry, ...]:
    """List the models of a project by name; those that are damaged too."""
    folder = project.folder / MODELS
    try:
        found = sorted(path for path in folder.iterdir() if _is_model(path))
    except OSError:
        return ()
    entries: dict[str, ModelEntry] = {}
    names: dict[str, str] = {}
    for path in found:
        try:
            names[read_info(path).digest] = path.name
            record = read_record(path)
            entries[path.name] = ModelEntry(path, record=record)
        except BadModelError as error:
            entries[path.name] = ModelEntry(path, trouble=str(error))
    for name, entry in entries.items():
        if entry.record is not None:
            # By its weights, since a folder may have been renamed.
            above = names.get(entry.record.parent_sha256, entry.record.parent)
            entries[name] = replace(entry, above=above)
    return tuple(_without_circles(entries))


def check_usable(folder: Path) -> None:
    """Make sure that a model can be computed with.

    Raises
    ------
    BadModelError
        When it is missing, damaged or altered.
    """
    check_weights(read_info(folder))


def note_on(project: Project, folder: Path, note: str) -> None:
    """Keep a note of the user with a model.

    Raises
    ------
    BadModelError
        When it was not taught here, or is damaged.
    SaveError
        When it could not be written.
    """
    check_writable(project)
    _check_own(project, folder)
    record = read_record(folder)
    if record is None:
        raise BadModelError(
            f"{folder.name}: expected a model that was taught, found one without a "
            f"record to write the note into."
        )
    write_record(folder, record.model_copy(update={"note": note[:LONGEST_NOTE]}))


def rename_model(project: Project, folder: Path, name: str) -> Path:
    """Give a model of a project another name; return where it lies then.

    Raises
    ------
    BadInputError
        When it cannot be called so, or runs look for it under its name.
    SaveError
        When it could not be renamed.
    """
    check_writable(project)
    _check_own(project, folder)
    _check_name(name)
    target = folder.with_name(name)
    if target.exists():
        raise BadInputError(
            f"There is a model '{name}' already: choose another name for "
            f"'{folder.name}'."
        )
    if has_computed(project, folder):
        raise BadInputError(
            f"'{folder.name}' found cells of this project, which look for it under "
            f"this name when they are corrected: write a note instead."
        )
    with saving(target):
        folder.rename(target)
    return target


def export_model(folder: Path, target: Path) -> Path:
    """Copy a model to a new folder, whole or not at all; return it.

    Raises
    ------
    BadModelError
        When the model is damaged.
    SaveError
        When there is something at the target, or it cannot be written.
    """
    check_usable(folder)
    target = named(target)
    with new_target(target) as draft:
        draft.mkdir()
        for name in FILES:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, draft / name)
    return target


def delete_model(project: Project, folder: Path) -> None:
    """Delete a model of a project.

    Raises
    ------
    BadInputError
        When it is none of this project.
    SaveError
        When it could not be deleted; then it is as it was.
    """
    check_writable(project)
    _check_own(project, folder)
    doomed = folder.with_name(f".{folder.name}.{os.getpid()}{DRAFT}")
    with saving(folder):
        # Gone at once and whole, even if a file of it is held open for a while.
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def has_computed(project: Project, folder: Path) -> bool:
    """Tell whether a run of the project used a model."""
    count = len(project.info.runs)
    runs = (ProjectRun(project, number) for number in range(1, count + 1))
    return any(run.settings.model == str(folder.absolute()) for run in runs)


def is_own(project: Project, folder: Path) -> bool:
    """Tell whether a folder is a model of a project: in it, and no link elsewhere."""
    home = project.folder / MODELS
    links = home.is_symlink() or folder.is_symlink()
    return not links and folder.absolute().parent == home.absolute() and folder.is_dir()


def _is_model(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name.endswith(DRAFT)
    return path.is_dir() and not hidden


def _without_circles(entries: dict[str, ModelEntry]) -> Iterator[ModelEntry]:
    """Give models so that each hangs below a root, whatever the records say."""
    for name, entry in entries.items():
        seen, above = {name}, entry.above
        while above in entries and above not in seen:
            seen.add(above)
            above = entries[above].above
        yield replace(entry, above="") if above == name else entry


def _check_own(project: Project, folder: Path) -> None:
    if not is_own(project, folder):
        raise BadInputError(
            f"{folder}: expected a model of {project.folder.name}, found none. Only "
            f"models that were taught in this project can be changed here."
        )


def _check_name(name: str) -> None:
    known = {info.name for info in list_models()}
    bad = (
        not name
        or name != name.strip()
        or name.startswith(".")
        or name.endswith((".", DRAFT))
        or bool(set(name) & FORBIDDEN)
        or not name.isprintable()
    )
    if bad or name in known:
        taken = "is that of a model that comes installed"
        why = taken if name in known else "cannot be the name of a folder"
        raise BadInputError(
            f"'{name}' {why}: choose another one, of letters, digits and dashes."
        )
    named(name)
