"""One name for a repository, whatever address it is given by."""

from __future__ import annotations

import pytest

from dora.addresses import repository_name, without_credentials


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/shop",
        "https://github.com/acme/shop.git",
        "https://ada:secret@github.com/acme/shop.git/",
        "ssh://git@ssh.github.com:443/acme/shop.git",
        "git@github.com:acme/shop.git",
        "github.com/acme/shop",
        "GitHub.com/acme/shop.git",
        " github.com/acme/shop ",
    ],
)
def test_every_address_of_a_repository_is_one_name(address: str) -> None:
    assert repository_name(address) == "github.com/acme/shop"


@pytest.mark.parametrize(
    "address", ["", "acme/shop", "/srv/shop", "file:///srv/shop", "shop", "/event/source/123"]
)
def test_what_names_no_host_has_no_name(address: str) -> None:
    assert repository_name(address) is None


def test_an_address_is_told_without_its_credentials() -> None:
    assert without_credentials("https://ada:pw@ci.example.org/a@b") == "https://ci.example.org/a@b"
    assert without_credentials("https://ci.example.org/@me") == "https://ci.example.org/@me"
