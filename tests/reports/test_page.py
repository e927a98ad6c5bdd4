"""Pages as text: what stands in them, and that data never become code."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
from itertools import pairwise

import plotly.io as pio
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output

from ucm_analytics.documents.html import CSV_ROWS, index

from .by_hand import HOSTILE, Page, card, days, report, section


def test_the_page_holds_every_part_of_every_section() -> None:
    page = Page.of(report(section(["Anna"], title="By caller"), section(["Ben", "Eva"], title="By friend")).to_html())

    assert page.all("html") == [{"lang": "en"}]
    assert [tag for tag, _ in page.elements if tag in ("header", "nav", "main", "footer")] == [
        "header",
        "nav",
        "main",
        "footer",
    ]
    assert page.text("h1") == ["Callers"]
    assert page.text("h2") == ["By caller", "By friend"]
    assert page.text("title") == ["Callers, March 2026"]
    assert "March 2026: 1 callers made calls." in page.text("p")
    assert "2 callers made calls." in page.text("p")
    assert "All 31 days are settled. Made from 7,412 CDR rows of PBX clinic, pulled 2026-04-03 06:10 UTC." in (
        page.text("p")
    )
    assert page.text("span").count("answered_rate = answered / offered [share of 1]") == 2
    assert [chart["aria-label"] for chart in page.all("div") if chart.get("role") == "img"] == [
        "By caller: 1 callers made calls.",
        "By friend: 2 callers made calls.",
    ]
    assert {heading["scope"] for heading in page.all("th")} == {"col", "row"}
    assert [link["href"] for link in page.all("a")][:3] == ["#main", "#by-caller", "#by-friend"]
    assert {attributes["id"] for attributes in page.all("section")} == {"by-caller", "by-friend"}
    assert page.text("td") == [
        "1,000",
        "3 min 20 s",
        "–",
        "1,000",
        "3 min 20 s",
        "–",
        "1,001",
        "3 min 20 s",
        "–",
    ]


def test_data_never_become_code() -> None:
    text = report(section(HOSTILE)).to_html()
    page = Page.of(text)

    assert [cell for cell in page.text("th") if cell not in ("Caller", "Calls", "Talk", "Answered")] == HOSTILE
    assert len(page.all("script")) == 3
    assert not page.all("img")
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    packed = next(text for tag, text in page.texts if tag == "script" and text.startswith("H4s"))
    data = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert data["figures"][0]["data"][0]["x"][3] == "+12025550142"
    assert data["templates"]["dark"]["layout"]["paper_bgcolor"] == "#15191E"
    assert re.fullmatch("[A-Za-z0-9+/=]+", packed)


def test_a_hostile_title_and_sentence_stay_text() -> None:
    hostile = section(["Anna"], title=HOSTILE[0])
    page = Page.of(report(hostile, hostile).to_html())
    assert page.text("h2")[0] == HOSTILE[0]
    assert page.text("title") == ["Callers, March 2026"]
    assert len(page.all("script")) == 3
    assert page.all("section")[0]["id"] == "script-document-title-owned-script"


def test_the_page_asks_for_nothing() -> None:
    page = Page.of(report(section(HOSTILE)).to_html())
    wanted = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "poster")
    ]
    assert wanted
    assert all(value.startswith(("#", "data:")) for value in wanted)
    assert "@import" not in " ".join(page.text("style"))
    assert "url(" not in " ".join(page.text("style"))
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "'unsafe-inline'; img" in policy


def test_the_same_data_give_the_same_bytes_below_six_megabytes() -> None:
    many = [f"caller {n}" for n in range(5000)]
    first, second = (report(*(section(many, title=f"Part {n}") for n in range(6))).to_html() for _ in range(2))
    assert first == second
    assert len(first.encode()) < 6_000_000


def test_a_long_table_is_capped_and_says_so() -> None:
    page = Page.of(report(section([f"caller {n}" for n in range(40)])).to_html())
    assert len(page.all("tr")) == 1 + 31
    assert any(text.startswith("9 more rows in the CSV.") for text in page.text("p"))
    assert "(40 rows)" in page.text("span")

    many = section([f"caller {n}" for n in range(CSV_ROWS + 5)])
    page = Page.of(report(many).to_html())
    assert "(first 2,000 of 2,005 rows; the report written as csv has all)" in page.text("span")


def test_the_csv_in_the_page_is_the_table() -> None:
    page = Page.of(report(section(HOSTILE)).to_html())
    link = next(link for link in page.all("a") if "download" in link)
    assert link["download"] == "callers-calls-by-caller.csv"
    head, _, body = link["href"].partition(",")
    assert head == "data:text/csv;charset=utf-8;base64"
    text = base64.b64decode(body).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["calls"] for row in rows] == ["1000", "1001", "1002", "1003", "1004", "1005", "1006"]
    assert [row["caller"] for row in rows][:4] == [HOSTILE[0], HOSTILE[1], "'" + HOSTILE[2], "'+12025550142"]


def test_an_empty_table_and_an_open_period_are_said_plainly() -> None:
    empty = section([])
    page = Page.of(report(empty).to_html())
    assert not page.all("table")
    assert "The table has no rows." in page.text("p")

    open_days = days(settled=20, missing=9)
    made = report(empty, coverage=open_days)
    assert made.headline == "March 2026 (22 of 31 days pulled): 0 callers made calls."
    assert made.coverage == (
        "20 of 31 days settled; 2 provisional, may still change (2026-03-21 to 2026-03-22); "
        "9 missing, never pulled (2026-03-23 to 2026-03-31). "
        "Made from 7,412 CDR rows of PBX clinic, pulled 2026-04-03 06:10 UTC."
    )
    assert any(p["class"] == "coverage open" for p in Page.of(made.to_html()).all("p") if p.get("role") == "note")

    never = report(empty, coverage=days(settled=0, missing=31))
    assert never.findings == ["March 2026: these days were never pulled from a PBX, so there is nothing to report."]
    assert never.coverage.startswith("None of the 31 days is in the store. Pull the days with `ucm-analytics sync")


def test_the_index_links_every_report() -> None:
    first, second = report(section(["Anna"])), report(section(HOSTILE), name="others")
    page = Page.of(index([first, second]))
    assert [link["href"] for link in page.all("a")] == ["#main", "callers.html", "others.html"]
    assert "7 callers made calls." in page.text("p")
    assert page.all("script") == []
    assert [p.get("role") for p in page.all("p") if p.get("class") == "coverage"] == ["note"]

    mixed = Page.of(index([first, report(section(["Eva"]), name="others", coverage=days(settled=30))]))
    assert [p["class"] for p in mixed.all("p") if "coverage" in p.get("class", "")] == [
        "coverage",
        "coverage open",
    ]


def test_the_first_page_shows_the_numbers_that_matter() -> None:
    first = report(section(["Anna"], cards=(card(),)), name="summary")
    page = Page.of(index([first, report(section(HOSTILE), name="others")]))
    assert page.text("h1") == ["Calls, March 2026"]
    assert page.text("p")[:2] == ["1 callers made calls.", first.coverage]
    assert page.text("p")[2:5] == ["381", "8\u00a0% more (352 the week before)", "Plan for Mon 2026\u201103\u201116."]
    assert [link["href"] for link in page.all("a")] == ["#main", "others.html", "summary.html", "others.html"]
    (chart,) = (each for each in page.all("div") if each.get("role") == "img")
    assert chart["aria-label"] == "Calls by caller: 1 callers made calls."
    assert len(page.all("script")) == 3
    assert first.findings == [
        "March 2026: 1 callers made calls.",
        "Calls from outside: 381, 8 % more (352 the week before). Plan for Mon 2026-03-16.",
    ]


def test_chapters_follow_with_shorter_tables() -> None:
    many = section([f"caller {n}" for n in range(500)])
    page = Page.of(
        report(section(["Anna"]), chapters=(report(many, section(["Ben"], title="Two"), name="o"),)).to_html()
    )
    assert page.text("h2") == ["Calls by caller", "Callers"]
    assert page.text("h3") == ["Calls by caller", "Two"]
    assert [each["id"] for each in page.all("section")] == ["calls-by-caller", "o-calls-by-caller", "o-two"]
    assert [each["download"] for each in page.all("a") if "download" in each] == [
        "callers-calls-by-caller.csv",
        "o-calls-by-caller.csv",
        "o-two.csv",
    ]
    assert any(text.startswith("490 more rows in the CSV.") for text in page.text("p"))
    assert "(first 400 of 500 rows; the report written as csv has all)" in page.text("span")


def test_numbers_and_dates_are_written_for_the_reader() -> None:
    made = report(section(["Anna"]), locale="de_DE")
    page = Page.of(made.to_html())
    assert page.text("td") == ["1.000", "3 min 20 s", "–"]
    assert made.coverage.endswith("pulled 3.4.2026 06:10 UTC.")
    packed = next(text for tag, text in page.texts if tag == "script" and text.startswith("H4s"))
    layout = json.loads(gzip.decompress(base64.b64decode(packed)))["figures"][0]["layout"]
    assert layout["separators"] == ",."
    assert layout["title"]["subtitle"]["text"] == "March 2026. PBX clinic: 31 of 31 days settled"


def test_findings_are_the_headline_and_the_other_sentences() -> None:
    made = report(section(["Anna"]), section(["Ben", "Eva"], title="By friend"))
    assert made.findings == ["March 2026: 1 callers made calls.", "2 callers made calls."]
    assert repr(made) == "<Report callers, March 2026: 1 callers made calls.>"


def test_a_notebook_shows_a_compact_card() -> None:
    made = report(section(HOSTILE))
    card = made._repr_html_()
    assert len(card) < 6000
    page = Page.of(card)
    assert page.text("strong") == ["March 2026: 7 callers made calls."]
    assert page.text("td")[0] == HOSTILE[0]
    assert len(page.all("tr")) == 1 + 5
    assert "2 more rows in the CSV." in page.text("small")
    assert not page.all("script")


def test_jupyter_gets_the_card_and_every_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    InteractiveShell.instance()
    with capture_output() as shown:
        display(report(section(["Anna"]), section(["Ben"], title="By friend")))
    kinds = [next(iter(set(output.data) - {"text/plain"})) for output in shown.outputs]
    chart = "application/vnd.plotly.v1+json"
    assert kinds == ["text/html", "text/html", chart, "text/html", chart]
    assert "March 2026: 1 callers made calls." in shown.outputs[0].data["text/html"]
    assert shown.outputs[2].data[chart]["data"][0]["x"] == ["Anna"]


def test_headings_follow_each_other_without_a_gap() -> None:
    chapters = (report(section(["Ben"]), section(["Eva"], title="Two"), name="others"),)
    first = report(section(["Anna"], cards=(card(),)), name="summary", chapters=chapters)
    for text in (first.to_html(), index([first, *chapters])):
        levels = [int(tag[1]) for tag, _ in Page.of(text).elements if tag in ("h1", "h2", "h3", "h4")]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
