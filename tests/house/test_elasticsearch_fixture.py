"""The real Elasticsearch of the tests: which one it is, and what is left behind."""

from __future__ import annotations

import pytest
from elasticsearch import Elasticsearch

from tests.parts import PartError
from tests.parts.fixtures import call, checked_other, delete_prefix
from tests.parts.lockfile import find_part


def test_the_client_talks_to_the_version_of_the_lock_file(elasticsearch_url: str) -> None:
    with Elasticsearch(elasticsearch_url) as client:
        assert client.info()["version"]["number"] == find_part("elasticsearch").version


def test_deleting_a_prefix_leaves_its_neighbour_alone(
    elasticsearch_url: str, es_prefix: str
) -> None:
    mine, other = f"{es_prefix}-mine", f"{es_prefix}-other"
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.create(index=f"{mine}-a")
        client.indices.create(index=f"{other}-a")
        client.indices.put_index_template(name=f"{mine}-t", index_patterns=[f"{mine}-b*"])
        delete_prefix(elasticsearch_url, mine)
        assert not client.indices.exists(index=f"{mine}-a")
        assert not client.indices.exists_index_template(name=f"{mine}-t")
        assert client.indices.exists(index=f"{other}-a")


@pytest.mark.parametrize("uuid", ["", "some-other-cluster"])
def test_another_server_is_refused_unless_its_uuid_is_repeated(
    elasticsearch_url: str, uuid: str
) -> None:
    with pytest.raises(PartError, match="SRE_OBS_TEST_ELASTICSEARCH_UUID"):
        checked_other(elasticsearch_url, uuid)


def test_another_server_is_used_when_its_uuid_is_repeated(elasticsearch_url: str) -> None:
    uuid = call(elasticsearch_url, "GET", "/")["cluster_uuid"]
    assert checked_other(elasticsearch_url, uuid) == elasticsearch_url
