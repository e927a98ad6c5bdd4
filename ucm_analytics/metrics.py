"""Every number that the toolkit shows, declared once: name, formula, columns, unit, source.

Reports print the formulas from here, `explain` shows one to a reader, `metrics` lists them all. Where the
field has several formulas for one word, each is an entry of its own.

Symbols, for one queue and period: O offered, A answered by a person, AB abandoned in the queue, X overflowed
(went on to the next step unanswered), T target, s threshold of a short abandon, w wait. A≤T are the answered
with w ≤ T, AB≤T, AB≤s, AB<s and AB>T the abandoned with such a wait.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Metric:
    """One number.

    `words` and `symbols` are its formula, `numerator` and `denominator` the columns it is made of as
    ``table.column`` (a denominator only where something is divided). `on_no_data` is what it is where there is
    nothing to count: a count is 0, the rest NA. Which columns of results hold it is said there: `Result.metric`.
    """

    id: str
    name: str
    words: str
    symbols: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    unit: str
    source: str
    on_no_data: Literal["NA", "0"]

    @property
    def formula(self) -> str:
        """Name, words and unit, as reports print them."""
        return f"{self.name} = {self.words} [{self.unit}]"


def metrics() -> pd.DataFrame:
    """All metrics as a table.

    Returns
    -------
    pandas.DataFrame
        One row per metric, in the order of the registry: ``id, name, words, symbols, numerator, denominator, unit,
        source, on_no_data``; columns are joined by ``, ``.

    Examples
    --------
    >>> metrics().set_index("id").loc["asa", ["name", "unit", "on_no_data"]].tolist()
    ['Average speed of answer', 's', 'NA']
    """
    import pandas as pd

    rows = [
        {name: ", ".join(value) if isinstance(value, tuple) else value for name, value in vars(metric).items()}
        for metric in METRICS.values()
    ]
    return pd.DataFrame(rows, dtype="str")


def explain(id: str) -> str:
    """Explain a number: formula in words and symbols, columns, unit, source.

    Parameters
    ----------
    id : str
        Id of a metric, or ``service_level`` for all its variants.

    Returns
    -------
    str
        Some lines of text.

    Raises
    ------
    SettingError
        No metric has this id.

    Examples
    --------
    >>> print(explain("abandon_rate"))
    Abandon rate (abandon_rate)
      = abandoned / offered
      = AB / O
      unit: share of 1; on no data: NA
      counted from: steps.result / steps.kind
      source: Genesys Cloud metric definitions; Amazon Connect reference queries
    """
    if id == "service_level":
        return "\n\n".join(explain(variant) for variant in SERVICE_LEVELS)
    metric = _metric(id)
    columns = " / ".join(", ".join(part) for part in (metric.numerator, metric.denominator) if part)
    return f"""{metric.name} ({metric.id})
  = {metric.words}
  = {metric.symbols}
  unit: {metric.unit}; on no data: {metric.on_no_data}
  counted from: {columns}
  source: {metric.source}"""


def formulas(*ids: str) -> str:
    """Formulas of these metrics, one a line, as a report prints them under a table.

    Raises
    ------
    SettingError
        No metric has one of the ids.

    Examples
    --------
    >>> formulas("answered_rate")
    'Answered rate = answered / offered [share of 1]'
    """
    return "\n".join(_metric(id).formula for id in ids)


def _metric(id: str) -> Metric:
    if id not in METRICS:
        near = get_close_matches(id, METRICS, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "ucm_analytics.metrics.metrics() lists them all"
        raise SettingError(f"no metric is called {id!r}", hint=hint)
    return METRICS[id]


_SHARE: Final = "share of 1"


def _number(id: str, name: str, words: str, symbols: str, columns: str, unit: str, source: str = "") -> Metric:
    """Something that is NA without data; the columns are those above and below a slash."""
    above, _, below = columns.partition("/")
    parts = tuple(above.split()), tuple(below.split())
    return Metric(id, name, words, symbols, *parts, unit, source or "this toolkit", "NA")


def _share(id: str, name: str, words: str, symbols: str, columns: str, source: str = "", unit: str = _SHARE) -> Metric:
    """Something divided."""
    return _number(id, name, words, symbols, columns, unit, source)


def _count(id: str, name: str, words: str, columns: str, unit: str = "calls") -> Metric:
    """A count or a sum: 0 where there is nothing, not NA."""
    symbols = f"Σ {columns.rpartition('.')[2]}" if unit == "s" else f"#{{{words}}}"
    return replace(_number(id, name, words, symbols, columns, unit), on_no_data="0")


_CCH: Final = "ICMI and Call Centre Helper, service level formula"
_GENESYS: Final = "https://help.mypurecloud.com/articles/configure-the-service-level-calculation/"
_FUSION: Final = "FusionPBX xml_cdr_statistics; https://docs.techlacom.com/en/latest/status/cdr_statistics.html"
_QM: Final = "https://www.queuemetrics.com/blog/2018/06/20/first-call-resolution/"
_MZ: Final = "A. Mandelbaum, S. Zeltyn: The Palm/Erlang-A Queue, with Applications to Call Centers"
_BROWN: Final = "L. Brown et al.: Statistical Analysis of a Telephone Call Center. JASA 100 (2005) 36-50"
_HF: Final = "R. J. Hyndman, Y. Fan: Sample Quantiles in Statistical Packages (1996), type 7"
_DURATIONS: Final = "calls.talk_s calls.wait_s calls.ring_s calls.ivr_s calls.queue_s"
_WAIT: Final = "steps.result steps.wait_s"
_MENU: Final = "steps.result / steps.kind"
_CAPTURI: Final = "https://capturi.stonly.com/kb/guide/en/understanding-repeat-calls-efjfyibyes/Steps/3747267"

SERVICE_LEVELS: Final = ("sl_f1", "sl_f2", "sl_f3", "sl_f4", "sl_f5", "sl_genesys")
"""The variants of the service level, in the order in which they are shown."""

_ALL: Final = (
    # service level
    _share("sl_f1", "Service level, formula 1",
        "(answered within the target + abandoned within the target) / (answered + abandoned)",
        "(A≤T + AB≤T) / (A + AB)", f"{_WAIT} / steps.result", f"{_CCH} 1"),
    _share("sl_f2", "Service level, formula 2", "answered within the target / answered; hides every caller who gave up",
        "A≤T / A", f"{_WAIT} / steps.result", f"{_CCH} 2 ('not an accurate reflection'); Wazo call-logd"),
    _share("sl_f3", "Service level, formula 3", "answered within the target / (answered + abandoned)",
        "A≤T / (A + AB)", f"{_WAIT} / steps.result", f"{_CCH} 3; VoicePro"),
    _share("sl_f4", "Service level, formula 4", "answered within the target / (answered + abandoned after the target)",
        "A≤T / (A + AB>T)", f"{_WAIT} / {_WAIT}",
        f"{_CCH} 4; https://blog.brightpattern.com/blog/service-level-ns-infographic"),
    _share("sl_f5", "Service level, formula 5",
        "(answered within the target + abandoned within the short threshold) / (answered + abandoned)",
        "(A≤T + AB≤s) / (A + AB)", f"{_WAIT} / steps.result", f"{_CCH} 5"),
    _share("sl_genesys", "Service level, Genesys",
        "answered within the target / (answered + abandoned, less the short or all of them, plus the overflowed, as "
        "three switches say)",
        "A≤T / (A + AB [− AB<s] [− AB] [+ X])", f"{_WAIT} / {_WAIT}", _GENESYS),
    # queues
    _count("queue_offered", "Offered", "visits to the queue", "steps.kind", "visits"),
    _count("queue_answered", "Answered", "visits that ended with a person", "steps.result", "visits"),
    _count("queue_abandoned", "Abandoned", "visits that ended because the caller left", "steps.result", "visits"),
    _count("queue_abandoned_short", "Short abandons", "abandoned visits with wait below the short threshold", _WAIT,
        "visits"),
    _count("queue_overflowed", "Overflowed", "visits after which the call went on unanswered", "steps.result",
        "visits"),
    _count("queue_other", "Other ends", "visits that ended in another way (all agents busy, failed)", "steps.result",
        "visits"),
    _count("sl_numerator", "In the service level", "numerator of the variant", _WAIT, "visits"),
    _count("sl_denominator", "Out of", "denominator of the variant", _WAIT, "visits"),
    _share("answered_rate", "Answered rate", "answered / offered", "A / O", "steps.result / steps.kind",
        "Wazo documents A / (received − closed) and computes A / (A + AB + full + empty + timeout)"),
    _share("abandon_rate", "Abandon rate", "abandoned / offered", "AB / O", "steps.result / steps.kind",
        "Genesys Cloud metric definitions; Amazon Connect reference queries"),
    _share("long_abandon_rate", "Abandon rate without short abandons",
        "(abandoned - short abandons) / (offered - short abandons)", "(AB − AB<s) / (O − AB<s)",
        f"{_WAIT} / {_WAIT}", "Google CCAI and VoicePro, short 5 to 10 s"),
    _share("queue_abandon", "Queue abandon rate", "visits not answered in this queue / offered", "(O − A) / O",
        "steps.result / steps.kind", "https://voicepro-docs.yolo.co.za/glossary.html"),
    _share("true_abandon", "True abandon rate", "calls that nobody answered anywhere / calls that came to the queue",
        "#{outcome ≠ answered} / calls", "calls.outcome / calls.queue",
        "https://voicepro-docs.yolo.co.za/glossary.html"),
    _share("asa", "Average speed of answer",
        "wait of the answered / answered; from entering the queue to the pick-up, ringing of the agents included",
        "Σ w of answered / A", f"{_WAIT} / steps.result",
        "https://doc.vodia.com/docs/call-queue-metrics splits waiting from ringing; here they are together", "s"),
    _number("queue_wait_quantile", "Median and p90 of the wait",
        "the wait that 50 % (90 %) of the visits do not exceed, answered or not", "Q(0.5), Q(0.9) of w",
        "steps.wait_s", "s", _HF),
    _number("longest_wait", "Longest wait", "longest visit until a person picked up or the caller left or went on",
        "max w", "steps.wait_s", "s"),
    _count("queue_talk", "Talk", "time with a person in the visits", "steps.talk_s", "s"),
    _share("att", "Talk time a call", "talk / answered; hold and wrap-up are not in the records", "Σ talk / A",
        "steps.talk_s / steps.result", unit="s"),
    _share("aht", "Average handle time", "(talk + hold + wrap-up) / answered; no record holds the wrap-up",
        "(talk + hold + wrap-up) / A", "steps.talk_s / steps.result", "Genesys Cloud metric definitions", unit="s"),
    _count("queue_transferred", "Transferred", "answered visits that the agent sent on right after", "steps.kind",
        "visits"),
    _share("transfer_rate", "Transfer rate", "transferred / answered", "transferred / A",
        "steps.kind / steps.result", "Genesys Cloud metric definitions"),
    _count("queue_recalls", "Re-calls", "calls whose caller came to the queue again within the window", "calls.caller"),
    _count("solicitations", "Rung", "times that a phone rang; at least one a call", "rings.ring_no", "rings"),
    _share("picked_up_rate", "Answered rate of a phone", "answered / (answered + missed); elsewhere is no miss",
        "answered / (answered + missed)", "rings.result / rings.result"),
    _share("mean_ring", "Ring before answer", "ringing of the phones that were picked up / times picked up",
        "Σ ring of answered / #answered", "rings.ring_s / rings.result", unit="s"),
    _count("wait_bin", "Visits in the bin", "visits with this end and from < wait ≤ to; the first bin holds 0 too",
        _WAIT, "visits"),
    _share("wait_bin_share", "Share of the bin", "visits in the bin / visits with this end", "n / N",
        f"{_WAIT} / steps.result"),
    # patience
    _share("patience", "Patience",
        "share still willing to wait after w: product over the waits t ≤ w of (1 - abandoned at t / at risk at t); "
        "answered, overflowed and other ends are censored", "S(w) = Π (1 − d_t / n_t)",
        f"{_WAIT} / {_WAIT}", f"Kaplan and Meier 1958; {_BROWN}"),
    _number("patience_band", "Confidence band of patience", "S(w) to the power exp(± z · standard error), log-log "
        "transform of Greenwood's variance", "S^exp(±z √G / ln S), G = Σ d / (n (n − d))", _WAIT, "share of 1",
        "Kalbfleisch and Prentice, exponential Greenwood"),
    _number("median_patience", "Median patience", "the first wait at which S ≤ 0.5; its interval: where the band is",
        "min {w: S(w) ≤ 0.5}", _WAIT, "s", "R. Brookmeyer, J. Crowley: Biometrics 38 (1982) 29-41"),
    _count("patience_at_risk", "At risk", "visits that lasted this long", "steps.wait_s", "visits"),
    _count("patience_censored", "Censored", "visits that ended after this wait, but not because the caller left",
        _WAIT, "visits"),
    _share("patience_exponential", "Mean patience, if exponential", "all waits / abandoned", "Σ w / AB",
        "steps.wait_s / steps.result", "maximum likelihood of the censored exponential", unit="s"),
    # volume
    _count("calls", "Calls", "calls that started in the interval, or that the row is about; records that only go on "
        "with another call are not counted", "calls.call_id"),
    _count("calls_answered", "Answered by a person", "calls that a person answered; menus, queues and mailboxes that "
        "picked up do not count", "calls.outcome"),
    _share("calls_per_day", "Calls a day", "calls / days, days without calls included; of an hour as often as the "
        "clock went through it", "calls / days",
        "calls.call_id / calls.local_at",
        unit="calls a day"),
    _number("usual_calls", "Usual calls", "the range that holds the calls of 95 of 100 such intervals: a negative "
        "binomial around their mean, with the spread of all of them", "NB(mean, mean + mean² / size): 2.5 %, 97.5 %",
        "calls.local_at", "calls", "Farrington et al. 1996, JRSS A 159"),
    _number("busy_hour", "Busiest 60 minutes", "most calls that start in any 60 minutes", "max #{t ≤ start < t + 1 h}",
        "calls.local_at", "calls", "ITU-T E.600"),
    _number("tcbh", "Time-consistent busy hour", "clock hour with the highest mean over the days",
        "argmax_h calls per day", "calls.local_at", "clock hour", "ITU-T E.500"),
    _share("asr", "Answer-seizure ratio", "100 · answered / attempts", "100 A / n", "calls.outcome / calls.call_id",
        _FUSION, unit="%"),
    _share("aloc", "Average length of call", "talk / answered / 60", "Σ talk / A / 60", "calls.talk_s / calls.outcome",
        _FUSION, unit="min"),
    # durations
    _number("quantile", "Median, p90, p95", "the value that 50 %, 90 %, 95 % of the calls do not exceed, linear "
        "between the two nearest", "Q(p)", _DURATIONS, "s", _HF),
    _share("mean", "Mean", "total / calls that have the measure", "Σ x / n", f"{_DURATIONS} / calls.call_id", unit="s"),
    _number("extreme", "Shortest, longest", "smallest and largest value", "min x, max x", _DURATIONS, "s"),
    _count("total", "Total", "sum of the measure", _DURATIONS, "s"),
    _share("bin_share", "Share of the bin", "calls with from ≤ value < below / calls that have the measure", "n / N",
        f"{_DURATIONS} / calls.call_id"),
    _count("short_calls", "Very short calls", "answered calls with talk below the short threshold", "calls.talk_s"),
    _count("long_calls", "Long calls", "answered calls with talk of the long threshold or more", "calls.talk_s"),
    _share("short_rate", "Very short rate", "very short calls / answered", "#{talk < short} / A",
        "calls.talk_s / calls.outcome"),
    _share("long_rate", "Long rate", "long calls / answered", "#{talk ≥ long} / A", "calls.talk_s / calls.outcome"),
    _count("long_talk", "Talk in long calls", "talk of the long calls", "calls.talk_s", "s"),
    _share("long_talk_rate", "Talk in long calls, share", "talk of the long calls / talk of all answered calls",
        "Σ talk of long / Σ talk", "calls.talk_s / calls.talk_s"),
    # extensions
    _count("phone_offered", "Offered", "different calls that rang the phone (of a queue: visits)", "rings.call_id"),
    _count("phone_answered", "Answered", "those that it picked up", "rings.result"),
    _count("phone_elsewhere", "Elsewhere", "those that another phone picked up while it rang", "rings.result"),
    _count("phone_missed", "Missed", "those that rang it and that nobody picked up meanwhile; never outbound calls",
        "rings.result"),
    _count("phone_unreachable", "Unreachable", "those that found it only busy or not reachable", "rings.result"),
    _count("phone_talk", "Talk", "time talked in calls that it picked up", "rings.talk_s", "s"),
    _share("phone_mean_talk", "Talk a call", "talk / answered", "Σ talk / answered", "rings.talk_s / rings.result",
        unit="s"),
    _count("placed", "Placed", "calls that it made: outbound, internal, or of unknown direction", "calls.caller"),
    _count("placed_talk", "Talk in placed calls", "time talked in them", "calls.talk_s", "s"),
    _number("busiest_hour", "Busiest hour", "clock hour with most rings and placed calls, of equals the earliest",
        "argmax_h (rings + placed)", "rings.local_at calls.local_at", "clock hour"),
    # menus
    _count("passes", "Passes", "visits to a menu, or moves made; a call that hears a menu twice passes it twice",
        "steps.step_no", "passes"),
    _count("menu_repeated", "Heard again", "passes after which the same menu came again", "steps.target", "passes"),
    _count("menu_went_on", "Went on", "passes after which another step came", "steps.result", "passes"),
    _count("menu_answered", "Answered later", "passes that went on and that a person answered later in the call",
        "steps.result", "passes"),
    _count("menu_hung_up", "Hung up", "passes in which the caller left", "steps.result", "passes"),
    _count("menu_timed_out", "Timed out", "passes that the PBX ended after missing or invalid keys", "steps.result",
        "passes"),
    _count("menu_other", "Other ends", "passes that ended the call in another way", "steps.result", "passes"),
    _share("menu_rates", "Rates of a menu", "went on, answered later, hung up or timed out / passes", "n / passes",
        _MENU),
    _share("path_share", "Share of a way", "calls of this way / calls that went through a menu", "n / N",
        "calls.path / calls.path"),
    _share("path_answered_rate", "Answered rate of a way", "calls that a person answered / calls of this way", "A / n",
        "calls.outcome / calls.path"),
    _share("choice_share", "Share of a choice", "times / all times that the menu was left for a step or came again",
        "n / N", _MENU),
    _share("ivr_ended", "Ended in the menu", "calls that ended in a menu / calls that went through one; not "
        "containment: the records cannot tell served from gave up", "ended / n", "calls.ended_in / calls.path",
        "https://www.teneo.ai/learning-hub/call-center-glossary/ivr-containment"),
    _share("ivr_containment", "IVR containment", "calls handled entirely and resolved in menus / calls with a menu; "
        "needs to know what was resolved, which no record holds", "resolved / n", "/ calls.path",
        "https://opsdog.com/products/ivrvru-containment-rate"),
    _share("zero_out", "Zero-out rate", "callers who chose the operator / menu entries", "operator / entries", _MENU,
        "Microsoft Teams auto attendant, tot_0_calls"),
    _count("tot_calls", "Passes of a menu", "each pass of a menu counts", "steps.step_no", unit="passes"),
    _count("tot_callers", "Callers of a menu", "a call that passes a menu several times counts once", "steps.call_id"),
    # callers
    _share("repeat_rate", "Repeat rate", "calls followed by another from the same number within the window / calls "
        "whose window is over; hidden numbers are left out", "followed / n", "calls.caller / calls.caller", _QM),
    _share("fcr", "First-contact resolution", "calls neither preceded nor followed within the window / calls whose "
        "window is over", "#{neither} / n", "calls.caller / calls.caller", _CAPTURI),
    _share("fcr_simple", "First-contact resolution, simple", "1 - repeats / calls", "1 − repeats / n",
        "calls.caller / calls.call_id",
        "https://www.callcentrehelper.com/forum/formula-to-calculate-the-call-resolution-111044.htm"),
    _count("unreturned_missed", "Still open", "missed calls with no later answered contact either way",
        "calls.caller calls.outcome"),
    _number("time_to_callback", "Time to call back", "survival curve of the time to the first contact, censored at the "
        "end of the period", "S(t) = Π (1 − d_t / n_t)", "calls.started_at", "s", "Kaplan and Meier 1958"),
    _share("concentration", "Concentration of callers", "calls of the most frequent callers / calls; entropy beside it",
        "Σ top / n", "calls.caller / calls.call_id", "bandicoot"),
    # traffic and staffing
    _number("concurrency", "Calls at once", "calls with start ≤ t < end", "#{i: start_i ≤ t < end_i}",
        "calls.started_at calls.ended_at", "calls"),
    _share("traffic", "Offered traffic", "busy-hour call attempts · mean hold / 3600; 1 erlang is 36 CCS",
        "BHCA · h / 3600", "calls.duration_s / calls.started_at", "https://www.erlang.com/reply/32565/", unit="erlang"),
    _number("bhca", "Busy-hour call attempts", "calls tried in the busy hour; bhcc counts those completed",
        "#{start in busy hour}", "calls.started_at", "calls", "https://www.erlang.com/reply/32565/"),
    _number("bhcc", "Busy-hour calls completed", "calls answered in the busy hour", "#{answered in busy hour}",
        "calls.started_at calls.outcome", "calls", "https://www.erlang.com/reply/32565/"),
    _share("occupancy", "Occupancy", "handle time / (handle time + available time); from records only a lower "
        "bound", "Σ talk / (staff · period)", "steps.talk_s /", "Genesys Cloud metric definitions"),
    _number("erlang_b", "Erlang B", "probability that all k lines are busy; blocked calls are lost",
        "B₀ = 1; Bₖ = a Bₖ₋₁ / (k + a Bₖ₋₁)", "calls.started_at calls.ended_at", "share of 1", "A. K. Erlang 1917"),
    _number("erlang_b_extended", "Extended Erlang B", "Erlang B with a share r of the blocked trying again",
        "a = a₀ + r B a", "calls.started_at calls.ended_at", "erlang", "https://www.voipcalculator.com/"),
    _number("erlang_c", "Erlang C", "probability of waiting with n agents; nobody gives up",
        "C = n B / (n − a (1 − B)), SL(T) = 1 − C e^(−(n − a) T / h)", "steps.local_at steps.talk_s", "share of 1",
        "A. K. Erlang 1917"),
    _number("erlang_a", "Erlang A", "queue with n agents whose callers give up at rate θ",
        "birth and death, death rate min(k, n) μ + (k − n)⁺ θ; P(ab) = θ E[W]",
        "steps.local_at steps.talk_s steps.wait_s", "share of 1", _MZ),
    # what reports add
    _count("inbound", "Calls from outside", "inbound calls", "calls.direction"),
    _share("inbound_answered", "Answered by a person, share", "calls from outside that a person answered / calls from "
        "outside", "A / n", "calls.outcome / calls.direction"),
    _number("wait", "Wait", "start of the call to the answer of a person or a mailbox, else to its end; of calls that "
        "were offered to people", "answer − start", "calls.wait_s", "s"),
    _number("talk", "Talk", "time with a person; of calls that a person answered", "end − pick-up", "calls.talk_s",
        "s"),
    _number("ring", "Ringing", "time that phones rang outside queues; of calls in which some did", "pick-up − ring",
        "calls.ring_s", "s"),
    _number("in_menus", "In menus", "time in menus; of calls that went through one", "Σ dwell", "calls.ivr_s", "s"),
    _number("in_queues", "In queues", "time in queues; of calls that went through one", "Σ dwell", "calls.queue_s",
        "s"),
    _share("hour_of_week", "Calls in an hour of the week", "calls that started in this hour of this weekday / how "
        "often the clock went through it in the period", "calls / days", "calls.call_id / calls.local_at",
        unit="calls a day"),
    _number("before", "The period before", "the month before a month, otherwise the nearest days with the same "
        "weekdays", "period − n weeks", "calls.local_at", "days"),
    _number("change", "Change", "now / before - 1; calls weekday by weekday", "now / before − 1", "calls.local_at",
        _SHARE),
    _number("change_interval", "Interval of the change, 95 %", "calls: exp(log ratio ± t √(φ/n + φ/n')), "
        "φ the largest of 1 and χ² / degrees of freedom over the days (quasi-Poisson); the others: from the spread of "
        "the daily ratios", "exp(log r ± t √(φ/n + φ/n'))", "calls.local_at", _SHARE, "McCullagh and Nelder 1989"),
    _count("missed", "Missed", "calls from outside that no person answered", "calls.outcome"),
    _count("missed_tries", "Tries", "missed calls of one number without contact between them", "calls.caller"),
    _number("contact", "After", "first try to contact: a call of ours to the number that was answered, or a later call "
        "of theirs that a person answered", "contact − first try", "calls.local_at", "s"),
    _share("still_open", "Still open", "share without contact after t: product over the times up to t of (1 - callers "
        "with contact at that time / callers still open and still watched); interval: Greenwood, log-log, 95 %",
        "S(t) = Π (1 − d / n)", "calls.outcome / calls.caller", "Kaplan and Meier 1958"),
    _share("first_contact", "First-contact resolution, of first calls", "first calls not followed by another of the "
        "same number within the window / first calls: no other in the window before them", "settled / first",
        "calls.caller / calls.caller"),
    _share("caller_share", "Share of a caller", "calls of the caller / calls of all callers that show a number",
        "n / N", "calls.caller / calls.caller"),
    _share("caller_answered", "Answered rate of a caller", "calls that a person answered / calls of the caller or area",
        "A / n", "calls.outcome / calls.caller"),
    _number("entropy", "Entropy of callers", "-Σ p log2 p over the callers' shares p", "−Σ p log₂ p", "calls.caller",
        "bit", "C. E. Shannon 1948"),
    _share("area_share", "Share of an area", "calls from the area / calls from outside", "n / N",
        "calls.caller / calls.direction"),
    _number("usual", "Expected, usual", "mean of the same weekday (and hour) of the other weeks; usual: what a "
        "negative binomial with that mean and the spread of all weeks holds but for the false alarms allowed",
        "mean, NB quantiles", "calls.local_at", "calls"),
    _number("forecast", "Expected", "calls of the weekday × part that the slot has of a day, drawn to the slot's own "
        "mean as far as its count tells; the slots of a day add up to its calls", "day × part",
        "calls.local_at", "calls"),
    _number("forecast_interval", "Interval of the forecast", "negative binomial, its spread from the errors of "
        "forecasts of past weeks", "NB quantiles", "calls.local_at", "calls"),
    _number("forecast_error", "Error of the forecast", "√(mean of (calls - forecast)²)", "√ mean (y − ŷ)²",
        "calls.local_at", "calls"),
    _number("callers_a_day", "Callers a day", "offered in the half hour / days of this kind", "O / days",
        "steps.kind", "visits"),
    _number("reached_level", "Answered in time", "answered within the target / offered", "A≤T / O", _WAIT, _SHARE),
    _number("handle_time", "Handle time", "mean talk of the answered; wrap-up is not in the records and taken as 0",
        "Σ talk / A", "steps.talk_s", "s"),
    _number("line_time", "Line time", "offered traffic · 3600", "erlang · 3600", "calls.duration_s", "s"),
    _number("fraud_score", "Score", "100 · (1 - 2^(-measured / threshold)), strength doubled for satellites and "
        "premium rate", "100 (1 − 2^(−m/t))", "calls.callee", "points"),
    _number("call_cost", "Cost of a call", "setup + price of a minute · billed / 60", "setup + p · billed / 60",
        "calls.talk_s calls.callee", "money"),
    _number("billed", "Billed", "talk, each call rounded up to the tariff's step", "⌈talk / step⌉ · step",
        "calls.talk_s", "s"),
    _share("cost_share", "Share of the cost", "cost / cost of all calls", "c / C", "calls.talk_s / calls.talk_s"),
    _count("findings", "Count", "records, calls, steps or days for which the check holds", "legs.call_id", "findings"),
    _number("unexplained", "Unexplained", "total - (start + the named effects)", "total − Σ effects", "legs.call_id",
        "records, rings, calls or callers"),
    _count("records", "Records", "CDR rows of calls that began on the day", "legs.called_at", "rows"),
)  # fmt: skip

METRICS: Final[dict[str, Metric]] = {metric.id: metric for metric in _ALL}
