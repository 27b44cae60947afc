from __future__ import annotations

import audits.attacks
from audits.core.attack import Attack, CanaryAttack, ModelComparison, RecordAttack
from audits.core.kinds import of_kind
from lineage.core.registry import Registry

DECIDE_NOTHING = (CanaryAttack, ModelComparison)


def test_every_attack_is_of_one_kind_so_that_one_contract_test_runs_for_it():
    kinds = [of_kind(kind) for kind in (RecordAttack, *DECIDE_NOTHING)]
    names = [name for kind in kinds for name in kind]
    assert sorted(names) == list(Registry(audits.attacks, Attack).names())


def test_only_attacks_on_records_may_clear_a_model():
    for kind in DECIDE_NOTHING:
        assert all(attack.can_pass is False for attack in of_kind(kind).values())
