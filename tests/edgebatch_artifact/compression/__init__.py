"""Of the pipeline; needs what the tests of the library's compression need."""

import tests.edgebatch.compression  # noqa: F401
