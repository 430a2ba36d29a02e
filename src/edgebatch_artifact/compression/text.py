"""The text that all techniques are calibrated and judged on: measurements/compression/text.npz."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from edgebatch.compression.decoder.decoder import Decoder
from edgebatch.compression.decoder.sampling import draw_text
from edgebatch.errors import InputError
from edgebatch_artifact.settings.measured.compression import TextSettings
from edgebatch_artifact.storage.files import replace

AT_ONCE = 16
"""Sequences that are drawn together."""


class Text(NamedTuple):
    """Token ids to calibrate and to evaluate on, each of shape (sequences, tokens)."""

    calibration: NDArray[np.int32]
    evaluation: NDArray[np.int32]


def stored_text(
    path: Path, decoder: Decoder, first: int, settings: TextSettings, tell: Callable[[str], None]
) -> Text:
    """Read the text, or draw it from the 16-bit decoder and store it where there is none.

    Raises
    ------
    InputError
        For a file that is none, or holds another text than the settings ask for, or tokens that the decoder
        does not have.
    """
    if not path.exists():
        draw_and_store(path, decoder, first, settings, tell)
    expected = {
        "calibration": (settings.calibration_sequences, settings.tokens),
        "evaluation": (settings.evaluation_sequences, settings.tokens),
    }
    parts = {}
    fresh = "(delete it, then the same command draws it again)"
    try:
        with np.load(path, allow_pickle=False) as file:
            for name, shape in expected.items():
                parts[name] = file[name].astype(np.int32)
                if parts[name].shape != shape:
                    raise InputError(name, f"shape {parts[name].shape}", f"{shape} {fresh}")
                if parts[name].min() < 0 or parts[name].max() >= decoder.shape.vocabulary:
                    vocabulary = decoder.shape.vocabulary
                    raise InputError(name, "an unknown token", f"ids below {vocabulary} {fresh}")
    except InputError as error:
        raise error.at(str(path)) from None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError("", str(error).splitlines()[0], f"token ids {fresh}", str(path)) from None
    return Text(**parts)


def draw_and_store(
    path: Path, decoder: Decoder, first: int, settings: TextSettings, tell: Callable[[str], None]
) -> None:
    """Draw the text; batch i of sequences has the seed `settings.seed` + i."""
    count = settings.calibration_sequences + settings.evaluation_sequences
    drawn: list[NDArray[np.int32]] = []
    for number, begin in enumerate(range(0, count, AT_ONCE)):
        tell(f"drawing text: {begin} of {count} sequences")
        sequences = min(AT_ONCE, count - begin)
        drawn.append(draw_text(decoder, first, sequences, settings.tokens, settings.seed + number))
    whole = np.concatenate(drawn)
    # ids fit into two bytes where the vocabulary does
    kind = np.uint16 if decoder.shape.vocabulary <= 2**16 else np.int32
    calibration, evaluation = np.split(whole.astype(kind), [settings.calibration_sequences])
    replace(
        path,
        lambda to: np.savez_compressed(
            to, allow_pickle=False, calibration=calibration, evaluation=evaluation
        ),
    )
