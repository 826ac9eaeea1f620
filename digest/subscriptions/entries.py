"""From a row of somebody's export to a reader, a suppression, or a reason to refuse."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from digest.domain.addresses import AddressError, EmailAddress, parse_address
from digest.domain.newsletters import Newsletter
from digest.domain.spreadsheet import unguard
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import LetterFormat
from digest.subscriptions.presets import Field, Layout, fold
from digest.subscriptions.stated_times import parse_time
from digest.subscriptions.statuses import OWN_SUPPRESSIONS, REASONS, WORDS, Status

_NAME_LENGTH = 200
_TEXT_LENGTH = 500
_JOINERS = "\u200c\u200d"  # format characters that Persian and Indic names need
_EDGES = " \t\r\n\u00a0\ufeff\u200b"  # what clings to cells copied from elsewhere

_FALSE = frozenset({"", "false", "0", "no", "f", "n", "null", "none"})
_CONFIRMED_KEYS = frozenset({"confirmedat", "confirmtime", "optinconfirmedat"})
_CONSENTED_KEYS = frozenset({"optintime", "optinat", "optindate", "subscribedat"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What one row says.

    Attributes:
        address: Parsed.
        status: What its state comes to.
        state: Of the subscription, where it is a reader.
        reason: Why it must be suppressed; None: a reader.
        name: May be empty.
        at: Stated time of the consent, or of leaving.
        network: Network address at opt-in, or empty.
        source: Where the reader signed up, or empty.
        proof: What the file itself proves the consent by, or empty.
        sections: Known slugs, sorted, comma separated.
        format: HTML or text.
    """

    address: EmailAddress
    status: Status
    state: SubscriptionState
    reason: SuppressionReason | None
    name: str
    at: datetime | None
    network: str
    source: str
    proof: str
    sections: str
    format: LetterFormat


class RowError(Exception):
    """A row is refused; the text says why, without the reader's address."""


