"""Mail to the people who run a shop: one plain text at a time, over the SMTP server that the settings name."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from connectors.errors import PermanentError, RetryableError
from connectors.phrases import phrase
from plugin import clock
from plugin.config import settings

SECONDS = 20


def configured() -> bool:
    """Whether this installation can send mail."""
    return bool(settings().smtp_host)


def send(to: str, subject: str, text: str, name: str) -> None:
    """Send a mail. RetryableError: the server cannot take it now; PermanentError: it never will.

    `name` makes the Message-ID: the same mail sent again, after a kill, is the same message to whoever receives it.
    """
    message = EmailMessage()
    message["From"], message["To"] = settings().smtp_sender, to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{name}@{parseaddr(settings().smtp_sender)[1].partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # nobody's holiday notice comes back
    message.set_content(text)
    try:
        with server() as connection:
            connection.send_message(message)
    except smtplib.SMTPException as error:
        raise sorted_error(error) from None  # its text names the recipient
    except OSError as error:
        raise RetryableError(
            phrase("SMTP: the server cannot be reached (%(error)s)", error=type(error).__name__)
        ) from None


@contextmanager
def server() -> Iterator[smtplib.SMTP]:
    """Return a connection with the server, encrypted and signed in as the settings say."""
    given, context = settings(), ssl.create_default_context()
    if given.smtp_tls == "tls":
        opened: smtplib.SMTP = smtplib.SMTP_SSL(given.smtp_host, given.smtp_port, timeout=SECONDS, context=context)
    else:
        opened = smtplib.SMTP(given.smtp_host, given.smtp_port, timeout=SECONDS)
    with opened as connection:
        if given.smtp_tls == "starttls":
            connection.starttls(context=context)
        if given.smtp_user:
            connection.login(given.smtp_user, given.smtp_password)
        yield connection


def sorted_error(error: smtplib.SMTPException) -> RetryableError | PermanentError:
    """Return what an answer of the server means: only a mail that is refused for good is not tried again."""
    code = getattr(error, "smtp_code", 0)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((told for told, _ in error.recipients.values()), default=0)
    of_this_mail = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
    told = f"SMTP: {type(error).__name__} {code or ''}".strip()
    return PermanentError(told, code) if of_this_mail and code >= 500 else RetryableError(told)
