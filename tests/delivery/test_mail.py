"""Reports by mail, to a real SMTP server over real TLS."""

from __future__ import annotations

import email
import email.policy
import io
import json
import shutil
import socket
import ssl
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.reports.by_hand import HOSTILE
from ucm_analytics.delivery import message as message_module
from ucm_analytics.delivery.mail import Mailed, mail
from ucm_analytics.delivery.periodic import PeriodicReport, periodic
from ucm_analytics.delivery.smtp import MailServer, send
from ucm_analytics.errors import LoginRefused, NoData, SettingError, TLSError, UCMError, UnexpectedAnswer, Unreachable
from ucm_analytics.period import Period
from ucm_analytics.reports import Card
from ucm_analytics.store import Store

from .changes import DEMO, unsettled

CANARY = "canary-smtp-9"
NOW = datetime(2026, 3, 16, 7, 0, tzinfo=UTC)
DAY = Period.of("2026-03-11")


@dataclass
class Post:
    """A mail server that keeps what it takes."""

    taken: list[tuple[Envelope, EmailMessage]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    refuse_data: str = ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such reader"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse_data:
            return self.refuse_data
        assert isinstance(envelope.content, bytes)
        read = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        self.taken.append((envelope, read))
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password.decode() == CANARY, handled=False)


class OverTLS(Controller):
    """Waits for the port only: the controller's own look at a TLS server trusts no test certificate."""

    def _trigger_server(self) -> None:
        socket.create_connection((self.hostname, self.port), timeout=5).close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def server(post: Post, certificate: ssl.SSLContext, trusted: str) -> Iterator[MailServer]:
    """A server that wants STARTTLS and a login."""
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=certificate,
        require_starttls=True,
        auth_required=True,
        authenticator=post.authenticate,
    )
    controller.start()
    yield MailServer(
        host="127.0.0.1",
        port=controller.port,
        sender="reports@example.org",
        to=("manager@example.org", "owner@example.org"),
        user="reports",
        ca=trusted,
    )
    controller.stop()


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UCM_SMTP_PASSWORD", CANARY)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> PeriodicReport:
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(DEMO, folder / "store")
    reports = ["call-volume", "extensions", "ivr-paths"]
    return periodic(Store(folder / "store"), "daily", period=DAY, folder=folder, reports=reports, formats=["csv"])


@pytest.fixture
def delivered(made: PeriodicReport, tmp_path: Path) -> PeriodicReport:
    """A daily report, in a folder that the test may change."""
    assert made.folder is not None
    folder = tmp_path / "out" / made.folder.name
    shutil.copytree(made.folder, folder)
    return replace(made, folder=folder, files=tuple(folder / file.name for file in made.files))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def parts(read: EmailMessage) -> list[tuple[str, str | None]]:
    return [(part.get_content_type(), part.get_filename()) for part in read.walk() if not part.is_multipart()]


