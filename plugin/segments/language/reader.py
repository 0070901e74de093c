"""A place in the words of a query: steps forward, reports what does not fit, and finds where to read on."""

from collections.abc import Sequence
from typing import NoReturn

from connectors.phrases import phrase

from .errors import Code, Faults, nearest
from .tokens import Kind, Token
from .tree import Span
from .vocabulary import Vocabulary

RESERVED = frozenset(
    {"AND", "OR", "NOT", "CONTAINS", "IN", "STARTS", "WITH", "IS", "NULL", "MATCHES", "NOT_MATCHES", "BETWEEN"}
)


class LostError(Exception):
    """The words make no sense from here on. It is reported; whoever knows where the next part begins reads on there."""


class Reader:
    def __init__(self, words: Sequence[Token], faults: Faults, vocabulary: Vocabulary) -> None:
        self.words = list(words)
        self.faults = faults
        self.vocabulary = vocabulary
        self.position = 0
        self.reported = {self.words[-1].span} if self._swallowed() else set()
        self.depth = 0
        self.clauses = 0

    @property
    def current(self) -> Token:
        return self.words[self.position]

    @property
    def keyword(self) -> str | None:
        return self.current.keyword

    def at_end(self) -> bool:
        return self.current.kind is Kind.END

    def _swallowed(self) -> bool:
        """Whether a text without closing quote took the rest of the query, so that nothing more is missing."""
        return len(self.words) > 1 and self.words[-2].kind is Kind.BROKEN and self.words[-2].text.startswith("'")

    def sign(self, text: str, ahead: int = 0) -> bool:
        """Whether this sign stands here, or so many words ahead."""
        word = self.words[min(self.position + ahead, len(self.words) - 1)]
        return word.kind is Kind.SIGN and word.text == text

    def advance(self) -> Token:
        word = self.current
        if word.kind is not Kind.END:
            self.position += 1
        return word

    def take(self, keyword: str) -> bool:
        """Step over `keyword` if it stands here."""
        if self.keyword != keyword:
            return False
        self.advance()
        return True

    def expect(self, keyword: str) -> None:
        """Step over `keyword`, also misspelt."""
        if self.take(keyword):
            return
        if self.current.kind is Kind.NAME and self.keyword not in RESERVED and nearest(self.current.text, [keyword]):
            self.fault(phrase("%(keyword)s is misspelt here", keyword=keyword), keyword)
            self.advance()
            return
        self.lose(phrase("%(keyword)s is missing here", keyword=keyword))

    def correct(self, keywords: str, message: str) -> None:
        """Report the current word and read on as if `keywords` stood there."""
        self.fault(message, keywords)
        span = self.current.span
        kind = Kind.SIGN if not keywords[0].isalpha() else Kind.NAME
        self.words[self.position : self.position + 1] = [Token(kind, word, span) for word in keywords.split()]

    def insert(self, keyword: str) -> None:
        """Read on as if `keyword` stood before the current word."""
        start = self.current.span.start
        self.words.insert(self.position, Token(Kind.NAME, keyword, Span(start, start)))

    def fault(self, message: str, suggestion: str | None = None) -> None:
        """Report the current word, unless it was reported already."""
        if self.current.kind is not Kind.BROKEN and self.current.span not in self.reported:
            self.reported.add(self.current.span)
            self.faults.add(Code.SYNTAX_ERROR, message, self.current.span, suggestion)

    def lose(self, message: str, suggestion: str | None = None) -> NoReturn:
        self.fault(message, suggestion)
        raise LostError

    def close(self) -> None:
        """Step over the closing parenthesis that should stand here."""
        if self.sign(")"):
            self.advance()
        else:
            self.fault(phrase("A closing parenthesis is missing here"), ")")

    def skip_group(self) -> None:
        """Step over a parenthesis with all that it encloses."""
        self.advance()
        self.skip_to(")")
        self.close()

    def skip_to(self, *stops: str) -> None:
        """Step to the first of `stops`, keywords or signs, that no parenthesis opened since encloses, or to the end."""
        level = 0
        while not self.at_end():
            here = self.keyword or self.current.text
            if level == 0 and here in stops and self.current.kind in {Kind.NAME, Kind.SIGN}:
                return
            if self.sign("("):
                level += 1
            elif self.sign(")"):
                level -= 1
            self.advance()

    def since(self, start: int) -> Span:
        """From the word numbered `start` up to the last word read."""
        return Span(self.words[start].span.start, self.words[max(self.position - 1, start)].span.end)
