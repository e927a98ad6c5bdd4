"""The pretend clinic: who sits where, what its menus do, and how its phones behave."""

from __future__ import annotations

from typing import Final, NamedTuple

from ucm_analytics.simulator.records import (
    Extension,
    InboundRoute,
    Ivr,
    Key,
    Queue,
    RingGroup,
    Site,
    Trunk,
)


class Line(NamedTuple):
    """A trunk as the call records show it."""

    tag: str
    name: str
    service: str


MAIN_LINE: Final = Line("trunk_1", "MainLine", "s")
BRANCH_LINE: Final = Line("trunk_2", "BranchLine", "s")
ANALOG_LINE: Final = Line("o1", "OldLine", "p")
LINES: Final = {1: MAIN_LINE, 2: BRANCH_LINE}

MAIN_NUMBER: Final = "12025550100"
MAIN_MENU: Final = "7000"
OPERATORS: Final = "6400"
IN_ORDER_GROUPS: Final = frozenset({"6401"})
RING_ALL_QUEUES: Final = frozenset({"6501"})
GENERAL_MAILBOX: Final = "1000"
ON_CALL: Final = "1029"
PARK_SLOTS: Final = ("71", "72", "73")

NO_MAILBOX: Final = frozenset(str(number) for number in range(1020, 1027))
UNREGISTERED: Final = frozenset({"1027", "1028"})
FOLLOW_ME: Final = {"1013": "12025550171", "1014": "12025550172", "1015": "12025550173"}
IN_MEETING: Final = frozenset({"1002", "1009"})
"""Members of the operators' group whose phones are switched off at lunch and on Saturdays."""

PHONE_MODELS: Final = {
    str(1000 + n): model
    for n, model in enumerate(("GRP2615", "GXP2170", "GRP2670", "GXP2160", "WP820", "GXP2160", "WP820") * 3)
}

KEY_WEIGHTS: Final = {
    ("7000", "1"): 38.0,
    ("7000", "2"): 22.0,
    ("7000", "3"): 20.0,
    ("7000", "5"): 5.0,
    ("7000", "0"): 9.0,
    ("7001", "1"): 38.0,
    ("7001", "2"): 60.0,
    ("7001", "3"): 12.0,
    ("7001", "*"): 10.0,
}
"""How often callers choose a key; a key that is not named here weighs 1."""

DIRECT_DIAL_SHARE: Final = 0.08
"""Share of callers of the main menu who dial an extension instead of a key."""

_PEOPLE: Final = (
    "Reception One", "Reception Two", "Reception Three", "Reception Four", "Reception Lead",
    "Billing One", "Billing Two", "Billing Three", "Front Office", "Back Office",
    "Nurse Ahorn", "Nurse Birke", "Nurse Ulme", "Dr. Eiche", "Dr. Linde", "Dr. Fichte",
    "Dr. Lärche", "Dr. Erle", "Dr. Weißdorn", "Dr. Kiefer", "Lab One", "Lab Two", "X-Ray",
    "Pharmacy", "Archive", "Kitchen", "Workshop", "Spare One", "Spare Two", "On Call",
)  # fmt: skip


def clinic(timezone: str = "Europe/Berlin") -> Site:
    """Make the pretend clinic: 30 phones, two menus, two queues, two ring groups, two SIP trunks.

    An analog line reaches the main menu besides; it shows up in call records only, as it is no
    VoIP trunk.

    Parameters
    ----------
    timezone : str
        IANA name of the zone of the PBX's wall clock.

    Returns
    -------
    Site
        What the list actions of the simulator answer.
    """
    return Site(
        name="Clinic",
        timezone=timezone,
        extensions=tuple(Extension(str(1000 + n), name) for n, name in enumerate(_PEOPLE)),
        queues=(
            Queue("6500", "Reception", "rrmemory", ("1000", "1001", "1002", "1003", "1004")),
            Queue("6501", "Billing", "ringall", ("1005", "1006", "1007")),
        ),
        ivrs=(
            Ivr(
                1,
                MAIN_MENU,
                "Main",
                (
                    Key("0", "member_ringgroup", OPERATORS),
                    Key("1", "member_queue", "6500"),
                    Key("2", "member_queue", "6501"),
                    Key("3", "member_ivr", "7001"),
                    Key("5", "member_queue", "6500"),
                    Key("timeout", "member_prompt", "goodbye"),
                    Key("invalid", "member_prompt", "goodbye"),
                ),
            ),
            Ivr(
                2,
                "7001",
                "Wards",
                (
                    Key("1", "member_account", "1004"),
                    Key("2", "member_ringgroup", "6401"),
                    Key("3", "member_voicemail", "1012"),
                    Key("*", "member_ivr", MAIN_MENU),
                    Key("timeout", "member_prompt", "goodbye"),
                    Key("invalid", "member_prompt", "goodbye"),
                ),
            ),
        ),
        ring_groups=(
            RingGroup(OPERATORS, "Operators", ("1000", "1001", "1002", "1008", "1009")),
            RingGroup("6401", "Nurses", ("1010", "1011", "1012")),
        ),
        trunks=(
            Trunk(1, MAIN_LINE.name, "sip.example.org"),
            Trunk(2, BRANCH_LINE.name, "192.0.2.20"),
        ),
        inbound_routes=(
            InboundRoute(1, 1, MAIN_NUMBER, "ivr", MAIN_MENU),
            InboundRoute(2, 1, "12025550101", "queue", "6500"),
            InboundRoute(3, 1, "12025550102", "ringgroup", OPERATORS),
            InboundRoute(4, 1, "12025550103", "queue", "6501"),
            *(
                InboundRoute(5 + n, 1, f"120255501{10 + n}", "account", extension)
                for n, extension in enumerate(("1013", "1014", "1015", "1016", "1017", "1021", "1018"))
            ),
        ),
    )
