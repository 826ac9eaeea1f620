"""A newsletter's looks: colours that stay readable, fonts every reader has."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from digest.domain.errors import RefusedError
from digest.domain.webaddresses import clean_url

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""

FONTS: Mapping[str, str] = {
    "georgia": "Georgia,'Times New Roman',serif",
    "times": "'Times New Roman',Times,serif",
    "arial": "Arial,Helvetica,sans-serif",
    "verdana": "Verdana,Geneva,sans-serif",
    "trebuchet": "'Trebuchet MS',Tahoma,sans-serif",
    "tahoma": "'Segoe UI',Tahoma,Arial,sans-serif",
}
"""The closed list: web fonts are dropped by most mail programs."""

DIGITS = ("latn", "arab")
"""Numbering systems as CLDR names them: 0123456789, ٠١٢٣٤٥٦٧٨٩."""

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000\ue001]")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_MOST_RADIUS = 24
_WIDEST_LOGO, _HIGHEST_LOGO = 536, 200  # between the margins of a letter
_LONGEST_LINE = 300
_LONGEST_FOOTER = 2_000
_LINEAR_BELOW = 0.04045
_PAIRS = (
    ("ink", "paper"),
    ("ink", "canvas"),
    ("ink", "tint"),
    ("muted", "paper"),
    ("muted", "canvas"),
    ("muted", "tint"),
    ("link", "paper"),
    ("link", "canvas"),
    ("link", "tint"),
    ("accent", "paper"),
    ("on_accent", "accent"),
)


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Validated looks; every colour has a twin for dark mode.

    Attributes:
        wordmark: The name in the masthead; empty: the newsletter's.
        logo_url: A picture in the wordmark's place, `https://…`; empty: live text,
            which is readable with pictures off.
        logo_url_dark: The same for dark mode; empty: the one serves both.
        logo_width: In pixels, as shown.
        logo_height: In pixels, as shown.
        logo_alt: Its words for those who do not see it; empty: the wordmark.
        ink: Text.
        muted: Small print.
        rule: Lines.
        paper: Behind the text.
        canvas: Around the letter.
        tint: Behind boxes.
        link: Links.
        accent: Button and marks.
        on_accent: Text on the button.
        heading_font: A name of `FONTS`.
        body_font: A name of `FONTS`.
        radius: Corners of buttons, in pixels.
        digits: A name of `DIGITS`.
        notice: A line that the law of the sender's country wants in the footer.
        credits: Licence and credits, a line in the footer.
        footer: Further words for the footer, as an editor's: paragraphs, emphasis,
            links, lists.
    """

    wordmark: str = ""
    logo_url: str = ""
    logo_url_dark: str = ""
    logo_width: int = 0
    logo_height: int = 0
    logo_alt: str = ""
    ink: str = "#1A1A1A"
    ink_dark: str = "#EDEAE4"
    muted: str = "#5A5A5A"
    muted_dark: str = "#C0BBB2"
    rule: str = "#DDD8CF"
    rule_dark: str = "#46423C"
    paper: str = "#FFFFFF"
    paper_dark: str = "#1C1B1A"
    canvas: str = "#F4F1EC"
    canvas_dark: str = "#121110"
    tint: str = "#F8F5F0"
    tint_dark: str = "#2A2826"
    link: str = "#8C1D18"
    link_dark: str = "#FF8A80"
    accent: str = "#B3261E"
    accent_dark: str = "#FF8A80"
    on_accent: str = "#FFFFFF"
    on_accent_dark: str = "#1C1B1A"
    heading_font: str = "georgia"
    body_font: str = "georgia"
    radius: int = 4
    digits: str = "latn"
    notice: str = ""
    credits: str = ""
    footer: str = ""

    @property
    def heading_stack(self) -> str:
        """The CSS font list of headings."""
        return FONTS[self.heading_font]

    @property
    def body_stack(self) -> str:
        """The CSS font list of text."""
        return FONTS[self.body_font]


