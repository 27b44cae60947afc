from __future__ import annotations

import pytest

from config.key_checks import keys_are_encrypted, signers_can_be_called


def test_open_keys_are_warned_of_once_debugging_is_over(settings):
    settings.DEBUG = False
    (said,) = keys_are_encrypted()
    assert said.id == "expunge.W050"
    assert str(settings.KEYS) in said.msg


@pytest.mark.parametrize(
    "change",
    [{"DEBUG": True}, {"EXPUNGE_KEYS_PASSPHRASE": "x"}, {"EXPUNGE_SIGNERS": "a.b"}],
)
def test_keys_that_do_not_lie_open_are_not_warned_of(settings, change):
    for name, value in change.items():
        setattr(settings, name, value)
    assert keys_are_encrypted() == []


@pytest.mark.parametrize("name", ["x", "none.such", "audits.keys.none", "audits.keys.SIGNING"])
def test_a_signer_that_cannot_be_called_is_refused(settings, name):
    settings.EXPUNGE_SIGNERS = name
    (said,) = signers_can_be_called()
    assert repr(name) in said.msg


@pytest.mark.parametrize("name", ["", "audits.keys.signer"])
def test_a_signer_that_can_be_called_is_accepted(settings, name):
    settings.EXPUNGE_SIGNERS = name
    assert signers_can_be_called() == []
