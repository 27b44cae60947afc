"""Faults: what becomes of cases while processes are killed, servers go away and disks fill.

``python -m tests.faults`` is the long form; see ``docs/reliability.md``. Its parts:

* ``profile``: what is prepared once, data and models; ``site``: an installation that runs;
* ``lanes``: four people after one another ask, are decided about and are waited for;
* ``kinds``: what is done to it, with ``processes``, ``servers``, ``messages``, ``disk``, ``bent``;
* ``deploys``: a new release; ``releases``: which one is before; ``upgraded``: a site of both;
* ``looking``: where each case is; ``inspect``: what must hold at the end, asked inside;
* ``campaign`` draws, injects and waits; ``results`` keeps, sums up and writes the page.
"""
