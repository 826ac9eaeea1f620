"""Rows of other services' exports, in their own words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from digest.domain.errors import RefusedError, UsageError
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import LetterFormat
from digest.subscriptions.entries import Entry, EntryReader, RowError
from digest.subscriptions.presets import PRESETS, recognise
from digest.subscriptions.stated_times import parse_time
from digest.subscriptions.statuses import Status
from tests.builders import NOW, make_newsletter

MAILCHIMP = (
    "Email Address,First Name,Last Name,Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,"
    "CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,"
    "LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
UNSUBSCRIBED = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,"
    "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,LEID"
)
CLEANED = "Email Address,MEMBER_RATING,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID"
BEEHIIV = "email,status,created_at,subscription_tier,utm_source,referral_code"
SUBSTACK = (
    "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at"
)
DASHBOARD = "Email,Name,Stripe plan,Cancel date,Start date,Subscription source (free)"
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,"
    "created_at,deleted_at,labels,tiers"
)
OWN = (
    "address,name,newsletter,state,sections,format,since,confirmed_at,"
    "consent_source,suppressed"
)


def read(
    header: str,
    row: list[str] | str,
    *,
    consent: bool = False,
    file: str = "x.csv",
    preset: str = "auto",
) -> Entry:
    layout = recognise(header.split(","), preset=preset)
    reader = EntryReader(
        layout,
        file_name=file,
        newsletter=make_newsletter(),
        has_consent=consent,
        now=NOW,
    )
    return reader.read(row.split(",") if isinstance(row, str) else row)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (MAILCHIMP, "mailchimp"),
        (UNSUBSCRIBED, "mailchimp"),
        (CLEANED, "mailchimp"),
        (BEEHIIV, "beehiiv"),
        (SUBSTACK, "substack"),
        (DASHBOARD, "substack"),
        (LISTMONK, "listmonk"),
        (GHOST, "ghost"),
        (OWN, "digest"),
        ("e-mail,name", "plain"),
    ],
)
def test_recognises_an_export_by_its_columns(header: str, name: str) -> None:
    assert recognise(header.split(",")).preset.name == name


@pytest.mark.parametrize(
    ("header", "row", "status"),
    [
        (MAILCHIMP, "a@x.example,A,B,Street 1,2,,,2015-03-16 14:40:47", "subscribed"),
        (
            UNSUBSCRIBED,
            "a@x.example,A,B,2,,,2016-01-01 00:00:00,T,1,NORMAL,9",
            "unsubscribed",
        ),
        (
            UNSUBSCRIBED,
            "a@x.example,A,B,2,,,2016-01-01 00:00:00,T,1,SPAM,9",
            "complained",
        ),
        (CLEANED, "a@x.example,2,2016-01-01 00:00:00,T,9", "bounced"),
        (BEEHIIV, "a@x.example,active,2024-01-01T10:00:00Z,free,web,r1", "subscribed"),
        (BEEHIIV, "a@x.example,inactive,2024-01-01,free,web,r1", "unsubscribed"),
        (BEEHIIV, "a@x.example,invalid,2024-01-01,free,web,r1", "bounced"),
        (SUBSTACK, "a@x.example,false,,other,false,2024-01-01", "subscribed"),
        (SUBSTACK, "a@x.example,true,,other,true,2024-01-01", "unsubscribed"),
        (DASHBOARD, "a@x.example,A,,,2024-01-01T10:00:00.000Z,web", "subscribed"),
        (LISTMONK, "u,a@x.example,A,{},blocklisted,,", "unsubscribed"),
        (GHOST, "1,a@x.example,A,,true,false,,2024-01-01T10:00:00.000Z", "subscribed"),
        (GHOST, "1,a@x.example,A,,false,false,,2024-01-01T10:00Z", "unsubscribed"),
        (GHOST, "1,a@x.example,A,,true,false,,2024-01-01,2024-02-01", "unsubscribed"),
        (OWN, "a@x.example,A,weekly,active,,html,,2024-01-01T10:00Z,,", "subscribed"),
        (OWN, "a@x.example,A,weekly,paused,,html,,2024-01-01T10:00Z,,", "paused"),
        (OWN, "a@x.example,A,weekly,active,,html,,,,complaint", "complained"),
        (OWN, "a@x.example,,,,,,,,,manual", "suppressed"),
        ("email,status", "a@x.example,confirmed", "subscribed"),
        ("email,status", "a@x.example,Hard bounced", "bounced"),
        ("email,opt_in_time", "a@x.example,2024-01-01", "subscribed"),
        ("البريد الإلكتروني,subscribed_at", "a@x.example,2024-01-01", "subscribed"),
    ],
)
def test_understands_each_services_states(header: str, row: str, status: str) -> None:
    assert read(header, row).status == status


@pytest.mark.parametrize(
    ("header", "row", "why"),
    [
        ("email", "no address", "Not an e-mail address"),
        ("email", "a@x.example", "--consent"),
        (
            LISTMONK,
            "u,a@x.example,A,{},enabled,2024-01-01 10:00:00 +0000 UTC,",
            "--con",
        ),
        ("email,confirmed_at", "a@x.example,03/04/2024", "cannot be read"),
        ("email,confirmed_at", "a@x.example,2031-01-01", "cannot be read"),
        ("email,status", "a@x.example,pending", "never confirmed"),
        ("email,status", "a@x.example,lukewarm", "'lukewarm' is not known"),
        (DASHBOARD, "a@x.example,A,monthly,2024-03-01,2024-01-01,web", "cancelled"),
        (OWN, "a@x.example,A,sport,active,,html,,2024-01-01T10:00Z,,", "'sport'"),
        ("name,email", "short", "Not an e-mail address"),
    ],
)
def test_refuses_a_row_with_its_reason(header: str, row: str, why: str) -> None:
    with pytest.raises(RowError, match=why) as refusal:
        read(header, row)

    assert "a@x.example" not in str(refusal.value)


def test_names_the_three_files_of_mailchimp_by_their_state() -> None:
    row = "a@x.example,A,B,S,2"

    cleaned = read(MAILCHIMP, row, file="cleaned_members_export_1.csv")
    left = read(MAILCHIMP, row, file="unsubscribed_email_audience_export_1.csv")

    assert (cleaned.reason, left.reason) == (
        SuppressionReason.BOUNCE,
        SuppressionReason.REQUEST,
    )
    with pytest.raises(RowError, match="never confirmed"):
        read(MAILCHIMP, row, file="nonsubscribed_email_audience_export_1.csv")


def test_keeps_time_source_network_and_proof() -> None:
    header = "email,name,confirmed_at,source,ip,format,sections"
    row = ["a@x.example", " Nadia\u202e \n El\x00 Sayed ", "2024-01-02T03:04:05+02:00"]

    found = read(header, [*row, "Book fair", "192.0.2.7", "TEXT", "news,arts,gone"])

    assert found.name == "Nadia El Sayed"
    assert found.at == datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert (found.source, found.network) == ("Book fair", "192.0.2.7")
    assert found.proof == "confirmed_at 2024-01-02T03:04:05+02:00"
    assert (found.format, found.sections) == (LetterFormat.TEXT, "arts,news")
    assert found.state is SubscriptionState.ACTIVE


def test_stores_all_sections_as_none() -> None:
    found = read("email,sections", ["a@x.example", "news,arts,features"], consent=True)

    assert found.sections == ""


@pytest.mark.parametrize(
    ("attributes", "at"),
    [
        (
            '{"optin_time": "2024-01-01T10:00:00Z"}',
            datetime(2024, 1, 1, 10, tzinfo=UTC),
        ),
        ('{"city": "Cairo"}', None),
        ("[1]", None),
        ("{broken", None),
        ("[" * 100_000, None),
    ],
)
def test_looks_for_an_opt_in_time_in_attributes(
    attributes: str, at: datetime | None
) -> None:
    row = ["u", "a@x.example", "A", attributes, "enabled", "", ""]

    assert read(LISTMONK, row, consent=True).at == at


def test_maps_fields_to_columns_by_hand() -> None:
    header = ["Contact", "Whence", "email"]

    layout = recognise(header, mapping={"address": "contact", "source": "Whence"})

    assert layout.places["address"] == 0  # type: ignore[index] # a Field is a str
    assert layout.places["source"] == 1  # type: ignore[index]


def test_takes_a_bare_list_of_addresses() -> None:
    layout = recognise(["Nadia", " a@x.example "])

    assert (layout.has_header, list(layout.places.values())) == (False, [1])


@pytest.mark.parametrize(
    ("preset", "mapping", "error", "why"),
    [
        ("sendy", {}, UsageError, "no preset 'sendy'"),
        ("auto", {"colour": "x"}, UsageError, "no field 'colour'"),
        ("auto", {"address": "nope"}, UsageError, "no column 'nope'"),
        ("auto", {}, RefusedError, "No column of addresses"),
    ],
)
def test_says_what_is_unknown(
    preset: str, mapping: dict[str, str], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        recognise(["x", "y"], preset=preset, mapping=mapping)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2012-07-03 21:47:23", datetime(2012, 7, 3, 21, 47, 23, tzinfo=UTC)),
        ("2018-12-25T20:43:22.178Z", datetime(2018, 12, 25, 20, 43, 22, 178000, UTC)),
        (
            "2024-01-15 10:00:00.12345 +0200 EET",
            datetime(2024, 1, 15, 8, 0, 0, 123450, UTC),
        ),
        ("2024-01-15 10:00:00 UTC", datetime(2024, 1, 15, 10, tzinfo=UTC)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1700000000123", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("1970-01-01", None),
        ("2031-01-01", None),
        ("yesterday", None),
        ("03/04/2024", None),
    ],
)
def test_reads_times_that_mean_one_thing(text: str, at: datetime | None) -> None:
    assert parse_time(text, now=NOW) == at


@given(
    st.sampled_from([MAILCHIMP, UNSUBSCRIBED, BEEHIIV, SUBSTACK, LISTMONK, GHOST, OWN]),
    st.lists(st.text(max_size=20), max_size=12),
)
def test_reads_or_refuses_any_row(header: str, cells: list[str]) -> None:
    try:
        found = read(header, cells)
    except RowError:
        return

    assert found.address.address
    assert found.name.isascii() or "\ue000" not in found.name


def test_has_a_preset_for_each_service_it_names() -> None:
    assert {"mailchimp", "beehiiv", "substack", "listmonk", "ghost", "plain"} <= set(
        PRESETS
    )
    assert len(set(Status)) == 7
