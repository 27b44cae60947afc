"""Where the client finds its platform and key, and which addresses it refuses."""

from __future__ import annotations

import pytest

import expunge
from expunge.addresses import checked_url
from expunge.configuration import Configuration, configured
from expunge.connection import Connection
from tests.expunge.platforms import KEY, URL


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".config" / "expunge").mkdir(parents=True)
    return tmp_path


def write(home, text, mode=0o600):
    file = home / ".config" / "expunge" / "config.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_arguments_come_before_the_environment_and_that_before_the_file(home):
    write(home, 'url = "https://file.example/"\napi_key = "file"\n')
    only_file = {"HOME": str(home)}
    environ = {**only_file, "EXPUNGE_URL": "https://environ.example"}
    assert configured("", "", only_file) == Configuration(
        url="https://file.example", api_key="file"
    )
    assert configured("", "", environ).url == "https://environ.example"
    assert configured("https://given.example", "", environ).url == "https://given.example"
    assert "file" not in repr(Configuration(url="u", api_key="file"))


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(home, mode):
    file = write(home, 'url = "https://e.example"\napi_key = "k"\n', mode)
    with pytest.raises(expunge.NotConfigured, match=f"chmod 600 {file}"):
        configured("", "", {"HOME": str(home)})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("url = ", "is not TOML"),
        ('key = "k"', "has 'key'; allowed are api_key and url"),
        ("api_key = 3", "has 'api_key'"),
        ("", "address of the platform is not known: set EXPUNGE_URL"),
        ('url = "https://e.example"', "API key of the platform is not known: set EXPUNGE_API_KEY"),
        ('url = "e.example"\napi_key = "k"', "write it like https://"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(home, text, sentence):
    write(home, text)
    with pytest.raises(expunge.NotConfigured, match=sentence):
        configured("", "", {"HOME": str(home)})


def test_a_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(expunge.NotConfigured, match="EXPUNGE_CONFIG names"):
        configured("", "", {"EXPUNGE_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    "url", ["http://expunge.example.org", "http://10.0.0.1", "http://localhost.example.org"]
)
def test_a_key_is_sent_over_http_to_this_machine_alone(url, monkeypatch):
    with pytest.raises(expunge.NotConfigured, match=r"readable on the way.*--insecure"):
        expunge.Client(url, KEY)
    with pytest.raises(expunge.NotConfigured, match="readable on the way"):
        Connection(url=url, api_key=KEY)
    with pytest.raises(expunge.NotConfigured, match="readable on the way"):
        expunge.ServingGuard(url=url, api_key=KEY, version="v")
    assert expunge.Client(url, KEY, insecure=True).url == url
    assert expunge.ServingGuard(url=url, api_key=KEY, version="v", insecure=True).url == url
    assert configured(url, KEY, {"EXPUNGE_INSECURE": "1"}).url == url
    monkeypatch.setenv("EXPUNGE_INSECURE", "1")
    assert Connection(url=url, api_key=KEY).url == url


@pytest.mark.parametrize("url", ["http://127.8.0.1:80", "http://[::1]:8000/", "http://localhost"])
def test_http_to_this_machine_needs_no_permission(url):
    assert configured(url, KEY, {}).url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hush@expunge.example.org",
        "http://ada:hush@127.0.0.1",
        "https://ada:hush@expunge.example.org:port",
        "https://ada:hush",
        "https://expunge.example.org?password=hush",
        "https://expunge.example.org:99999",
        "https://expunge.example.org:port",
        "https://[::1",
        "https://expunge.example.org/\n",
    ],
)
def test_an_address_that_is_none_is_refused_without_a_password_of_it(url):
    with pytest.raises(expunge.NotConfigured, match="address") as told:
        checked_url(url)
    assert "hush" not in str(told.value)
    assert told.value.__suppress_context__ or told.value.__context__ is None


@pytest.mark.parametrize("key", ["schl\u00fcssel", "two\nlines", "two words", "bell\a"])
def test_a_key_that_no_header_can_have_is_refused_unseen(key):
    with pytest.raises(expunge.NotConfigured, match="on one line") as told:
        expunge.Client(URL, key)
    assert key not in str(told.value)
    with pytest.raises(expunge.NotConfigured):
        Connection(url=URL, api_key=key)
