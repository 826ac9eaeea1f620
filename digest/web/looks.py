"""A newsletter's own looks on its pages: the colours and the type of its letters."""

from dataclasses import fields

from starlette.requests import Request
from starlette.responses import Response

from digest.domain.newsletters import Newsletter
from digest.domain.theme import Theme, read_theme
from digest.web.pages import cacheable, choose_newsletter

# Of the style sheet's properties, what a theme has a value for.
_COLOURS = (
    *("ink", "muted", "rule", "paper", "canvas", "tint", "link", "accent"),
    "on_accent",
)
_DAY = 24 * 60 * 60


def show(request: Request) -> Response:
    """GET /looks/{newsletter}.css: what differs from the sheet that all pages share."""
    newsletter = choose_newsletter(request, request.path_params["newsletter"])
    answer = cacheable(request, write_sheet(newsletter), "text/css")
    # The address that pages name changes with the theme.
    answer.headers["Cache-Control"] = f"max-age={_DAY}"
    return answer


def write_sheet(newsletter: Newsletter) -> str:
    """Write a theme as custom properties; what it leaves as it was is left out."""
    plain = read_theme({}, direction=newsletter.direction)
    theme = read_theme(newsletter.theme, direction=newsletter.direction)
    changed = {
        f.name for f in fields(Theme) if _of(theme, f.name) != _of(plain, f.name)
    }
    lines = [
        f"  --{name.replace('_', '-')}: "
        f"light-dark({_of(theme, name)}, {_of(theme, f'{name}_dark')});"
        for name in _COLOURS
        if changed & {name, f"{name}_dark"}
    ]
    if "heading_font" in changed:
        lines.append(f"  --serif: {theme.heading_stack};")
    if "radius" in changed:
        lines.append(f"  --radius: {theme.radius}px;")
    # The selector outweighs the languages' own.
    return "\n".join(["html:root {", *lines, "}", ""])


def _of(theme: Theme, name: str) -> object:
    return getattr(theme, name)
