"""Every table, in the order a story travels: in, composed, posted, answered.

Times are UTC instants; `*_on` and `issue_date` are local dates of the newsletter.
State columns hold the words of `digest.domain.states`.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from digest.storage.types import Id, Json, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

newsletters = Table(
    "newsletters",
    metadata,
    Column("id", Id, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("language", String(35), nullable=False),
    Column("direction", String(3), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("sender_name", String(200), nullable=False),
    Column("sender_address", String(254), nullable=False),
    Column("reply_to", String(254), nullable=False),
    Column("postal_address", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("list_id", String(255), nullable=False),
    Column("template", String(64), nullable=False),
    Column("theme", Json, nullable=False),
    # lead | skip: what a reader gets none of whose sections has a story
    Column("when_empty", String(8), nullable=False, server_default="lead"),
    # {"hosts","source","medium","campaign"}: domain.own_links
    Column("own_links", Json, nullable=False, server_default="{}"),
    # who is asked and told about its issues; empty: reply_to
    Column("desk", Json, nullable=False, server_default="[]"),
    Column("created_at", UtcDateTime, nullable=False),
)

sections = Table(
    "sections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("newsletter_id", ForeignKey("newsletters.id"), nullable=False),
    Column("slug", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("cap", Integer, nullable=False),
    Column("thumbnails", Boolean, nullable=False),
    UniqueConstraint("newsletter_id", "slug"),
)

sources = Table(
    "sources",
    metadata,
    Column("id", Id, primary_key=True),
    Column("newsletter_id", ForeignKey("newsletters.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("every_seconds", Integer, nullable=False),
    # category as the source spells it → section slug
    Column("category_map", Json, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("collected_at", UtcDateTime),
    Column("last_error", Text),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("newsletter_id", "url"),
)

articles = Table(
    "articles",
    metadata,
    Column("id", Id, primary_key=True),
    Column("newsletter_id", ForeignKey("newsletters.id"), nullable=False),
    Column("source_id", ForeignKey("sources.id")),
    Column("url", Text),
    # the canonical form under which two addresses are one story
    Column("url_key", Text),
    # SHA-256 of the folded title and body
    Column("text_hash", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("published_on", Date),
    Column("author", Text, nullable=False),
    Column("section", String(64)),
    Column("standfirst", Text, nullable=False),
    Column("image_url", Text),
    Column("image_credit", Text, nullable=False),
    Column("image_alt", Text, nullable=False),
    Column("paragraphs", Json, nullable=False),
    Column("source", Text, nullable=False),
    Column("language", String(35), nullable=False),
    Column("categories", Json, nullable=False),
    Column("featured", Boolean, nullable=False),
    Column("flags", Json, nullable=False),
    Column("word_count", Integer, nullable=False),
    # not in a letter, the archive or a feed before this instant
    Column("embargo_until", UtcDateTime, index=True),
    # a person said so, or lifted it: sources no longer change it
    Column("embargo_by_hand", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("newsletter_id", "url_key"),
    Index(None, "newsletter_id", "published_on"),
    Index(None, "newsletter_id", "text_hash"),
)

editions = Table(
    "editions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("newsletter_id", ForeignKey("newsletters.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    # of a correction: the edition that was wrong
    Column("corrects", ForeignKey("editions.id")),
    Column("issue_date", Date, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    Column("opening", Text, nullable=False),
    Column("opening_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    # {"name","title","text","url"} or null: no sponsor
    Column("sponsor", Json),
    # {"title","text","label","url"} or null: no such block
    Column("support", Json),
    # [{"kind","title","words","url"}], in order
    Column("picks", Json, nullable=False, server_default="[]"),
    Column("content_hash", String(64), nullable=False),
    Column("approved_hash", String(64)),
    Column("approved_by", Text),
    Column("approved_because", Text),
    Column("approved_at", UtcDateTime),
    Column("scheduled_at", UtcDateTime),
    # somebody said that it shall not go; the next approval by a person lifts that
    Column("held_at", UtcDateTime),
    Column("held_by", Text),
    Column("held_because", Text),
    Column("pause_reason", Text),
    # what every letter of the edition shares, fixed at release (send.release)
    Column("frozen", Json),
    Column("released_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # design rule 2: makes double clicks and two schedulers harmless
    UniqueConstraint("newsletter_id", "kind", "issue_date", "revision"),
)

# Who at the desk may settle an edition by the links in their mail, and until when.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("address", String(320), nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),  # older links stay dead
    Column("valid_until", UtcDateTime, nullable=False),
    UniqueConstraint("edition_id", "address"),
)

# What the desk was mailed about an edition: each once, whoever asks for it.
desk_mail = Table(
    "desk_mail",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("what", String(16), nullable=False),  # domain.reviews.DeskMail
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("edition_id", "what"),
)

# One file as it is served, named by the SHA-256 of its octets.
pictures = Table(
    "pictures",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(4), nullable=False),  # jpg | png
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),  # last put to use
)

# What became of the picture at one address: two files, or the reason why not.
picture_sources = Table(
    "picture_sources",
    metadata,
    Column("key", String(64), primary_key=True),  # SHA-256 of the address
    Column("url", Text, nullable=False),
    Column("small", ForeignKey("pictures.hash")),
    Column("large", ForeignKey("pictures.hash")),
    Column("error", Text),
    # given as a file: it cannot be fetched again
    Column("uploaded", Boolean, nullable=False),
    Column("tried_at", UtcDateTime, nullable=False),
)

# When a newsletter appears (domain.calendar); what the runner must remember, too.
schedules = Table(
    "schedules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("newsletter_id", ForeignKey("newsletters.id"), nullable=False, unique=True),
    # "Sun", "Mon,Thu", "first Sun", "15th"
    Column("days", String(160), nullable=False, server_default="Sun"),
    Column("local_time", String(5), nullable=False),  # HH:MM
    Column("zone", String(64), nullable=False),
    Column("approval", String(16), nullable=False),  # auto | required
    Column("collect_before", Integer, nullable=False),  # seconds
    Column("grace", Integer, nullable=False),  # seconds
    Column("start_on", Date),
    Column("end_on", Date),
    Column("enabled", Boolean, nullable=False),
    # issues due before this instant are not the schedule's business
    Column("since", UtcDateTime, nullable=False),
    Column("collected_for", Date),  # the last issue whose stories were collected
    Column("late_for", Date),  # the last issue found late, and asked about
    Column("trouble", Text),  # why the present issue does not go; told once
    # what becomes of an issue that is not as it should be (domain.policies)
    Column("unapproved", String(8), nullable=False, server_default="hold"),
    Column("too_few", String(8), nullable=False, server_default="hold"),
    Column("least", Integer, nullable=False, server_default="1"),  # stories
    Column("collect_again", Integer, nullable=False, server_default="900"),  # seconds
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# What was done for one issue before its hour: each step once, whoever runs.
issue_steps = Table(
    "issue_steps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("schedule_id", ForeignKey("schedules.id"), nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("step", String(16), nullable=False),  # domain.schedules.Step
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("schedule_id", "issue_date", "step"),
)

# What the desk was told is wrong; settled once it no longer holds.
alerts = Table(
    "alerts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("schedule_id", ForeignKey("schedules.id"), nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("kind", String(16), nullable=False),  # domain.alerts.AlertKind
    Column("words", Text, nullable=False),
    # SHA-256 of kind and words: the same thing is told once for an issue
    Column("key", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    UniqueConstraint("schedule_id", "issue_date", "key"),
)

# What a story was called when its edition was composed: by its source, and by the
# page at its own address.
sightings = Table(
    "sightings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("article_id", ForeignKey("articles.id"), nullable=False),
    Column("title", Text, nullable=False),  # the article's
    Column("headline", Text, nullable=False),  # '' where nobody could look
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("edition_id", "article_id"),
)

# The homes (DIGEST_HOME) that may send for this database (care.installation).
homes = Table(
    "homes",
    metadata,
    Column("id", String(32), primary_key=True),  # stands in the home, too
    # SHA-256 of the machine and the file: a copy of the home has another
    Column("place", String(64), nullable=False),
    # counts up while it works, there and here: what lags behind is an older copy
    Column("mark", Integer, nullable=False, server_default="0"),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("adopted_by", Text, nullable=False),
    Column("adopted_at", UtcDateTime, nullable=False),
)

# One issue that does not follow its schedule.
schedule_exceptions = Table(
    "schedule_exceptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("schedule_id", ForeignKey("schedules.id"), nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("kind", String(16), nullable=False),  # moved | skipped
    Column("moved_to", String(19)),  # local time without zone, ISO 8601
    Column("actor", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("schedule_id", "issue_date"),
)

# A story is an article as one edition carries it: editing the article later
# changes nothing that was approved.
stories = Table(
    "stories",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("article_id", ForeignKey("articles.id"), nullable=False),
    Column("section", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text),
    Column("standfirst", Text, nullable=False),
    Column("image_url", Text),
    Column("image_credit", Text, nullable=False),
    Column("image_alt", Text, nullable=False),
    # our own copies, once there are; the same file twice where it is small
    Column("picture_small", ForeignKey("pictures.hash")),
    Column("picture_large", ForeignKey("pictures.hash")),
    Column("caption", Text, nullable=False, server_default=""),
    Column("source", Text, nullable=False),
    Column("word_count", Integer, nullable=False),
    Column("published_on", Date),
    UniqueConstraint("edition_id", "article_id"),
    Index(None, "article_id"),
)

# One rendering: sections × format. Personal values are slots (domain.slots).
variants = Table(
    "variants",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("sections", Text, nullable=False),  # slugs, comma separated; '' is all
    Column("format", String(8), nullable=False),  # html | text
    Column("subject", Text, nullable=False),
    Column("html", Text),
    Column("text", Text, nullable=False),
    # none of its sections has a story
    Column("is_bare", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("edition_id", "sections", "format"),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Id, primary_key=True),
    # null once erased
    Column("address", String(320)),
    Column("address_key", String(320), unique=True),
    Column("domain", String(255)),
    # keyed hash (Secrets.hash_address); joins suppressions, survives erasure there
    Column("address_hash", String(64), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("newsletter_id", ForeignKey("newsletters.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("sections", Text, nullable=False),  # as variants.sections
    Column("format", String(8), nullable=False),
    Column("since", UtcDateTime, nullable=False),  # of the present state
    Column("confirmed_at", UtcDateTime),
    Column("paused_until", UtcDateTime),
    UniqueConstraint("subscriber_id", "newsletter_id"),
    Index(None, "newsletter_id", "state"),
)

# Append-only: triggers refuse UPDATE and DELETE (see the first migration).
consents = Table(
    "consents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False, index=True),
    Column("newsletter_id", ForeignKey("newsletters.id")),
    Column("at", UtcDateTime, nullable=False),
    # one of: requested, confirmed, imported, recorded, withdrawn
    Column("action", String(16), nullable=False),
    Column("source", Text, nullable=False),  # the form's address, a file's name, …
    Column("wording", Text, nullable=False),  # exactly what was agreed to
    Column("network", String(64), nullable=False),  # the client's address, or ''
    Column("actor", Text, nullable=False),
)

# A reader's letters are to go to another address, once its holder agrees.
address_changes = Table(
    "address_changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False, index=True),
    Column("newsletter_id", ForeignKey("newsletters.id"), nullable=False),
    Column("address", String(320)),  # null once it is settled, or erased
    Column("address_hash", String(64), nullable=False, index=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("agreed_at", UtcDateTime),  # both holders agreed: done
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("address_hash", String(64), nullable=False, unique=True),
    Column("address", String(320)),  # null once erased
    Column("reason", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# The unit a worker claims: a run of deliveries under one lease and one fence.
chunks = Table(
    "chunks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("number", Integer, nullable=False),
    # when there is next something to do; null once every delivery is settled
    Column("due_at", UtcDateTime, index=True),
    Column("lease_owner", String(64)),
    Column("lease_until", UtcDateTime),
    Column("fence", Integer, nullable=False, server_default="0"),
    UniqueConstraint("edition_id", "number"),
)

# What readers thought of an edition; nothing in it tells whose answer it is.
opinions = Table(
    "opinions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False, index=True),
    Column("answer", String(16), nullable=False),
    # in the reader's own words, if they gave any
    Column("words", Text, nullable=False, server_default=""),
    Column("at", UtcDateTime, nullable=False),
)

# Why readers left. A date and no time: nothing leads from an answer to a leave.
leaving_reasons = Table(
    "leaving_reasons",
    metadata,
    Column("id", Id, primary_key=True),
    Column("newsletter_id", ForeignKey("newsletters.id"), nullable=False, index=True),
    Column("reason", String(16), nullable=False),  # domain.opinions.LeavingReason
    Column("given_on", Date, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False, index=True),
    Column("subscription_id", ForeignKey("subscriptions.id"), nullable=False),
    Column("variant_id", ForeignKey("variants.id"), nullable=False),
    Column("chunk", Integer, nullable=False),
    # personal values of the letter; the address is null once erased
    Column("address", String(320)),
    Column("confirmed_on", Date, nullable=False),
    Column("key_id", Integer, nullable=False),  # token key of its letter
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # tries that the recipient's server answered with a temporary refusal
    Column("refusals", Integer, nullable=False, server_default="0"),
    Column("first_attempt_at", UtcDateTime),  # the deadline counts from here
    Column("next_attempt_at", UtcDateTime),
    Column("dated_at", UtcDateTime),  # the letter's Date field
    Column("smtp_code", Integer),
    Column("smtp_text", Text),
    Column("settled_at", UtcDateTime),
    UniqueConstraint("edition_id", "subscriber_id"),
    Index(None, "edition_id", "chunk"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("dedupe_key", String(200), unique=True),
    Column("newsletter_id", ForeignKey("newsletters.id")),
    Column("subscriber_id", ForeignKey("subscribers.id"), index=True),
    Column("address", String(320)),
    Column("sender_name", Text, nullable=False),
    Column("sender_address", String(254), nullable=False),
    Column("reply_to", String(320), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Column("language", String(35), nullable=False),
    Column("headers", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # tries that the recipient's server answered with a temporary refusal
    Column("refusals", Integer, nullable=False, server_default="0"),
    Column("first_attempt_at", UtcDateTime),  # the deadline counts from here
    Column("next_attempt_at", UtcDateTime),
    Column("dated_at", UtcDateTime),
    Column("smtp_code", Integer),
    Column("smtp_text", Text),
    Column("settled_at", UtcDateTime),
    Column("lease_owner", String(64)),
    Column("lease_until", UtcDateTime),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Index(
        "ix_notices_due",
        "next_attempt_at",
        sqlite_where=text("state IN ('queued', 'deferred', 'dispatching')"),
        postgresql_where=text("state IN ('queued', 'deferred', 'dispatching')"),
    ),
)

# Every try that did not end in `sent`; a sent letter's last try is its own row.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.id"), index=True),
    Column("notice_id", ForeignKey("notices.id"), index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("worker", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("smtp_code", Integer),
    Column("smtp_text", Text, nullable=False),
    CheckConstraint("(delivery_id IS NULL) <> (notice_id IS NULL)", name="one_letter"),
)

# What all workers took of one limit of speed in its present span (domain.rates).
rates = Table(
    "rates",
    metadata,
    Column("key", String(264), primary_key=True),
    Column("span", UtcDateTime, nullable=False),
    Column("taken", Integer, nullable=False),
)

# The last answers of one receiving domain, or of all, to an edition's letters; only
# where one of them was a refusal on account of the sender (domain.answers).
answers = Table(
    "answers",
    metadata,
    Column("edition_id", ForeignKey("editions.id"), primary_key=True),
    Column("domain", String(255), primary_key=True),  # '*' is all
    # [[code, answers of another kind before it], …], oldest first
    Column("refusals", Json, nullable=False),
)

# A message as it came in by mail, one row for each address of ours it was for.
inbox = Table(
    "inbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("sender", String(320), nullable=False),  # '' is the null sender
    Column("recipient", String(320), nullable=False),
    Column("octets", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # received | done | quarantined
    Column("kind", String(16)),  # domain.own_mail.MessageKind; null: not yet read
    Column("why", Text, nullable=False, server_default=""),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("settled_at", UtcDateTime),
    Index(None, "state", "id"),
)

# The message itself: SQLite would write all of it again with each change of its state.
inbox_raw = Table(
    "inbox_raw",
    metadata,
    Column("message_id", ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True),
    Column("raw", LargeBinary, nullable=False),
)

# When an address was last answered by a program of ours (RFC 3834 §2).
auto_replies = Table(
    "auto_replies",
    metadata,
    Column("address_hash", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("helped_at", UtcDateTime),  # the last answer that was help only
)

# What was taken of an allowance in one part of its time (domain.allowances); keys that
# stand for a network or an inbox are hashes (Secrets.hash_name).
tallies = Table(
    "tallies",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("start", UtcDateTime, primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
    Column("taken", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(64), nullable=False),  # edition.approved, …
    Column("subject_kind", String(32), nullable=False),
    Column("subject_id", Id),
    Column("detail", Json, nullable=False),  # never an address
    Index(None, "subject_kind", "subject_id"),
)