def body(read: EmailMessage, kind: str) -> str:
    found = read.get_body(preferencelist=(kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


@pytest.mark.usefixtures("chromium")
def test_a_report_arrives_with_findings_pictures_and_files(
    store: Store, tmp_path: Path, post: Post, server: MailServer
) -> None:
    delivered = periodic(
        store,
        "daily",
        period=DAY,
        folder=tmp_path,
        reports=["call-volume", "extensions"],
        formats=["html", "csv", "png"],
    )
    done = mail(delivered, server, now=NOW)
    assert done == Mailed(to=("manager@example.org", "owner@example.org"))
    assert post.logins == [("reports", CANARY)]
    (envelope, read), *others = post.taken
    assert not others
    assert envelope.mail_from == "reports@example.org"
    assert envelope.rcpt_tos == ["manager@example.org", "owner@example.org"]
    assert read["Subject"] == "Daily call report of clinic, Wednesday 11 March 2026"
    assert read["To"] == "manager@example.org, owner@example.org"
    assert read["Date"].datetime == NOW
    assert read["Message-ID"].endswith("@example.org>")
    assert read["Auto-Submitted"] == "auto-generated"

    text = body(read, "plain")
    assert delivered.reports[0].headline in text
    assert text.count("\n* ") == 5
    assert delivered.reports[1].headline in text
    assert "The day is settled. Made from 373 CDR rows of PBX clinic" in text

    page = body(read, "html")
    pictures = [part for part in read.walk() if part.get_content_type() == "image/png"]
    assert [picture.get_filename() for picture in pictures] == [
        f"{report.name}-{report.sections[0].slug}.png" for report in delivered.reports
    ]
    for picture in pictures:
        assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in page
        assert delivered.folder is not None
        assert picture.get_content() == (delivered.folder / str(picture.get_filename())).read_bytes()
        assert picture.get_content_disposition() == "inline"
    assert "<script" not in page
    assert "http" not in page

    attached = {part.get_filename(): part.get_payload(decode=True) for part in read.iter_attachments()}
    assert list(attached) == ["call-volume.html", "extensions.html", "2026-03-11-tables.zip"]
    for name in ("call-volume.html", "extensions.html"):
        assert attached[name] == (delivered.folder / name).read_bytes()
    with zipfile.ZipFile(io.BytesIO(attached["2026-03-11-tables.zip"])) as tables:
        assert set(tables.namelist()) == {file.name for file in delivered.files if file.suffix == ".csv"}
        table = "extensions-extensions.csv"
        assert tables.read(table) == (delivered.folder / table).read_bytes()
    assert read.get_content_type() == "multipart/mixed"


def test_the_same_report_is_sent_once_to_each(delivered: PeriodicReport, post: Post, server: MailServer) -> None:
    one = replace(server, to=("manager@example.org",))
    assert mail(delivered, one).to == ("manager@example.org",)
    before, both = mail(delivered, one), mail(delivered, server)
    assert before == Mailed(to=(), before=("manager@example.org",))
    assert before.line == "mailed to nobody; had it: manager@example.org"
    assert both == Mailed(to=("owner@example.org",), before=("manager@example.org",))
    assert both.line == "mailed to owner@example.org; had it: manager@example.org"
    assert mail(delivered, one, again=True).to == ("manager@example.org",)
    assert [envelope.rcpt_tos for envelope, _ in post.taken] == [
        ["manager@example.org"],
        ["owner@example.org"],
        ["manager@example.org"],
    ]
    assert delivered.folder is not None
    noted = json.loads((delivered.folder / "mailed.json").read_text())
    assert [each["to"] for each in noted] == [envelope.rcpt_tos for envelope, _ in post.taken]


def test_a_report_made_again_from_the_same_data_is_not_sent_again(
    store: Store, delivered: PeriodicReport, post: Post, server: MailServer
) -> None:
    mail(delivered, server)
    assert delivered.folder is not None
    made = periodic(store, "daily", period=DAY, folder=delivered.folder.parent, reports=["durations"], formats=["csv"])
    assert mail(made, server).to == ()
    assert len(post.taken) == 1


def test_an_unsettled_report_is_not_mailed_but_a_provisional_one_says_so(
    store: Store, tmp_path: Path, post: Post, server: MailServer
) -> None:
    unsettled(store, DAY.first)
    refused = periodic(store, "daily", period=DAY, folder=tmp_path / "out")
    with pytest.raises(NoData, match="no daily report on Wednesday 11 March 2026 yet"):
        mail(refused, server)
    assert post.taken == []
    marked = periodic(
        store, "daily", period=DAY, folder=tmp_path, reports=["durations"], formats=["csv"], provisional_ok=True
    )
    mail(marked, server)
    read = post.taken[0][1]
    assert read["Subject"].strip().startswith("PROVISIONAL: ")
    assert "may still change" in body(read, "plain")
    assert "may still change" in body(read, "html")


def test_hostile_names_stay_text(delivered: PeriodicReport, post: Post, server: MailServer) -> None:
    first = delivered.reports[0]
    odd = " | ".join([*HOSTILE, "two\r\nBcc: victim@example.org", "\u202egnp.exe"])
    section = replace(first.sections[0], sentence=odd)
    hostile = replace(first, sections=(section, *first.sections[1:]))
    days = replace(delivered.days, pbxs=("clinic\r\nBcc: victim@example.org",))
    mail(replace(delivered, reports=(hostile,), days=days), server)
    envelope, read = post.taken[0]
    assert envelope.rcpt_tos == list(server.to)
    assert read["Bcc"] is None
    assert read["Subject"].strip() == "Daily call report of clinic Bcc: victim@example.org, Wednesday 11 March 2026"
    page, text = body(read, "html"), body(read, "plain")
    assert "<script>document.title" in text
    assert "&lt;script&gt;document.title" in page
    for element in ("<script", "<img", "</style"):
        assert element not in page
    for steering in ("\u202e", "\u2028", "\r"):
        assert steering not in text + page
    assert "{{ 7 * 7 }}" in text


def test_pictures_of_a_hostile_section_are_named_by_escaped_words(
    store: Store, tmp_path: Path, post: Post, server: MailServer
) -> None:
    made = periodic(store, "daily", period=DAY, folder=tmp_path, reports=["extensions"], formats=["csv"])
    report = made.reports[0]
    section = replace(report.sections[0], sentence='" onerror="alert(1)')
    picture = tmp_path / f"{report.name}-{section.slug}.png"
    picture.write_bytes(b"\x89PNG")
    odd = replace(made, reports=(replace(report, sections=(section,)),), files=(*made.files, picture))
    mail(odd, server)
    assert 'alt="Extensions. &#34; onerror=&#34;alert(1)"' in body(post.taken[0][1], "html")


def test_what_is_too_large_is_left_out_and_named(
    delivered: PeriodicReport, post: Post, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert delivered.folder is not None
    pages = [delivered.folder / f"{name}.pdf" for name in ("call-volume", "extensions")]
    for page, size in zip(pages, (9_000, 5_000), strict=True):
        page.write_bytes(b"%PDF" * (size // 4))
    monkeypatch.setattr(message_module, "ATTACHED_BYTES", 10_000)
    small = replace(delivered, files=tuple(pages))
    assert mail(small, server).left_out == ("extensions.pdf",)
    read = post.taken[0][1]
    assert [part.get_filename() for part in read.iter_attachments()] == ["call-volume.pdf"]
    for kind in ("plain", "html"):
        assert "Too large to attach: extensions.pdf." in body(read, kind)
        assert "All files are in the folder 2026-03-11;" in body(read, kind)


def test_a_summary_comes_as_one_file_with_its_five_numbers(
    delivered: PeriodicReport, post: Post, server: MailServer
) -> None:
    assert delivered.folder is not None
    cards = tuple(Card(f"Number {n}", f"{n} %", "as before", f"Do {n}.") for n in range(5))
    first, *others = delivered.reports
    section = replace(first.sections[0], cards=cards)
    summary = replace(first, name="summary", sections=(section,), chapters=tuple(others))
    pages = [delivered.folder / f"{report.name}.html" for report in (summary, *others)]
    for page in pages:
        page.write_text("<p>page</p>")
    mail(replace(delivered, reports=(*others, summary), files=tuple(pages)), server)
    read = post.taken[0][1]
    assert [part.get_filename() for part in read.iter_attachments()] == ["summary.html"]
    text = body(read, "plain")
    assert text.startswith(f"{summary.headline}\n\n* {summary.findings[1]}\n")
    assert "Number 4: 4 %" in text
    assert text.count("\n* ") == 5


def test_implicit_tls(delivered: PeriodicReport, post: Post, certificate: ssl.SSLContext, trusted: str) -> None:
    controller = OverTLS(
        post,
        hostname="127.0.0.1",
        port=free_port(),
        ssl_context=certificate,
        auth_require_tls=False,
        authenticator=post.authenticate,
    )
    controller.start()
    try:
        server = MailServer(
            "127.0.0.1", "r@example.org", ("m@example.org",), controller.port, "ssl", "reports", ca=trusted
        )
        assert mail(delivered, server).to == ("m@example.org",)
        assert post.logins == [("reports", CANARY)]
        with pytest.raises(TLSError, match="is not trusted"):
            mail(delivered, replace(server, ca=""), again=True)
    finally:
        controller.stop()


def test_a_relay_without_login(delivered: PeriodicReport, post: Post) -> None:
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        server = MailServer("127.0.0.1", "r@example.org", ("m@example.org",), controller.port, "none")
        assert mail(delivered, server).to == ("m@example.org",)
        with pytest.raises(TLSError, match="offers no STARTTLS"):
            mail(delivered, replace(server, security="starttls", to=("o@example.org",)))
        with pytest.raises(TLSError, match="does not speak TLS on this port"):
            mail(delivered, replace(server, security="ssl", to=("o@example.org",)))
    finally:
        controller.stop()
    assert len(post.taken) == 1


def test_an_address_that_is_refused_is_told(delivered: PeriodicReport, post: Post, server: MailServer) -> None:
    done = mail(delivered, replace(server, to=("nobody@example.org", "owner@example.org")))
    assert done == Mailed(to=("owner@example.org",), refused={"nobody@example.org": "no such reader"})
    with pytest.raises(SettingError, match=r"refused every address \(nobody@example.org: no such reader\)"):
        mail(delivered, replace(server, to=("nobody@example.org",)))


Break = Callable[[MailServer, pytest.MonkeyPatch, Post], MailServer]


def _wrong_password(server: MailServer, monkeypatch: pytest.MonkeyPatch, post: Post) -> MailServer:
    monkeypatch.setenv("UCM_SMTP_PASSWORD", f"wrong-{CANARY}")
    return server


def _foreign_letters(server: MailServer, monkeypatch: pytest.MonkeyPatch, post: Post) -> MailServer:
    monkeypatch.setenv("UCM_SMTP_PASSWORD", f"ä{CANARY}")
    return server


def _too_large(server: MailServer, monkeypatch: pytest.MonkeyPatch, post: Post) -> MailServer:
    post.refuse_data = f"552 too large, said {CANARY}"
    return server


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (_wrong_password, LoginRefused, "refused the login of 'reports'"),
        (_foreign_letters, SettingError, "has letters that this way of login cannot carry"),
        (_too_large, UnexpectedAnswer, r"did not take the mail \(552 too large, said \*\*\*\)"),
        (lambda server, _, __: replace(server, port=free_port()), Unreachable, "does not answer .*refused"),
        (lambda server, _, __: replace(server, host="no.such.host.invalid"), Unreachable, "does not answer"),
        (lambda server, _, __: replace(server, ca=""), TLSError, "is not trusted"),
        (lambda server, _, __: replace(server, ca="/no/such.pem"), SettingError, "cannot read the authority"),
        (lambda server, _, __: replace(server, user=""), SettingError, "refused the sender reports@example.org"),
        (lambda server, _, __: replace(server, to=()), SettingError, "nobody is named"),
    ],
)
def test_what_goes_wrong_is_said_without_the_password(
    delivered: PeriodicReport,
    post: Post,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    change: Break,
    kind: type[UCMError],
    message: str,
) -> None:
    with pytest.raises(kind, match=message) as caught:
        mail(delivered, change(server, monkeypatch, post))
    assert caught.value.hint
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(server)
    told += "".join(capfd.readouterr())
    assert CANARY not in told
    assert post.taken == []
    assert delivered.folder is not None
    assert not (delivered.folder / "mailed.json").exists()


def test_the_password_is_in_no_mail_and_no_file(delivered: PeriodicReport, post: Post, server: MailServer) -> None:
    mail(delivered, server)
    content = post.taken[0][0].content
    assert isinstance(content, bytes)
    assert CANARY.encode() not in content
    assert delivered.folder is not None
    assert all(CANARY.encode() not in file.read_bytes() for file in delivered.folder.iterdir())


def test_no_password_is_known(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UCM_SMTP_PASSWORD")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(SettingError, match="there is no password for 'reports'") as caught:
        send(EmailMessage(), server, to=server.to)
    assert "UCM_SMTP_PASSWORD" in caught.value.hint


def test_settings_come_from_file_environment_and_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("UCM_CONFIG", str(file))
    with pytest.raises(SettingError, match="no mail server is named"):
        MailServer.load()
    file.write_text(
        '[pbx.clinic]\nurl = "https://192.0.2.10:8089"\n[mail]\nhost = "smtp.example.org"\nsecurity = "ssl"\n'
        'sender = "reports@example.org"\nto = ["a@example.org", "b@example.org"]\n'
    )
    loaded = MailServer.load()
    assert (loaded.address, loaded.to) == ("smtp.example.org:465", ("a@example.org", "b@example.org"))
    monkeypatch.setenv("UCM_SMTP_HOST", "mail.example.org")
    monkeypatch.setenv("UCM_SMTP_PORT", "2525")
    monkeypatch.setenv("UCM_MAIL_TO", "c@example.org, d@example.org")
    assert MailServer.load().address == "mail.example.org:2525"
    assert MailServer.load().to == ("c@example.org", "d@example.org")
    assert MailServer.load(to=["e@example.org"]).to == ("e@example.org",)
    file.write_text('[mail]\npassword = "canary"\n')
    with pytest.raises(SettingError, match="is not understood") as caught:
        MailServer.load()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"security": "tls"}, "no way to secure"),
        ({"security": "none", "user": "reports"}, "would cross the network unprotected"),
        ({"host": "smtp..example.org"}, "is no name of a mail server"),
        ({"host": "x" * 300}, "is no name of a mail server"),
        ({"user": "büro"}, "has letters that this way of login cannot carry"),
        ({"sender": "reports"}, "'reports' is no mail address"),
        ({"to": ("a@example.org\nBcc: x@example.org",)}, "is no mail address"),
        ({"to": ("Anna <a@example.org>",)}, "is no mail address"),
    ],
)
def test_settings_that_cannot_be_used(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        MailServer(**{"host": "smtp.example.org", "sender": "r@example.org", **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("port", ["²", "65536", "99999999", "-1", "587.0", "smtp"])
def test_a_port_that_is_none(port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UCM_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("UCM_SMTP_HOST", "smtp.example.org")
    monkeypatch.setenv("UCM_SMTP_FROM", "reports@example.org")
    monkeypatch.setenv("UCM_SMTP_PORT", port)
    with pytest.raises(SettingError, match="is no port"):
        MailServer.load()


def test_a_note_that_cannot_be_read_stops_the_mail(delivered: PeriodicReport, post: Post, server: MailServer) -> None:
    assert delivered.folder is not None
    (delivered.folder / "mailed.json").write_text("{")
    with pytest.raises(SettingError, match="cannot read"):
        mail(delivered, server)
    assert post.taken == []
