"""Who may ask, and what every response tells the browser."""

import pytest

from fastmlp.web.guard import names_of

from .asking import refused


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "[::1]:9000", "LOCALHOST"])
def test_names_of_this_machine_are_answered(client, host):
    assert client.get("/api/choices", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "a@localhost", "localhost/x", "[", ""]
)
def test_other_names_are_refused(client, host):
    assert refused(client.get("/api/choices", headers={"host": host}), 403, "Host")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:9999",
        "http://localhost:8000",
        "file://127.0.0.1:8000",
        "http://[",
    ],
)
def test_requests_from_pages_of_other_sites_are_refused(client, origin):
    assert refused(client.post("/api/trainings", json={}, headers={"origin": origin}), 403, "Origin")


def test_requests_from_the_page_itself_are_answered(client):
    assert client.get("/api/choices", headers={"origin": "http://127.0.0.1:8000"}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_embeds_is_refused(client, site):
    assert refused(client.get("/api/models", headers={"sec-fetch-site": site}), 403, "Sec-Fetch-Site")


def test_a_link_on_another_site_opens_the_page(client):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/models", "/nothing"])
def test_the_browser_is_told_to_load_nothing_from_elsewhere(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_a_server_on_all_addresses_goes_by_any_of_them():
    names, any_address = names_of("0.0.0.0")
    assert any_address
    assert "localhost" in names


def test_a_server_on_one_address_goes_by_that():
    names, any_address = names_of("192.0.2.7")
    assert "192.0.2.7" in names
    assert not any_address


def test_every_response_names_the_server(client):
    names = {client.get(path).headers["fastmlp-server"] for path in ("/", "/api/models", "/nothing")}
    assert len(names) == 1
