"""`digest newsletters`: a second one beside the first."""

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Ran

Cli = Callable[..., Ran]


def test_init_makes_the_weekly_alone(cli: Cli) -> None:
    made = cli("init", "--json").document["made"]

    assert [one for one in made if one.startswith("newsletter")] == [
        "newsletter weekly"
    ]


def test_adds_the_shipped_arabic_one_by_its_name(cli: Cli) -> None:
    cli("init")

    added = cli("newsletters", "add", "weekly-ar", "--json").document
    listed = cli("newsletters", "list", "--json").document

    assert (added["newsletter"], added["direction"]) == ("weekly-ar", "rtl")
    assert [one["newsletter"] for one in listed["items"]] == ["weekly", "weekly-ar"]
    assert listed["next"] is None


def test_says_where_readers_sign_up(cli: Cli) -> None:
    cli("init")

    ran = cli("newsletters", "add", "weekly-ar")

    assert ran.out.rstrip().endswith("/?newsletter=weekly-ar")
    assert "weekly-ar        ar " in cli("newsletters", "list").out


def test_adds_one_from_a_file_of_the_operators_own(cli: Cli, tmp_path: Path) -> None:
    cli("init")
    file = tmp_path / "daily.toml"
    file.write_text(
        'name = "The Day"\npurpose = "One a day."\npostal_address = "Cairo"\n'
        'time_zone = "Africa/Cairo"\n[[sections]]\nslug = "news"\ntitle = "News"\n'
    )

    assert cli("newsletters", "add", str(file)).status == 0
    assert "daily" in cli("newsletters", "list").out


def test_a_newsletter_follows_its_file_when_asked(cli: Cli, tmp_path: Path) -> None:
    cli("init")
    file = tmp_path / "weekly.toml"
    file.write_text(
        'name = "The Seven Days"\npurpose = "One a week."\n'
        'postal_address = "1 Press Street, Cairo"\ntime_zone = "Africa/Cairo"\n'
        '[[sections]]\nslug = "world"\ntitle = "World"\n'
        '[theme]\naccent = "#0B5394"\n'
    )

    updated = cli("newsletters", "update", str(file), "--json").document
    listed = cli("newsletters", "list", "--json").document["items"]

    assert (updated["name"], updated["sections"]) == ("The Seven Days", ["world"])
    assert listed == [updated]


def test_only_a_newsletter_that_there_is_can_be_updated(cli: Cli) -> None:
    cli("init")

    ran = cli("newsletters", "update", "weekly-ar")

    assert ran.status == 1
    assert "There is no newsletter 'weekly-ar'." in ran.err


def test_a_name_that_is_taken_is_refused(cli: Cli) -> None:
    cli("init")

    ran = cli("newsletters", "add", "weekly")

    assert ran.status == 1
    assert "already" in ran.err


def test_a_file_that_is_not_there_is_named_with_those_that_are(cli: Cli) -> None:
    cli("init")

    ran = cli("newsletters", "add", "monthly")

    assert ran.status == 1
    assert "There is no file monthly." in ran.err
    assert "weekly-ar" in ran.err


def test_a_second_init_does_not_add_it_either(cli: Cli) -> None:
    cli("init")

    cli("init")

    assert "weekly-ar" not in cli("newsletters", "list").out


def test_prints_a_form_that_any_site_can_paste(cli: Cli) -> None:
    cli("init")

    form = cli("newsletters", "form", "weekly").out

    assert form.startswith("<form ")
    assert 'action="http://127.0.0.1:8000/subscribe"' in form
    assert 'name="newsletter" value="weekly"' in form
    assert 'name="stamp"' not in form
    assert 'name="sections"' not in form
    assert "\n\n" not in form
    assert not any(word in form for word in ("<script", "style=", "src="))


def test_the_form_speaks_the_newsletters_language_and_offers_topics(cli: Cli) -> None:
    cli("init")
    cli("newsletters", "add", "weekly-ar")

    form = cli("newsletters", "form", "weekly-ar", "--topics", "--json").document

    assert 'lang="ar" dir="rtl"' in form["html"]
    assert 'name="sections"' in form["html"]
    assert "Sign up" not in form["html"]


def test_a_form_of_no_newsletter_is_one_line(cli: Cli) -> None:
    cli("init")

    ran = cli("newsletters", "form", "daily")

    assert ran.status == 1
    assert "daily" in ran.err
