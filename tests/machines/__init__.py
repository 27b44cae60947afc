"""Several machines: what becomes of cases when one of them is cut off, or stands still.

``python -m tests.machines`` is the long form; see ``docs/machines.md``. People, data, models and
what must hold at the end are those of ``tests/faults``. Its own parts:

* ``net``: a bridge, and a network namespace for each machine; ``cluster``: what runs where;
* ``losses``: how a machine is lost and comes back; ``rounds`` plays them while cases go on;
* ``results`` keeps, sums up and writes the page.
"""
