"""The organisation acme in March 2026: small, and every number of it known (see `answers`).

`acme()` tells the whole month; hosts serve it as GitHub or as GitLab. Whoever reads it takes
deployments by `RULES` and incidents by `INCIDENT_LABELS`.

* shop: the forge's own deployments, staging first; squash, rebase and merge; a revert, a hotfix,
  a rollback, rolled forward, deployed again; a failed and a running deployment; incidents.
* search: was called finder when all of it happened.
* ledger: a workflow's job deploys; re-runs, a skipped job; a pull request of 260 commits, squashed.
* cli: releases and tags, one of them early, one only a draft.
* attic is archived, lib is a fork: both are left out unless asked for.
"""

from __future__ import annotations

from datetime import timedelta

from tests.forges.facts import Person
from tests.forges.organisation import Organisation, Repository, at

ADA = Person("ada", "Ada Lovelace", "ada@example.org")
GRACE = Person("grace", "Grace Hopper", "grace@example.org")
LINUS = Person("linus", "Linus Example", "linus@example.org")
MEMBERS = (ADA, GRACE, LINUS)
DEPENDABOT = Person("dependabot", "dependabot[bot]", "bot@users.example.org", bot=True)
SOMEBODY = Person("", "Some Body", "somebody@example.org")
"""Commits of an account that was deleted; the forge gives no login for anything of theirs."""

RULES = ("deployments", "workflow:^Deploy$ job:^production$", "releases", "tags:v*")
"""What counts as a deployment, in order of trust."""

INCIDENT_LABELS = ("incident",)
"""What makes an issue an incident."""

WINDOW = "2026-03-02..2026-03-30"
"""Four whole weeks, Monday to Monday; nothing was deployed before."""

NOW = at("03-30 00:00")
"""When the story ends."""


def acme() -> Organisation:
    """The organisation at the end of the month."""
    organisation = Organisation("acme")
    _shop_until_the_merge(organisation.add("shop"))
    _shop_breaks_and_is_mended(organisation["shop"])
    _shop_at_the_end_of_the_month(organisation["shop"])
    _search(organisation)
    _ledger(organisation.add("ledger"))
    _cli(organisation.add("cli"))
    _left_alone(organisation)
    return organisation


def _shop_until_the_merge(shop: Repository) -> None:
    shop.commit("Begin", "02-02 10:00", ADA)
    first = shop.commit("Show the catalogue", "03-02 08:00", ADA)
    shop.deploy(first, "03-02 08:50", ("03-02 08:55", "running"), ("03-02 09:00", "succeeded"))

    # Squashed: the originals are in no branch any more. Staging comes first.
    a1 = shop.commit("Sketch the cart", "03-02 10:00", ADA, branch="cart")
    a2 = shop.commit("Fill the cart", "03-02 14:00", ADA, branch="cart")
    cart = shop.propose("Add the cart", "03-02 15:00", ADA, [a1, a2], head="cart")
    shop.review(cart, "03-03 09:00", GRACE, "approved")
    landed = shop.merge(cart, "03-03 10:00", "squash", GRACE)
    shop.deploy(landed, "03-03 10:20", ("03-03 10:30", "succeeded"), environment="staging")
    shop.deploy(landed, "03-03 11:50", ("03-03 11:55", "running"), ("03-03 12:00", "succeeded"))
    spam = shop.report("Is the shop down?", "03-03 13:00", LINUS, "incident")
    shop.turn(spam, "03-03 14:00", "not_planned", ADA)

    # Rebased, after being a draft; a bot speaks first. The first attempt to deploy it fails.
    b1 = shop.commit("Read prices", "03-04 08:00", LINUS, branch="prices")
    b2 = shop.commit("Show prices", "03-04 09:00", LINUS, branch="prices")
    prices = shop.propose("Show prices", "03-04 09:30", LINUS, [b1, b2], head="prices", draft=True)
    shop.review(prices, "03-04 10:00", DEPENDABOT, "commented")
    shop.make_ready(prices, "03-04 16:00")
    shop.review(prices, "03-04 17:00", LINUS, "commented")
    shop.review(prices, "03-05 07:00", ADA, "changes_requested")
    shop.review(prices, "03-05 08:00", ADA, "approved")
    landed = shop.merge(prices, "03-05 09:00", "rebase", ADA)
    shop.deploy(landed, "03-05 09:30", ("03-05 09:35", "running"), ("03-05 09:45", "failed"))
    shop.deploy(landed, "03-05 10:50", ("03-05 11:00", "succeeded"))
    bug = shop.report("A price is cut off", "03-05 12:00", LINUS, "bug")
    shop.turn(bug, "03-05 13:00", "closed", LINUS)
    far = shop.report("The network was slow", "03-08 12:00", LINUS, "incident")
    shop.turn(far, "03-08 13:00", "closed", LINUS)

    # Merged: the originals are in the history, behind a commit with two parents.
    start = shop.commits[landed].parents[0]
    c1 = shop.commit("Count the stock", "03-09 09:00", GRACE, branch="stock", parents=[start])
    c2 = shop.commit("Show the stock", "03-09 11:00", GRACE, branch="stock")
    stock = shop.propose("Show the stock", "03-09 12:00", GRACE, [c1, c2], head="stock")
    shop.review(stock, "03-10 09:00", ADA, "approved")
    landed = shop.merge(stock, "03-10 10:00", "merge", ADA)
    shop.deploy(landed, "03-10 12:50", ("03-10 13:00", "succeeded"))


