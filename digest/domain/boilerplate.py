"""Lines of a web page that are no part of its story.

Written from what news sites put around their texts; each pattern matches a whole line,
without regard to case.
"""

import re

_SHARES = (
    r"facebook|twitter|x|whatsapp|telegram|linkedin|pinterest|reddit|e-?mail|print"
    r"|messenger|threads|bluesky|tumblr|pocket|copy(?:\ link)?|share|tweet|save"
)

_FURNITURE = (
    # skip links, menus, search boxes
    r"/{0,2}\s*skip to (?:main )?(?:content|navigation).*",
    r"(?:generic|custom) selectors|exact matches only|post type selectors",
    r"search in (?:title|content|excerpt|posts|pages|comments)",
    r"(?:search|search for|search here|search the site|type to search).{0,12}",
    r"(?:toggle |main |open |close |primary )?(?:menu|navigation|sidebar)",
    r"home|close|back|back to top|next|previous|loading\.*|sign in|log ?in|log ?out",
    r"register|my account|newsletters?|subscribe|sign up|donate|about us|contact us?",
    r"(?:home|you are here)\s*[»\u203a>/|:].{1,150}",
    r"listen to this article.*|listen|audio|watch live|live|breaking news",
    r"(?:image|photo|picture|video) caption\s*:?.{0,200}",
    # advertisements
    r"(?:advertisement|advertorial|sponsored(?: content)?|ads? by .{1,40}|ad)",
    r"(?:story|article|post) continues (?:below|after).*|scroll to continue.*",
    # sharing
    rf"(?:(?:{_SHARES})[\s,|·/+]*){{1,14}}",
    r"(?:share|tweet|pin|e-?mail) (?:this|it|on|to|via)\b.{0,60}|click to .{1,80}",
    r"(?:share|spread the word|like this|shares?)\s*:?|\d[\d.,]*k?\s*shares?",
    r"(?:like|reblog|liked?|loading) .{0,3}loading\.*|be the first to like this\.?",
    r"opens in (?:a )?new window.*",
    # readings of the site itself
    r"(?:\d+|one)\s*(?:min(?:ute)?s?)[ .](?:to )?read(?:ing time)?",
    r"(?:estimated )?reading time.{0,30}|\d[\d.,]*k?\s*views?|(?:post )?views?:\s*\d+",
    # cookies, paywalls
    r"(?:we|this (?:web)?site) uses? cookies.*|.{0,60}\buse of cookies\b.*",
    r"by (?:continuing|clicking|using|browsing)\b.{0,80}\b(?:cookies|site|agree).*",
    r"(?:accept|reject|allow)(?: all| cookies| all cookies)?|got it!?|i agree",
    r"(?:manage|cookie|privacy) (?:consent|settings|preferences|policy|notice).*",
    r"(?:hi|hello|hey|dear|welcome),? guest\b.*",
    r"you(?:'|’)?(?:ve| have) .{0,40}\b(?:free|remaining) (?:articles?|stories)\b.*",
    (
        r"(?:this (?:article|content|story) is|already an?) .{0,30}"
        r"\b(?:subscribers?|members?)\b.*"
    ),
    # calls to the reader
    r"(?:subscribe|sign up|register) (?:to|for|now|here|today)\b.{0,400}",
    r"(?:get|receive) .{0,120}\b(?:in|to) your (?:inbox|e-?mail)\b.*",
    r".{0,160}\bdelivered (?:straight |directly )?to your inbox\b.*",
    (
        r"(?:join|follow) (?:us|our|the)\b.{0,160}\b(?:whatsapp|telegram|facebook"
        r"|twitter|instagram|linkedin|google news|channel|x)\b.*"
    ),
    r"(?:like|follow) us (?:on|at)\b.*|download (?:our|the) app\b.*",
    (
        r"(?:support|donate to|become a (?:member|supporter) of)\b.{0,200}"
        r"\b(?:journalism|us|newsroom|member|today)\b.{0,200}"
    ),
    # pointers elsewhere
    r"(?:read|see|watch|check)(?: also| more| next| out)?\s*:.{1,200}",
    r"(?:also read|read also|see also|read more|more on this)\b.{0,200}",
    r"don(?:'|’)?t miss\b.{0,200}",
    r"اقرأ (?:أيضا|أيضًا|المزيد).*|شارك.{0,60}|إعلان|تابعنا.*|اشترك.*",
    r"(?:tags?|topics?|filed under|posted in|categories|category|keywords)\s*:.*",
)
_ENDS = (
    r"(?:\d+|no|one)?\s*comments?\s*(?:\(\s*\d+\s*\))?|comments are closed\.?",
    r"(?:leave|post|add|write) an? (?:comment|reply).*",
    r"join the (?:conversation|discussion).*",
    r"(?:cancel reply|your e-?mail address will not be published.*)",
    (
        r"(?:related|similar|recommended|popular|latest|trending|most read|more)"
        r"(?: (?:posts?|articles?|stories|news|topics|reads?|content|for you))?\s*:?"
    ),
    r"(?:you (?:may|might) (?:also )?(?:like|enjoy|be interested in)).*",
    r"more (?:from|stories|in|on|about)\b.{0,80}",
    r"(?:what to read next|up next|about the author)\b.{0,80}",
    r"(?:previous|next|older|newer) (?:article|post|story)\b.*",
    r"(?:©|\(c\)|copyright)\s.{0,160}|.{0,100}\ball rights reserved\b.*",
    r"(?:مقالات|أخبار|موضوعات) ذات صلة.*|التعليقات.*|أضف تعليق.*",
)

_FURNITURE_LINE = re.compile("|".join(_FURNITURE), re.IGNORECASE)
_END_LINE = re.compile("|".join(_ENDS), re.IGNORECASE)
_BYLINE = re.compile(
    (
        r"(?:(?:written|reported|posted|story)\s+by|by|authors?\s*:|بقلم\s*:?|كتبه?\s*:)\s*:?\s+"
        r"(?P<name>[^\d\s].{1,79})"
    ),
    re.IGNORECASE,
)
_MOST_NAME_WORDS = 9
_LONGEST = 700


def is_furniture(line: str) -> bool:
    """Whether a line belongs to the page, not to its story."""
    return len(line) <= _LONGEST and bool(_FURNITURE_LINE.fullmatch(line))


def ends_story(line: str) -> bool:
    """Whether nothing after this line belongs to the story."""
    return len(line) <= _LONGEST and bool(_END_LINE.fullmatch(line))


def read_byline(line: str) -> str | None:
    """Return the author a line names, or None where it is no byline."""
    match = _BYLINE.fullmatch(line)
    if match is None or len(match["name"].split()) > _MOST_NAME_WORDS:
        return None
    return None if match["name"].endswith((".", "!", "?")) else match["name"].strip()
