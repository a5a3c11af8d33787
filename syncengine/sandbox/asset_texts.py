"""What stands in emails, pages and snippets: words, HTML and ids of dynamic content, made from chance and a text."""

import base64
from html import escape
from random import Random

WORDS = (
    "offer",
    "event, people",
    "{{lead.First Name}}",
    "{{my.Event Date}}",
    "caf\u00e9",
    "\u65e5\u672c\u8a9e",
    "launch",
    "weekly report",
    "&amp; sale",
    "\U0001f680",
    "100%",
    "<b>bold</b>",
    '"new"',
    "link",
    "product",
)
MARKUP = (
    '<a href="https://www.example.com/?a=1&amp;b=%20">link</a>',
    "<p>{words}</p>\r\n",
    '<div class="x">\n\t{words}</div>',
    "<td>{words}</td>\u2028",
)


def words(rng: Random, count: int) -> str:
    """Some words in a row; two draws do for all of them, for there are many texts."""
    first, step = rng.randrange(len(WORDS)), rng.randrange(1, len(WORDS))
    return " ".join(WORDS[(first + step * place) % len(WORDS)] for place in range(count))


def markup(rng: Random, text: str) -> str:
    """A piece of HTML that begins with a text."""
    pieces = [piece.replace("{words}", words(rng, rng.randrange(3, 40))) for piece in rng.choices(MARKUP, k=3)]
    return f"<h1>{escape(text)}</h1>{''.join(pieces)}"


def plain(text: str, rng: Random) -> str:
    """The text version of a piece."""
    return f"{text}\n{words(rng, 8)}"


def content_id(prefix: str, asset_id: int, place: int = 0) -> str:
    """The id of a dynamic section, in Base64 as Adobe's are: RVMtNDg=."""
    return base64.b64encode(f"{prefix}-{asset_id}-{place}".encode()).decode()


def document(title: str, body: str, *, head: str = "") -> str:
    """A whole HTML page."""
    return (
        "<!DOCTYPE html>\n<html>\n <head>\n"
        f'  <meta charset="utf-8">\n  <title>{escape(title)}</title>{head}\n </head>\n'
        f" <body>\n{body}\n </body>\n</html>\n"
    )


def template_document(kind: str, template: int | None) -> str:
    """What an email or a page has kept of its template: it follows from the template's id and never changes."""
    frame = f'  <table id="{kind}-template-{template}" width="600"><tr><td>{{body}}</td></tr></table>'
    return document(f"Template {template}", frame)