def _shop_breaks_and_is_mended(shop: Repository) -> None:
    # An incident closed, reopened and closed again, and another that only repeats it.
    wrong = shop.report("The stock is wrong", "03-10 15:00", LINUS, "incident", "severity:2")
    again = shop.report("Nothing is in stock", "03-10 16:00", GRACE, "incident")
    shop.turn(again, "03-10 16:10", "duplicate", ADA, original=wrong)
    shop.turn(wrong, "03-10 17:00", "closed", ADA)
    shop.turn(wrong, "03-11 09:00", "reopened", LINUS)
    shop.turn(wrong, "03-11 12:00", "closed", ADA)

    # Reverted a day later.
    d1 = shop.commit("Add the wishlist", "03-12 09:00", ADA, branch="wishlist")
    wishlist = shop.propose("Add the wishlist", "03-12 10:00", ADA, [d1], head="wishlist")
    shop.review(wishlist, "03-12 14:00", LINUS, "approved")
    added = shop.merge(wishlist, "03-12 15:00", "squash", ADA)
    shop.deploy(added, "03-12 15:20", ("03-12 15:30", "succeeded"), environment="staging")
    shop.deploy(added, "03-12 15:50", ("03-12 16:00", "succeeded"))
    title = f'Revert "Add the wishlist (#{wishlist})"'
    body = f"This reverts commit {added}."
    e1 = shop.commit(title, "03-13 09:00", GRACE, branch="revert-wishlist", body=body)
    revert = shop.propose(
        title, "03-13 09:10", GRACE, [e1], head="revert-wishlist", reverts=wishlist
    )
    landed = shop.merge(revert, "03-13 10:00", "squash", GRACE, body=body)
    shop.deploy(landed, "03-13 10:50", ("03-13 11:00", "succeeded"))

    # Mended by a hotfix.
    f1 = shop.commit("Pay by card", "03-16 08:00", ADA, branch="card")
    card = shop.propose("Pay by card", "03-16 09:00", ADA, [f1], head="card")
    shop.review(card, "03-16 11:00", GRACE, "approved")
    landed = shop.merge(card, "03-16 12:00", "squash", ADA)
    shop.deploy(landed, "03-16 13:50", ("03-16 14:00", "succeeded"))
    g1 = shop.commit("Mend payment", "03-17 09:00", ADA, branch="hotfix/card")
    hotfix = shop.propose(
        "Mend payment", "03-17 09:05", ADA, [g1], head="hotfix/card", labels=("hotfix",)
    )
    mended = shop.merge(hotfix, "03-17 09:30", "squash", ADA)
    shop.deploy(mended, "03-17 09:55", ("03-17 10:00", "succeeded"))

    # Rolled back, rolled forward, and deployed once more.
    h1 = shop.commit("Sort the catalogue", "03-18 10:00", LINUS, branch="sort")
    sort = shop.propose("Sort the catalogue", "03-18 11:00", LINUS, [h1], head="sort")
    sorted_ = shop.merge(sort, "03-18 12:00", "squash", LINUS)
    shop.deploy(sorted_, "03-18 12:50", ("03-18 13:00", "succeeded"))
    shop.deploy(mended, "03-18 13:50", ("03-18 14:00", "succeeded"))
    shop.deploy(sorted_, "03-19 09:50", ("03-19 10:00", "succeeded"))
    shop.deploy(sorted_, "03-20 09:50", ("03-20 10:00", "succeeded"))
    shop.report("Checkout is slow", "03-20 12:00", GRACE, "incident", "severity:1")


