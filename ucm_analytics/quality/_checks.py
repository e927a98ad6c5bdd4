"""Everything that is looked for in a store, as one table that a manager can read.

A check with a `condition` is a SQL condition on the rows of its table; the others are measured by
`_measure`, over days or over several rows at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ucm_analytics.schema import TableName

Severity = Literal["error", "warning", "note"]

SEVERITIES: Final[dict[Severity, str]] = {
    "error": "numbers are wrong until this is mended",
    "warning": "some numbers may be wrong, or will change",
    "note": "good to know when reading the numbers",
}

_EVERY: Final = ("every report",)
_TIMES: Final = ("durations", "extensions", "queues")

# The hour that happens twice: the wall clock of a leg ends an hour off its duration.
_THROUGH_CHANGE: Final = "coalesce(abs(abs(epoch(end_at) - epoch(start_at) - duration_s) - 3600) <= 1, false)"


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong.

    Attributes
    ----------
    id : str
        Its name.
    severity : str
        One of SEVERITIES.
    title : str
        What is found, in a few words.
    unit : str
        What is counted.
    means : str
        What it means, and what to do.
    touches : tuple of str
        Names of the reports whose numbers depend on it, or ``every report``.
    table, condition : str
        Rows of this table for which the condition holds are counted.
    """

    id: str
    severity: Severity
    title: str
    unit: str
    means: str
    touches: tuple[str, ...]
    table: TableName | None = None
    condition: str = ""


