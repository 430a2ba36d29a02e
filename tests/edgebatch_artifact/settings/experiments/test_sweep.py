from edgebatch_artifact.settings.experiments.sweep import sweep, sweep_size

PARAMS = {"a": "1,2.5,x", "b": "range(1,4)", "c": 7, "d": "[1,2],[3]"}


def test_sweeps_have_the_grammar_of_hydra():
    axes = {"a": [1, 2.5, "x"], "b": [1, 2, 3], "c": [7], "d": [[1, 2], [3]]}
    assert sweep(PARAMS, "file") == axes


def test_the_size_of_a_sweep_is_that_of_the_product_of_its_values():
    assert sweep_size(PARAMS, "file") == 3 * 3 * 1 * 2
