"""Experiments too long for a notebook, one module each: `CONFIGS`, and `trial(config)`, a pure function of its config.

A config is a flat dict of plain values; `sweeps` adds the `seed`. A trial imports Keras inside, so that it can run in
any process, and returns rows as a list of flat dicts. Columns that are read from a clock are named in `CLOCKED`: they
never come out equal. `MINIATURE` has a config, and smaller values of constants ("module.NAME" for those of another
experiment), with which a test runs the trial in seconds on small networks and made-up data.
"""
