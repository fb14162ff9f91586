"""The version of Keras whose files pynn writes."""

from __future__ import annotations

KERAS_VERSION = "3.15.0"
