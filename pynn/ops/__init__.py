"""The functions of ``keras.ops``."""
from pynn.ops._tables import *
