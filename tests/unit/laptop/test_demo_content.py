"""The demo's content is valid."""

import re
import tomllib
from itertools import pairwise
from typing import Any

import pytest

from laptop.programs import ROOT

DEMO: dict[str, Any] = tomllib.loads((ROOT / "board/demo.toml").read_text(encoding="utf-8"))
PEOPLE = {person["username"]: person for person in DEMO["people"]}


def test_users_of_the_demo_have_valid_names_and_one_is_a_moderator() -> None:
    assert len(PEOPLE) == len(DEMO["people"])
    for person in PEOPLE.values():
        assert person.keys() == {"username", "name", "bio", "role"}
        assert re.fullmatch(r"[A-Za-z0-9_-]{2,20}", person["username"])
        assert 1 <= len(person["name"]) <= 60
        assert 1 <= len(person["bio"]) <= 500
    roles = [person["role"] for person in PEOPLE.values()]
    assert sorted(roles) == ["member"] * (len(PEOPLE) - 1) + ["moderator"]


def test_reports_of_the_demo_are_of_others_posts_and_one_is_decided_by_a_moderator() -> None:
    posts = {thread["title"]: thread["posts"] for thread in DEMO["threads"]}
    for report in DEMO["reports"]:
        assert {"thread", "post", "by", "reason", "note"} <= report.keys()
        assert report["by"] in PEOPLE
        assert report["by"] != posts[report["thread"]][report["post"]]["by"]
        assert report["reason"] in {"spam", "abuse", "off-topic", "other"}
    [decision] = [report["decision"] for report in DEMO["reports"] if "decision" in report]
    assert PEOPLE[decision["by"]]["role"] == "moderator"
    assert decision["action"] in {"remove-post", "lock-thread", "ban-author", "none"}


def test_every_user_of_the_demo_has_written_something() -> None:
    authors = {post["by"] for thread in DEMO["threads"] for post in thread["posts"]}
    assert authors == {*PEOPLE}


@pytest.mark.parametrize("thread", DEMO["threads"], ids=lambda thread: str(thread["title"]))
def test_first_post_of_a_demo_thread_is_its_starters_and_posts_are_in_order(
    thread: dict[str, Any],
) -> None:
    assert thread.keys() == {"title", "by", "days_ago", "posts"}
    assert 3 <= len(thread["title"]) <= 80
    assert thread["by"] == thread["posts"][0]["by"]
    assert 4 <= len(thread["posts"]) <= 14
    hours = [post["hours_after"] for post in thread["posts"]]
    assert hours[0] == 0.0
    assert all(earlier < later for earlier, later in pairwise(hours))
    assert hours[-1] < thread["days_ago"] * 24, "a post in the future"


@pytest.mark.parametrize("thread", DEMO["threads"], ids=lambda thread: str(thread["title"]))
def test_demo_post_has_text_and_links_only_to_example_domains(thread: dict[str, Any]) -> None:
    for post in thread["posts"]:
        assert post.keys() == {"by", "hours_after", "text"}
        assert 1 <= len(post["text"].strip()) <= 32_000
        for host in re.findall(r"https?://([^/\s>)]+)", post["text"]):
            assert host in ("example.org", "example.com")
