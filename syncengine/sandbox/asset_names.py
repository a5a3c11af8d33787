"""Names of assets, most of them ordinary and some that break careless writers of files; separate as hostile texts are.

A group of names comes together: its assets are of one kind and lie in one folder.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle

LONG_NAME = "A long name with, commas and more " * 9
LONG = LONG_NAME[:299]
# Each of them once for every kind, as far as the kind has so many assets; kinds begin at different ones.
NAME_GROUPS: tuple[tuple[str, ...], ...] = (
    ("Foo", "Foo.email", "foo.email.json"),
    ("../x",),
    ("Twin", "Twin"),
    ("caf\u00e9", "cafe\u0301"),
    ("Readme", "README", "readme"),
    (f"{LONG}1", f"{LONG}2"),
    ("..",),
    ("CON", "con.txt"),
    ("stra\u00dfe", "strasse", "STRASSE"),
    (".git",),
    ("family \U0001f468\u200d\U0001f469\u200d\U0001f467",),
    ("invoice\u202efdp.exe",),
    ("line\nfeed", "tab\there", "separator\u2028line"),
    ("trailing dot.", "trailing dot"),
    ("trailing space ", " leading space", "trailing space"),
    ('a/b\\c:d*e?"<>|', "a_b_c_d_e_____"),
    ("100%", "100%25"),
    ("x~1", "x"),
    ("Comma, separated, name",),
    ("",),
    (".", "...", "...."),
    ("null", "None"),
    ("\u0130stanbul", "istanbul"),
    ("-rf", "~", "$HOME", "name.json"),
    ("<b>bold</b> & 'quoted'",),
    ("\ufeffbyte order mark", "zero\u200bwidth"),
    ("x" * 255,),
)
FOLDER_GROUPS: tuple[tuple[str, ...], ...] = (
    ("..",),
    ("Foo.email.json",),
    ("caf\u00e9", "cafe\u0301"),
    ("CON",),
    ("Archive", "ARCHIVE"),
    ('a/b\\c:d*e?"<>|',),
    (f"{LONG}1", f"{LONG}2"),
    (" ",),
    ("trailing dot.",),
    ("team \U0001f469\u200d\U0001f4bb",),
    ("Comma, here",),
    (".git",),
)
FILE_ENDINGS = (".png", ".jpg", ".gif", ".pdf", ".css", ".js", ".txt", ".svg", "")
WORDS = {
    "folder": ("Campaigns", "Events", "Newsletters", "2024", "2025", "Drafts", "Team A", "Q1", "Launch"),
    "email": ("Invitation", "Reminder", "Newsletter", "Welcome", "Thank you", "Follow-up"),
    "email-template": ("Standard template", "Two columns", "Plain"),
    "landing-page": ("Sign up", "Download", "Thank you page", "Webinar"),
    "landing-page-template": ("Guided", "Free form", "Event page"),
    "redirect-rule": ("rule",),
    "form": ("Contact us", "Registration", "Subscribe"),
    "snippet": ("Footer", "Legal note", "Signature"),
    "file": ("banner", "logo", "photo", "sheet", "script"),
    "smart-list": ("Active people", "All of EMEA", "Opened e-mails"),
    "segmentation": ("Region", "Industry", "Language"),
    "email-v2": ("Designed invitation", "Designed newsletter"),
    "email-template-v2": ("Designed template",),
    "fragment": ("Hero", "Call to action", "Product card"),
}


def grouped_names(kind: str, count: int, first: int) -> Iterator[tuple[str, ...]]:
    """`count` names of a kind in groups: every third group is an unusual one, from number `first` on, each once."""
    words = cycle(WORDS[kind])
    unusual = list(NAME_GROUPS[first % len(NAME_GROUPS) :] + NAME_GROUPS[: first % len(NAME_GROUPS)])
    made = number = 0
    while made < count:
        number += 1
        if number % 3 == 1 and unusual:
            group = unusual.pop(0)
        else:
            word = next(words)
            # Names of files repeat, as they do where each team has its logo.
            group = (f"{word}{FILE_ENDINGS[number % len(FILE_ENDINGS)]}" if kind == "file" else f"{word} {number}",)
        group = group[: count - made]
        made += len(group)
        yield group


def folder_groups(count: int) -> Iterator[tuple[str, ...]]:
    """Names of `count` folders in groups of siblings, unusual ones first among ordinary ones."""
    unusual: Sequence[tuple[str, ...]] = FOLDER_GROUPS
    words = cycle(WORDS["folder"])
    made = number = 0
    while made < count:
        number += 1
        group = unusual[number // 2 - 1] if number % 2 == 0 and number // 2 <= len(unusual) else (next(words),)
        group = group[: count - made]
        made += len(group)
        yield group