CHECKS: Final = (
    Check(
        "missing_days",
        "error",
        "days that were never pulled",
        "days",
        "Their calls are in no number. Pull them: ucm-analytics sync --since DAY --until DAY.",
        _EVERY,
    ),
    Check(
        "duplicate_legs",
        "error",
        "records that are stored twice",
        "records",
        "The same record lies in two files, as after copying a month by hand, and its call counts twice. "
        "Remove the copied file.",
        _EVERY,
    ),
    Check(
        "future_legs",
        "error",
        "records from after they were pulled",
        "records",
        "The PBX's clock is ahead, or was for a time: these calls stand on the wrong day and hour. "
        "Set the PBX to a time server.",
        _EVERY,
        table="legs",
        condition="called_at > $pulled_at + INTERVAL 10 MINUTE",
    ),
    Check(
        "unexplained",
        "error",
        "records, rings or calls that do not add up",
        "rows",
        "Counted from the records by other rules, the numbers differ from the tables that the reports use. Build the "
        "tables again with Store.rebuild(); if it stays, it is a fault of this package: please report it.",
        _EVERY,
    ),
    Check(
        "unsettled_days",
        "warning",
        "days that may still change",
        "days",
        "They had not ended for long when they were pulled, or came from a file. The next sync asks for them again.",
        _EVERY,
    ),
    Check(
        "vanished_legs",
        "warning",
        "stored records that the PBX no longer sends",
        "records",
        "The PBX deleted them, or lost them. They are kept and counted.",
        _EVERY,
    ),
    Check(
        "silent_days",
        "warning",
        "days without a call where that weekday normally has many",
        "days",
        "A holiday, a line that was down, or records that the PBX lost: the records cannot tell. "
        "Compare with the holidays of the site.",
        _EVERY,
    ),
    Check(
        "set_aside",
        "warning",
        "records of which no call can be made",
        "records",
        "They say what no call can be, as after a clock that jumped. They are kept as they came and are in no other "
        "report; where their call has more records, it is told by those. Those without any time may be of any day, and "
        "are counted in every period.",
        _EVERY,
    ),
    Check(
        "without_session",
        "warning",
        "records without a session",
        "records",
        "The session holds the legs of a call together. Without it the channel's number does, and a "
        "transferred call falls into two.",
        _EVERY,
        table="legs",
        condition="session IS NULL",
    ),
    Check(
        "orphan_calls",
        "warning",
        "calls whose first leg is missing",
        "calls",
        "They begin with a transfer, or with a park slot that nobody is known to have left: what came before is not "
        "stored. Where they came from and how long they waited is unknown.",
        ("call-volume", "durations", "ivr-paths"),
        table="calls",
        condition="entry LIKE 'transfer:%' OR entry LIKE 'park:%' AND forward_of IS NULL",
    ),
    Check(
        "late_first_leg",
        "warning",
        "calls whose first leg starts 15 minutes or more after the call",
        "calls",
        "The legs before it are missing, or the clock of the PBX jumped between them.",
        ("durations", "ivr-paths"),
    ),
    Check(
        "odd_clock",
        "warning",
        "calls whose wall clock fits neither their day nor the days beside it",
        "calls",
        "The clock of the PBX jumped, or its time zone was wrong for some hours. The instant of these calls is right, "
        "the hour shown may not be.",
        ("call-volume",),
    ),
    Check(
        "zone_contradicted",
        "warning",
        "calls whose wall clock is not that of the time zone named for the PBX",
        "calls",
        "Either the time zone is not that of the site, or the clock of the PBX does not follow it. Calls are shown by "
        "the clock of the PBX. If that is right, set timezone in the settings (or UCM_TIMEZONE) and build the tables "
        "again with Store.rebuild(zone=...); if not, set the zone on the PBX: hours shown so far stay off.",
        _EVERY,
    ),
    Check(
        "zone_changed",
        "warning",
        "days on which the clock changed for no daylight saving time",
        "days",
        "The offset to UTC changed by something else than an hour, or back again within four weeks, or when the time "
        "zone named for the PBX does not: somebody changed the zone or the clock of the PBX, or it has another zone.",
        ("call-volume",),
    ),
    Check(
        "end_before_start",
        "warning",
        "records that end before they start",
        "records",
        "The clock of the PBX was set back during the call.",
        _TIMES,
        table="legs",
        condition=f"end_at < start_at AND NOT {_THROUGH_CHANGE}",
    ),
    Check(
        "negative_seconds",
        "warning",
        "records with a negative duration",
        "records",
        "The PBX counted below zero. Sums of these seconds are too small.",
        _TIMES,
        table="legs",
        condition="duration_s < 0 OR billsec_s < 0",
    ),
    Check(
        "talk_too_long",
        "warning",
        "records that talk longer than they last",
        "records",
        "billsec is more than a second above duration. Talk time is doubtful.",
        _TIMES,
        table="legs",
        condition="billsec_s > duration_s + 1",
    ),
    Check(
        "answer_outside",
        "warning",
        "records answered before their start or after their end",
        "records",
        "When they were answered is doubtful, and so are their waiting and talking times.",
        _TIMES,
        table="legs",
        condition=f"(answer_at < start_at OR answer_at > end_at) AND NOT {_THROUGH_CHANGE}",
    ),
    Check(
        "long_calls",
        "warning",
        "calls longer than 12 hours",
        "calls",
        "Mostly a line that was not hung up. A few of them move every mean.",
        _TIMES,
        table="calls",
        condition="duration_s > 43200",
    ),
    Check(
        "unknown_actions",
        "note",
        "steps of a kind that is not known",
        "steps",
        "The PBX did something that this package has no name for. They are shown as `other` with the PBX's own text.",
        ("ivr-paths",),
        table="steps",
        condition="kind = 'other'",
    ),
    Check(
        "unknown_fields",
        "note",
        "records with fields that are not known",
        "records",
        "A newer firmware sends more. They are stored as they came, and used by no report.",
        (),
    ),
    Check(
        "odd_values",
        "note",
        "records with values that do not fit their column",
        "records",
        "Such as a number that is none, or a date of zeros. They are kept as they came and count as absent.",
        _TIMES,
    ),
    Check(
        "clock_changed",
        "note",
        "days on which the clock changed by an hour",
        "days",
        "Daylight saving time. One day has 23 hours, the other has an hour twice.",
        ("call-volume",),
    ),
    Check(
        "ambiguous_pickups",
        "note",
        "answered calls whose pick-up the records do not show",
        "calls",
        "Their ringing is counted as talk: waiting is too short and talk too long by the same seconds.",
        _TIMES,
        table="calls",
        condition="NOT exact_pickup AND outcome = 'answered'",
    ),
    Check(
        "unconfirmed_recordings",
        "note",
        "records that name a recording without its length and size",
        "records",
        "The PBX normally notes both. Whether the files are there cannot be seen in the store; only the PBX knows.",
        (),
        table="legs",
        condition="recordfiles IS NOT NULL AND recordfiles_desc IS NULL AND fields LIKE '%\"recordfiles_desc\"%'",
    ),
)
"""All checks, the most severe first."""

UNSEEN: Final = (
    "What the store alone cannot show: calls that the PBX never recorded or deleted before the first pull, "
    "whether recordings still lie on the PBX, and who was logged in or at work."
)