def read_theme(values: Mapping[str, Any], *, direction: str = "ltr") -> Theme:
    """Check a theme record and fill in what it leaves out.

    Args:
        values: Names of `Theme` to values; Arabic letters get Arabic-capable fonts
            unless it names others.
        direction: `ltr` or `rtl`.

    Raises:
        RefusedError: A name is unknown, a value malformed, or two colours that meet
            have less contrast than 4.5:1; the mend suggests a colour.
    """
    base = Theme()
    if direction == "rtl":
        base = replace(base, heading_font="tahoma", body_font="tahoma")
    kinds = {field.name: type(getattr(base, field.name)) for field in fields(Theme)}
    for name, value in values.items():
        if name not in kinds:
            raise RefusedError(
                f"The theme has no {name!r}.", f"It has: {', '.join(kinds)}."
            )
        if type(value) is not kinds[name]:
            raise RefusedError(
                f"The theme's {name} must be {_KIND_NAMES[kinds[name]]}.", "Mend it."
            )
    theme = replace(base, **values)
    _check_choices(theme)
    _check_words(theme)
    _check_logo(theme)
    _check_colours(theme)
    return theme


_KIND_NAMES = {str: "text", int: "a whole number"}


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours (WCAG 2.2), 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def suggest(colour: str, background: str) -> str:
    """Return the nearest shade of a colour that is readable on a background."""
    ends = ("#000000", "#FFFFFF")
    goal = max(ends, key=lambda end: contrast(end, background))
    shades = (_mix(colour, goal, step / 20) for step in range(21))
    return next(s for s in shades if contrast(s, background) >= LEAST_CONTRAST)


def _check_choices(theme: Theme) -> None:
    for name, allowed in (
        ("heading_font", tuple(FONTS)),
        ("body_font", tuple(FONTS)),
        ("digits", DIGITS),
    ):
        if getattr(theme, name) not in allowed:
            raise RefusedError(
                f"The theme's {name} {getattr(theme, name)!r} is unknown.",
                f"Choose one of: {', '.join(allowed)}.",
            )
    if not 0 <= theme.radius <= _MOST_RADIUS:
        raise RefusedError(
            f"The theme's radius must be 0 to {_MOST_RADIUS}.", "Mend it."
        )


def _check_words(theme: Theme) -> None:
    for name in ("wordmark", "logo_alt", "notice", "credits"):
        text = getattr(theme, name)
        if len(text) > _LONGEST_LINE or _CONTROLS.search(text):
            raise RefusedError(
                f"The theme's {name} must be one line of at most {_LONGEST_LINE} "
                "characters.",
                "Mend it.",
            )
    if len(theme.footer) > _LONGEST_FOOTER:
        raise RefusedError(
            f"The theme's footer is longer than {_LONGEST_FOOTER:,} characters.",
            "Shorten it.",
        )


def _check_logo(theme: Theme) -> None:
    for name in ("logo_url", "logo_url_dark"):
        url = getattr(theme, name)
        if url and not (url.startswith("https://") and clean_url(url) == url):
            raise RefusedError(
                f"The theme's {name} is not an address that mail programs show.",
                "Write it as https://…, the whole of it.",
            )
    if theme.logo_url_dark and not theme.logo_url:
        raise RefusedError("The theme has a logo_url_dark alone.", "Give logo_url too.")
    for name, most in (
        ("logo_width", _WIDEST_LOGO),
        ("logo_height", _HIGHEST_LOGO),
    ):
        if theme.logo_url and not 1 <= getattr(theme, name) <= most:
            # Without them the letter jumps as it loads, and Outlook shows all pixels.
            raise RefusedError(
                f"The theme's logo needs a {name} of 1 to {most}.",
                "Give it in pixels, as it is to be shown.",
            )


def _check_colours(theme: Theme) -> None:
    names = {name for pair in _PAIRS for name in pair} | {"rule"}
    for name in sorted(names | {f"{name}_dark" for name in names}):
        if not _COLOUR.fullmatch(getattr(theme, name)):
            raise RefusedError(
                f"The theme's {name} is not a colour: {getattr(theme, name)!r}.",
                "Write it as #rrggbb.",
            )
    for front, back in _all_pairs():
        ratio = contrast(getattr(theme, front), getattr(theme, back))
        if ratio < LEAST_CONTRAST:
            better = suggest(getattr(theme, front), getattr(theme, back))
            raise RefusedError(
                f"The theme's {front} on {back} has a contrast of {ratio:.1f}:1; "
                f"at least {LEAST_CONTRAST}:1 is needed to read it.",
                f"{front} = {better} would do.",
            )


def _all_pairs() -> Iterator[tuple[str, str]]:
    for front, back in _PAIRS:
        yield front, back
        yield f"{front}_dark", f"{back}_dark"


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (
        c / 12.92 if c <= _LINEAR_BELOW else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(colour: str, goal: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(goal), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)