class EntryReader:
    """Reads the rows of one file.

    Args:
        layout: Where its cells are.
        file_name: Mailchimp names its three files after the state of their readers.
        newsletter: Whose list it becomes.
        has_consent: Whether the operator vouches for rows without proof.
        now: Times after it are not believed.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        file_name: str,
        newsletter: Newsletter,
        has_consent: bool,
        now: datetime,
    ) -> None:
        self._layout = layout
        self._default = _default_status(layout.preset.name, file_name)
        self._newsletter = newsletter
        self._has_consent = has_consent
        self._now = now

    def read(self, cells: list[str]) -> Entry:
        """Read one row.

        Raises:
            RowError: It is not fit to be brought in.
        """
        said = self._gather(cells)
        try:
            address = parse_address(said.get(Field.ADDRESS, ""))
        except AddressError as error:
            raise RowError(error.message) from None
        slug = said.get(Field.NEWSLETTER, "")
        if slug and slug != self._newsletter.slug:
            raise RowError(f"it belongs to the newsletter {slug[:64]!r}")
        status = self._find_status(said)
        reason = REASONS.get(status)
        at, proof = self._find_time(said, is_leaving=reason is not None)
        if reason is None:
            self._require_proof(said, status, proof)
        return Entry(
            address=address,
            status=status,
            state=(
                SubscriptionState.PAUSED
                if status is Status.PAUSED
                else SubscriptionState.ACTIVE
            ),
            reason=reason,
            name=_find_name(said),
            at=at,
            network=_clean(said.get(Field.NETWORK, ""), 64),
            source=_clean(said.get(Field.SOURCE, ""), _TEXT_LENGTH),
            proof=proof,
            sections=self._find_sections(said.get(Field.SECTIONS, "")),
            format=LetterFormat.TEXT if _is_text(said) else LetterFormat.HTML,
        )

    def _gather(self, cells: list[str]) -> Mapping[Field, str]:
        """Return the cells that say something, by their meaning."""
        said, size = {}, len(cells)
        is_guarded = self._layout.preset.is_guarded
        for meaning, place in self._layout.places.items():
            if place < size and (cell := cells[place].strip(_EDGES)):
                said[meaning] = unguard(cell) if is_guarded else cell
        return said

    def _find_status(self, said: Mapping[Field, str]) -> Status:
        if own := said.get(Field.SUPPRESSED, ""):
            return OWN_SUPPRESSIONS.get(own, Status.SUPPRESSED)
        word = said.get(Field.STATUS, "")
        status = WORDS.get(fold(word)) if word else self._default
        if status is None:
            raise RowError(f"its state {word[:40]!r} is not known")
        if status in REASONS:
            return _judge_reason(status, said)
        if _is_true(said.get(Field.BOUNCED, "")):
            return _judge_reason(Status.BOUNCED, said)
        receives = said.get(Field.SUBSCRIBED, "")
        if _is_true(said.get(Field.LEFT, "")) or (receives and not _is_true(receives)):
            return _judge_reason(Status.UNSUBSCRIBED, said)
        if said.get(Field.CANCELLED, ""):
            raise RowError("it was cancelled, which may mean the letter or the payment")
        return status

    def _find_time(
        self, said: Mapping[Field, str], *, is_leaving: bool
    ) -> tuple[datetime | None, str]:
        """Return the stated time, and the proof it is."""
        for meaning in (
            (Field.LEFT, Field.BOUNCED)
            if is_leaving
            else (Field.CONFIRMED_AT, Field.CONSENTED_AT)
        ):
            text = said.get(meaning, "")
            at = parse_time(text, now=self._now) if text else None
            if at is not None:
                return at, f"{meaning} {text[:40]}"
        if not is_leaving and (attributes := said.get(Field.ATTRIBUTES, "")):
            return _look_into(attributes, self._now)
        return None, ""

    def _require_proof(
        self, said: Mapping[Field, str], status: Status, proof: str
    ) -> None:
        if status is Status.UNCONFIRMED:
            raise RowError("the file says that this reader never confirmed")
        is_confirmed = fold(said.get(Field.STATUS, "")) == "confirmed"
        if proof or is_confirmed or self._has_consent or self._layout.preset.is_opt_in:
            return
        stated = said.get(Field.CONFIRMED_AT, "") or said.get(Field.CONSENTED_AT, "")
        if stated:
            raise RowError(
                f"its opt-in time {stated[:40]!r} cannot be read: "
                "write it as 2024-05-12 18:00, or vouch for it with --consent"
            )
        raise RowError("nothing proves its consent: vouch for it with --consent")

    def _find_sections(self, text: str) -> str:
        if not text:
            return ""
        known = {section.slug for section in self._newsletter.sections}
        chosen = {part.strip() for part in text.split(",")} & known
        return "" if chosen == known else ",".join(sorted(chosen))


def _default_status(preset: str, file_name: str) -> Status:
    """Tell what a row without a state is: Mailchimp writes one file per state."""
    if preset != "mailchimp":
        return Status.SUBSCRIBED
    for start, status in (
        ("cleaned_", Status.BOUNCED),
        ("unsubscribed_", Status.UNSUBSCRIBED),
        ("nonsubscribed_", Status.UNCONFIRMED),
    ):
        if file_name.lower().startswith(start):
            return status
    return Status.SUBSCRIBED


def _judge_reason(status: Status, said: Mapping[Field, str]) -> Status:
    """Tell a complaint from a plain leaving by the reason that was given."""
    given = said.get(Field.REASON, "").lower()
    return Status.COMPLAINED if "spam" in given or "abuse" in given else status


def _look_into(attributes: str, now: datetime) -> tuple[datetime | None, str]:
    """Find an opt-in time in a JSON object, as listmonk exports it."""
    try:
        found = json.loads(attributes)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(found, dict):
        return None, ""
    for names in (_CONFIRMED_KEYS, _CONSENTED_KEYS):
        for key, value in found.items():
            at = parse_time(str(value), now=now) if fold(key) in names else None
            if at is not None:
                return at, f"{key[:40]} {str(value)[:40]}"
    return None, ""


def _find_name(said: Mapping[Field, str]) -> str:
    name = said.get(Field.NAME, "")
    if not name:
        name = f"{said.get(Field.FIRST_NAME, '')} {said.get(Field.LAST_NAME, '')}"
    return _clean(name, _NAME_LENGTH)


def _clean(text: str, length: int) -> str:
    """Take out what no name holds: control characters, direction marks, markers."""
    if not text.isprintable():
        text = "".join(
            c if c.isprintable() or c in _JOINERS else " " if c.isspace() else ""
            for c in text
        )
    return " ".join(text.split())[:length]


def _is_true(text: str) -> bool:
    return text.lower() not in _FALSE and not text.startswith("0000-00-00")


def _is_text(said: Mapping[Field, str]) -> bool:
    return said.get(Field.FORMAT, "").lower() in {"text", "plain"}
