from __future__ import annotations

from audits.core.not_run import AVAILABLE, NEVER, not_run


def test_M3_what_was_not_run_is_named_with_its_reason():
    found = not_run(["u_lira"], {"u_lira": "U-LiRA", "rmia": "RMIA"})
    assert (found[0].attack, found[0].reason) == ("RMIA", AVAILABLE)
    assert found[1:] == NEVER
    assert not [one for one in found if one.attack == "U-LiRA"]


def test_white_box_attacks_are_named_even_where_all_was_run():
    assert any("White-box" in one.attack for one in not_run(["a"], {"a": "A"}))
    assert all(one.reason.endswith(".") for one in NEVER)
