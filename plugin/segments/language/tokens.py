"""The words of a query, each with its place: names, texts, numbers, dates and signs (segment-language §1)."""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

from connectors.phrases import phrase

from . import dates
from .errors import Code, Faults, excerpt
from .tree import Day, Span


class Kind(Enum):
    NAME = auto()  # keywords too: what they are depends on where they stand
    STRING = auto()  # `value` is its content, in NFC
    NUMBER = auto()  # `value` is its text
    DATE = auto()  # `value` is the day or moment
    BOOLEAN = auto()  # `value` is "true" or "false"
    PAIR = auto()  # coordinates; put together by the parser
    SIGN = auto()
    BROKEN = auto()  # reported already
    END = auto()  # empty, after the last word


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str
    span: Span
    value: str | Day | None = None

    @property
    def keyword(self) -> str | None:
        """The word in upper case where it could be a keyword; what stands after a dot never is."""
        return self.text.upper() if self.kind is Kind.NAME and self.text.isascii() and "." not in self.text else None


UNREADABLE = re.compile("[\x00\ud800-\udfff]+")  # no database keeps the first, no encoding the others
BLANK = "\\s\ufeff\u200b"  # pasted text brings marks of no width along

PATTERN = re.compile(
    rf"""
      (?P<blank>   [{BLANK}]+ | (?<![^{BLANK}])--[^\r\n]* )
    | (?P<string>  '(?:[^'\\]|\\.)*' )
    | (?P<open>    '.* )
    | (?P<quoted>  "[^"]*" | [“”„][^“”]*[“”] | [‘’‚][^‘’]*[‘’] | `[^`]*` )
    | (?P<digits>  [+-]?\.?[0-9][A-Za-z0-9_.:/+-]* )
    | (?P<name>    [^\W\d][\w-]*(?:\.[^\W\d][\w-]*)* )
    | (?P<sign>    [=!<>&|≠≤≥]+ | [(),:] )
    | (?P<other>   [^{BLANK}\w'"“”„‘’‚`=!<>&|≠≤≥(),:+-]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
NEARLY_NUMBER = re.compile(r"[+-]?([0-9_]+\.?|[0-9_]*\.[0-9_]+)")
ESCAPE = re.compile(r"\\([\\'])")  # any other backslash is itself


def tokens(text: str, faults: Faults) -> list[Token]:
    """The words of `text`, the last one of kind END. What cannot be one is reported and BROKEN."""
    found = [_token(match, faults) for match in PATTERN.finditer(text) if match.lastgroup != "blank"]
    end = found[-1].span.end if found else 0
    return [*found, Token(Kind.END, "", Span(end, end))]


def has_comment(text: str) -> bool:
    """Whether something in `text` is a comment: said for people, and in no tree."""
    return any(match["blank"] and match.group().startswith("--") for match in PATTERN.finditer(text))


def _token(match: re.Match[str], faults: Faults) -> Token:
    text, span = match.group(), Span(*match.span())
    match match.lastgroup:
        case "string":
            return Token(Kind.STRING, text, span, unicodedata.normalize("NFC", ESCAPE.sub(r"\1", text[1:-1])))
        case "open":
            faults.add(
                Code.SYNTAX_ERROR, phrase("This text has no closing quote; a quote inside a text is written \\'"), span
            )
            return Token(Kind.BROKEN, text, span)
        case "quoted":
            inner = text[1:-1]
            faults.add(
                Code.SYNTAX_ERROR, phrase("A text stands between straight single quotes: '…'"), span, quote(inner)
            )
            return Token(Kind.BROKEN, text, span)
        case "digits":
            return _digits(text, span, faults)
        case "name":
            return _name(text, span)
        case "sign":
            return Token(Kind.SIGN, text, span)
        case _:
            faults.add(Code.SYNTAX_ERROR, phrase("%(text)s has no meaning here", text=excerpt(text)), span)
            return Token(Kind.BROKEN, text, span)


def _name(text: str, span: Span) -> Token:
    if text.lower() in dates.WORDS:
        return Token(Kind.DATE, text, span, dates.read(text))
    if text.lower() in {"true", "false"}:
        return Token(Kind.BOOLEAN, text, span, text.lower())
    return Token(Kind.NAME, text, span)


def _digits(text: str, span: Span, faults: Faults) -> Token:
    """What begins like a number: a number, a date, or neither."""
    if NUMBER.fullmatch(text):
        return Token(Kind.NUMBER, text, span, text)
    try:
        if day := dates.read(text):
            return Token(Kind.DATE, text, span, day)
        faults.add(
            Code.SYNTAX_ERROR,
            phrase("%(text)s is neither a number nor a date", text=excerpt(text)),
            span,
            _number_meant(text),
        )
    except dates.BadDateError as error:
        faults.add(Code.INVALID_DATE, str(error), span, error.suggestion)
    return Token(Kind.BROKEN, text, span)


def _number_meant(text: str) -> str | None:
    """1000 for 1_000, 5 for +5 and 0.5 for .5."""
    if not NEARLY_NUMBER.fullmatch(text):
        return None
    sign, digits = ("-" if text.startswith("-") else ""), text.lstrip("+-").replace("_", "").rstrip(".")
    return sign + ("0" if digits.startswith(".") else "") + digits


def quote(content: str) -> str:
    """`content` as a text of the language."""
    return "'" + content.replace("\\", "\\\\").replace("'", "\\'") + "'"
