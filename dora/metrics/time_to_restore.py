"""How long users are hurt when a deployment fails."""

from __future__ import annotations

from typing import Any, ClassVar

from dora import words
from dora.metrics.base import Duration, reasons, uncovered_reasons
from dora.metrics.question import Question


class Recovery(Duration):
    """Recovery of failed deployments; unknown where nobody tells us of incidents."""

    needs_incidents: ClassVar[bool] = True

    def reasons(self, question: Question, n: Any) -> Any:
        """Why cells have no value."""
        grid = question.grid
        any_incident = question.rules.caused_by != "deployment"
        return reasons(
            grid.size,
            [
                (n > 0, None),
                (~grid.begun, words.NOT_BEGUN),
                (~grid.covered, uncovered_reasons(grid)),
                (n == 0, words.NO_INCIDENTS if any_incident else self.nothing),
            ],
        )


METRIC = Recovery(
    name="time_to_restore",
    title="Failed deployment recovery time",
    aliases=("failed_deployment_recovery_time",),
    definition=(
        "From the detection of a failed deployment's incident to its resolution, or from the "
        "deployment to its repair where no incident is linked; the median of the recoveries in "
        "the window. Those still open are shown apart."
    ),
    order=4,
    noun="failed deployment",
    models=("recovered_deployments",),
    table="recovered_deployments",
    nothing=words.NOTHING_RESTORED,
    asides={"open": "still open"},
    done="recovered from",
    one_by_one=True,
)