def _shop_at_the_end_of_the_month(shop: Repository) -> None:
    # A bot's, and one of somebody whose account was deleted; both go out together.
    k1 = shop.commit("Bump requests to 3", "03-20 13:00", DEPENDABOT, branch="dependabot/pip")
    bump = shop.propose(
        "Bump requests to 3", "03-20 13:01", DEPENDABOT, [k1], head="dependabot/pip"
    )
    shop.merge(bump, "03-20 14:00", "squash", ADA)
    j1 = shop.commit("Translate", "03-21 10:00", SOMEBODY, branch="translate", account=False)
    translate = shop.propose("Translate the shop", "03-21 11:00", None, [j1], head="translate")
    shop.review(translate, "03-22 09:00", None, "approved")
    landed = shop.merge(translate, "03-23 09:00", "squash", ADA)
    shop.deploy(landed, "03-23 09:50", ("03-23 10:00", "succeeded"))

    # Pushed without a pull request; an incident comes right after it but blames another commit.
    pushed = shop.commit("Bump the version", "03-25 15:00", ADA)
    shop.deploy(pushed, "03-26 08:50", ("03-26 09:00", "succeeded"))
    broken = shop.report("Words are missing", "03-26 10:00", LINUS, "incident", caused_by=landed)
    shop.turn(broken, "03-26 13:00", "closed", ADA)

    # Not finished: a draft, one given up, one merged whose deployment runs.
    l1 = shop.commit("Try a new basket", "03-25 10:00", GRACE, branch="basket")
    shop.propose("Try a new basket", "03-25 11:00", GRACE, [l1], head="basket", draft=True)
    p1 = shop.commit("Sell bonds", "03-26 10:00", LINUS, branch="bonds")
    bonds = shop.propose("Sell bonds", "03-26 11:00", LINUS, [p1], head="bonds")
    shop.close(bonds, "03-26 12:00")
    n1 = shop.commit("Add vouchers", "03-27 09:00", ADA, branch="vouchers")
    vouchers = shop.propose("Add vouchers", "03-27 10:00", ADA, [n1], head="vouchers")
    landed = shop.merge(vouchers, "03-27 15:00", "squash", ADA)
    shop.deploy(landed, "03-29 17:50", ("03-29 18:00", "running"))


def _search(organisation: Organisation) -> None:
    finder = organisation.add("finder")
    finder.commit("Begin", "02-03 10:00", GRACE)
    first = finder.commit("Index", "03-04 09:00", GRACE)
    finder.deploy(first, "03-04 09:50", ("03-04 10:00", "succeeded"))
    y1 = finder.commit("Rank", "03-05 10:00", GRACE, branch="rank")
    rank = finder.propose("Rank what is found", "03-05 11:00", GRACE, [y1], head="rank")
    landed = finder.merge(rank, "03-06 10:00", "merge", GRACE)
    finder.deploy(landed, "03-06 11:50", ("03-06 12:00", "succeeded"))
    organisation.rename("finder", "search")


