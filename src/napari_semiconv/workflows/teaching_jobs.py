"""The job of a session that teaches a model with what is corrected in its project."""

from dataclasses import dataclass
from pathlib import Path

from ..teaching.record import TeachRecord
from ..teaching.settings import TeachSettings
from .correction_jobs import CorrectionJobs
from .jobs import Job
from .opening import check_writable
from .progress import Steps, Stop
from .teaching import free_model_folder, teach


@dataclass(frozen=True)
class TaughtModel:
    """A model that was just taught.

    Parameters
    ----------
    folder
        Where it lies, in the project.
    record
        Whence it comes, and how it did.
    """

    folder: Path
    record: TeachRecord


class TeachingJobs(CorrectionJobs):
    """Teaches models by the computing process, with the open project."""

    def teach(self, settings: TeachSettings) -> Job:
        """Teach a model with what is corrected; the outcome is a `TaughtModel`.

        Cells may be corrected meanwhile; what is learned from is as it was at the
        beginning. One that is stopped or fails leaves nothing behind.

        Parameters
        ----------
        settings
            How, and which model.

        Raises
        ------
        BadInputError
            When no project is open.
        SaveError
            When the project is open to be read alone.
        BusyError
            When another job runs.
        """
        project = self.need_project()
        check_writable(project)
        folder = free_model_folder(project)

        def steps(stop: Stop) -> Steps[TaughtModel]:
            record = yield from teach(
                [project], folder, settings, supervisor=self.supervisor, stop=stop
            )
            return TaughtModel(folder, record)

        return self._compute("teach", "Teaching", steps)
