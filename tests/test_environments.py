from __future__ import annotations

import pytest

from dora.environments import Kinds, by_words


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("production", "prod production PROD Production prod-eu eu-prod prod_2 prd live live-eu"),
        ("production", "gcp/eu/prod ProdEU prod1 my.production canary-prod"),
        ("staging", "staging stage stg preprod pre-prod Pre-Production pre_production uat"),
        ("staging", "pre-release prerelease prod-staging PreProd acceptance pre-live"),
        ("test", "test testing qa qa2 ci e2e prod-test integration"),
        ("development", "dev development local sandbox review/feature-1 Preview dev-prod"),
        ("other", "non-prod nonprod no-production not_live product-docs products delivery olive"),
        ("other", "github-pages canary reprod productive 1 main device contest"),
    ],
)
def test_whole_words_of_a_name_tell_its_kind(kind: str, names: str) -> None:
    assert {name: by_words(name) for name in names.split()} == dict.fromkeys(names.split(), kind)


def test_an_environment_without_a_name_is_other() -> None:
    assert by_words("") == "other"


def test_the_tier_of_the_provider_decides_before_any_name() -> None:
    kinds = Kinds({"production": ["dev*"]})
    assert kinds.kind("prod", "Development") == "development"
    assert kinds.kind("prod", "testing") == "test"
    assert kinds.kind("dev", "staging") == "staging"


def test_a_tier_that_says_nothing_leaves_it_to_the_name() -> None:
    kinds = Kinds({"production": ["shop-*"]})
    assert kinds.kind("shop-eu", "other") == "production"
    assert kinds.kind("qa", "other") == "test"
    assert kinds.kind("qa", "gold") == "test"


def test_configured_patterns_come_before_the_words_and_in_their_order() -> None:
    kinds = Kinds({"other": ["prod-old"], "production": ["prod*", "qa"], "test": ["qa"]})
    assert kinds.kind("prod-old") == "other"
    assert kinds.kind("PROD-NEW") == "production"
    assert kinds.kind("qa") == "production"
    assert kinds.kind("live") == "production"
    assert kinds.kind("qa2") == "test"