def _ledger(ledger: Repository) -> None:
    first = ledger.commit("Keep books", "03-03 08:00", LINUS)
    ledger.run(
        "Deploy", first, "03-03 09:40",
        ("build", "03-03 09:40", "03-03 09:50", "succeeded"),
        ("production", "03-03 09:50", "03-03 10:00", "succeeded"),
    )  # fmt: skip

    began = at("03-09 00:00")
    originals: list[str] = []
    for minute in range(1, 261):
        when = began + timedelta(minutes=minute)
        text = f"{when:%m-%d %H:%M}"
        originals.append(ledger.commit(f"Import account {minute}", text, LINUS, branch="import"))
    accounts = ledger.propose("Import accounts", "03-09 09:00", LINUS, originals, head="import")
    ledger.review(accounts, "03-10 11:00", ADA, "approved")
    landed = ledger.merge(accounts, "03-10 12:00", "squash", ADA)
    again = ledger.run(
        "Deploy", landed, "03-10 12:50",
        ("build", "03-10 12:50", "03-10 13:00", "succeeded"),
        ("production", "03-10 13:00", "03-10 13:10", "failed"),
    )  # fmt: skip
    ledger.rerun(again, ("production", "03-10 23:50", "03-11 00:00", "succeeded"))

    # The job decides, not the run: first green in a red run, then skipped in a green one.
    fees = ledger.commit("Add fees", "03-16 09:00", LINUS)
    red = ledger.run(
        "Deploy", fees, "03-16 09:50",
        ("production", "03-16 09:50", "03-16 10:00", "succeeded"),
        ("smoke", "03-16 10:00", "03-16 10:10", "failed"),
    )  # fmt: skip
    ledger.rerun(red, ("smoke", "03-17 10:00", "03-17 10:10", "succeeded"))
    taxes = ledger.commit("Add taxes", "03-18 09:00", LINUS)
    ledger.run(
        "Deploy", taxes, "03-18 09:30",
        ("build", "03-18 09:30", "03-18 09:40", "succeeded"),
        ("production", "03-18 09:40", "03-18 09:40", "skipped"),
    )  # fmt: skip
    ledger.run("Test", taxes, "03-18 09:30", ("unit", "03-18 09:30", "03-18 09:35", "failed"))

    # All of an old run again: deployed once more, and the first time stays where it was.
    ledger.rerun(
        red,
        ("production", "03-24 09:50", "03-24 10:00", "succeeded"),
        ("smoke", "03-24 10:00", "03-24 10:10", "succeeded"),
    )


def _cli(cli: Repository) -> None:
    cli.commit("Begin", "03-02 08:00", ADA)
    first = cli.commit("List orders", "03-04 10:00", ADA)
    cli.tag("v1.0.0", first, "03-05 12:00")
    cli.release("v1.0.0", "03-05 12:30", "03-05 13:00")
    o1 = cli.commit("Cancel orders", "03-17 09:00", GRACE, branch="cancel")
    cancel = cli.propose("Cancel orders", "03-17 10:00", GRACE, [o1], head="cancel")
    landed = cli.merge(cancel, "03-18 09:00", "squash", GRACE)
    cli.tag("v1.1.0-rc.1", landed)
    cli.release("v1.1.0-rc.1", "03-18 11:00", "03-18 12:00", prerelease=True)
    cli.tag("v1.1.0", landed, "03-19 09:30")
    cli.release("v1.1.0", "03-19 09:40", "03-19 10:00")
    colour = cli.commit("Colour the list", "03-24 10:00", ADA)
    cli.tag("v1.2.0", colour, "03-25 10:00")
    cli.release("v1.2.0", "03-25 11:00", None)
    cli.tag("nightly", colour)


def _left_alone(organisation: Organisation) -> None:
    attic = organisation.add("attic")
    old = attic.commit("Begin", "03-03 09:00", ADA)
    attic.deploy(old, "03-04 09:00", ("03-04 09:10", "succeeded"))
    attic.archived = True
    lib = organisation.add("lib", fork=True)
    other = lib.commit("Begin", "03-03 09:00", ADA)
    lib.deploy(other, "03-04 09:00", ("03-04 09:10", "succeeded"))
