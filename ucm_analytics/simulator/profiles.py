"""Firmware profiles: which fields a PBX writes and how it groups legs, one entry each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ucm_analytics.errors import SettingError

FIELDS_22: Final = (
    "AcctId",
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "uniqueid",
    "userfield",
    "channel_ext",
    "dstchannel_ext",
    "service",
)
FIELDS_32: Final = (
    *FIELDS_22,
    "caller_name",
    "recordfiles",
    "dstanswer",
    "chanext",
    "dstchanext",
    "session",
    "action_owner",
    "action_type",
    "src_trunk_name",
    "dst_trunk_name",
)
FIELDS_43: Final = (
    *FIELDS_32,
    "nat_call",
    "nat_call_peer",
    "video_call",
    "gdms_unique_code",
    "gds_call",
    "gsc_call",
    "wave_src_seqid",
    "wave_dst_seqid",
    "device_info",
    "device_info_peer",
    "recordfiles_desc",
)
FIELDS_NEWEST: Final = (
    *(field for field in FIELDS_43 if field not in ("chanext", "dstchanext")),
    "anonymous_call",
    "reason",
    "wave_src_hide",
    "wave_dst_hide",
    "new_src",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What one firmware line writes.

    Attributes
    ----------
    fields : tuple of str
        The leg's fields in the order the device writes them; ``AcctId`` is the first.
    cdr_is_session : bool
        The element's ``cdr`` holds the session; else it is empty.
    monthly_ids : bool
        AcctId restarts at 1 with each month; else it runs on.
    shifted : bool
        Groups are shifted by one leg under a stale ``main_cdr``.
    named_actions : bool
        Action types carry the object's name: ``IVR[7000]NAME[Main]``.
    model, version : str
        What ``getSystemGeneralStatus`` tells.
    """

    name: str
    fields: tuple[str, ...]
    cdr_is_session: bool
    monthly_ids: bool
    shifted: bool
    named_actions: bool
    model: str
    version: str


PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("f32", FIELDS_32, True, True, False, False, "UCM6302  V1.1A", "1.0.11.10"),
        Profile("f43", FIELDS_43, False, False, False, False, "UCM6302  V1.2B", "1.0.15.13"),
        Profile("f43-shifted", FIELDS_43, False, False, True, False, "UCM6302  V1.2B", "1.0.17.11"),
        Profile("newest", FIELDS_NEWEST, False, False, False, True, "UCM6302  V1.5A", "1.0.27.9"),
    )
}


def profile_named(name: str) -> Profile:
    """Profile of this name.

    Raises
    ------
    SettingError
        There is no profile of this name.
    """
    try:
        return PROFILES[name]
    except KeyError:
        known = ", ".join(PROFILES)
        raise SettingError(f"no firmware profile is called {name!r}", hint=f"choose one of {known}") from None
