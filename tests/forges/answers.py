"""The five metrics of `scenario.acme()`, worked out by hand.

In its window of 28 days and as of its end.

What follows is the working. Times are of March 2026, h are hours, + says that it succeeded.

shop, production
  1  02 09:00 +  Show the catalogue    its first: the baseline, but the commit itself counts:    1 h
  2  03 12:00 +  Add the cart          a1 02 10:00 = 26 h, a2 02 14:00 = 22 h
     05 09:45    Show prices           failed: in no rate; its commits ride with the next
  3  05 11:00 +  Show prices           b1 04 08:00 = 27 h, b2 04 09:00 = 26 h
  4  10 13:00 +  Show the stock        c1 09 09:00 = 28 h, c2 09 11:00 = 26 h, but not the merge
  5  12 16:00 +  Add the wishlist      d1 12 09:00 =  7 h
  6  13 11:00 +  its revert            e1 13 09:00 =  2 h
  7  16 14:00 +  Pay by card           f1 16 08:00 =  6 h
  8  17 10:00 +  Mend payment, hotfix  g1 17 09:00 =  1 h
  9  18 13:00 +  Sort the catalogue    h1 18 10:00 =  3 h
  10 18 14:00 +  back to 8             delivers nothing
  11 19 10:00 +  forward to 9          delivers nothing
  12 20 10:00 +  9 again               delivers nothing
  13 23 10:00 +  Translate the shop    j1 21 10:00 = 48 h; and the bot's, which is left out
  14 26 09:00 +  Bump the version      25 15:00 = 18 h, without a pull request
     29 18:00    Add vouchers          runs: not delivered
  staging is no production; a deployment that a later one replaced stays what it was.

  frequency: 14 in 4 weeks = 3.5 a week.
  lead time: 1 1 2 3 6 7 18 22 26 26 26 27 28 48, n = 14, median (18 + 22) / 2 = 20 h; its 95 %
    interval goes from the 3rd to the 12th, as 2 * P(X <= 2) = 2 * 106 / 2**14 = 1.3 % and
    2 * P(X <= 3) = 2 * 470 / 2**14 = 5.7 %: from 2 h to 27 h.
  failed: 4, by the incident 2 h after it (the one that repeats it counts no second time);
    5, undone by the revert in 6; 7, mended by the hotfix 8; 9, undone by the rollback 10;
    12, by the incident 2 h after it, which is open; 13, which the incident of the 26th blames by a
    commit, so that 14, an hour before it, is not. Not 2: that incident was closed as not planned.
    Not 3: a bug is no incident, and the incident of the 8th comes three days later.
    6 of 14. All are older than a day, so mature.
  restored: 4 from 10 15:00 to 11 12:00 = 21 h, the time it was closed between counts;
    5 from 12 16:00 to 13 11:00 = 19 h; 7 from 16 14:00 to 17 10:00 = 20 h;
    9 from 18 13:00 to 18 14:00 = 1 h; 13 from 26 10:00 to 26 13:00 = 3 h; 12 is open.
    1 3 19 20 21, n = 5, median 19 h; below 6 there is no interval.
  rework: 6 by revert, 8 by hotfix, 10 by rollback: 3 of 14.

search, production, called finder when it happened
  04 10:00 +  Index   09:00 = 1 h     06 12:00 +  Rank   y1 05 10:00 = 26 h
  2 in 4 weeks = 0.5 a week; median 13.5 h; 0 of 2.

ledger, by the job `production` of the workflow `Deploy`
  03 10:00 +  Keep books        03 08:00 = 2 h
  10 13:10    Import accounts   failed
  11 00:00 +  Import accounts   commit i of 260 at 09 00:00 + i min: 2880 - i min, from 2620
  16 10:00 +  Add fees          16 09:00 = 1 h; the smoke test and its re-run do not matter
  24 10:00 +  Add fees again    delivers nothing
  the skipped job of the 18th deploys nothing.
  4 in 4 weeks = 1 a week; n = 262, median between the 131st and 132nd, the 129th and 130th of
  the 260: 2748 and 2749 min, so 2748.5 min; 0 of 4.

cli, by releases, and by tags where no release is published
  05 13:00 +  v1.0.0   04 10:00 = 27 h, the baseline's own commit
  19 10:00 +  v1.1.0   o1 17 09:00 = 49 h; its early release goes to `pre-release`
  25 10:00 +  v1.2.0   24 10:00 = 24 h, by the tag: the release is a draft
  3 in 4 weeks = 0.75 a week; median 27 h; 0 of 3.

attic is archived and lib a fork: both are left out.

acme: 14 + 2 + 4 + 3 = 23, 5.75 a week; n = 14 + 2 + 262 + 3 = 281, the median is the 141st.
  Shorter than any of the 260 are 13 of the shop's (not the 48 h), 2, 2, and 2 of the cli's (not the
  49 h): 19. So it is the 122nd of the 260: 2620 + 121 = 2741 min. 6 of 23 failed, 3 were rework.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HOUR = 3600.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a metric must say; an interval only where the working above has one."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


ANSWERS: Mapping[tuple[str | None, str], Answer] = {
    ("shop", "deployment_frequency"): Answer(3.5, 14),
    ("shop", "lead_time"): Answer(20 * HOUR, 14, 2 * HOUR, 27 * HOUR),
    ("shop", "change_failure_rate"): Answer(6 / 14, 14),
    ("shop", "time_to_restore"): Answer(19 * HOUR, 5),
    ("shop", "rework_rate"): Answer(3 / 14, 14),
    ("search", "deployment_frequency"): Answer(0.5, 2),
    ("search", "lead_time"): Answer(13.5 * HOUR, 2),
    ("search", "change_failure_rate"): Answer(0.0, 2),
    ("search", "time_to_restore"): Answer(None, 0),
    ("search", "rework_rate"): Answer(0.0, 2),
    ("ledger", "deployment_frequency"): Answer(1.0, 4),
    ("ledger", "lead_time"): Answer(2748.5 * MINUTE, 262),
    ("ledger", "change_failure_rate"): Answer(0.0, 4),
    ("ledger", "time_to_restore"): Answer(None, 0),
    ("ledger", "rework_rate"): Answer(0.0, 4),
    ("cli", "deployment_frequency"): Answer(0.75, 3),
    ("cli", "lead_time"): Answer(27 * HOUR, 3),
    ("cli", "change_failure_rate"): Answer(0.0, 3),
    ("cli", "time_to_restore"): Answer(None, 0),
    ("cli", "rework_rate"): Answer(0.0, 3),
    (None, "deployment_frequency"): Answer(5.75, 23),
    (None, "lead_time"): Answer(2741 * MINUTE, 281),
    (None, "change_failure_rate"): Answer(6 / 23, 23),
    (None, "time_to_restore"): Answer(19 * HOUR, 5),
    (None, "rework_rate"): Answer(3 / 23, 23),
}
"""By service, None for all of them together, and metric; rates as shares, lengths in seconds."""
