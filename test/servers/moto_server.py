"""moto's server, with what it leaves out and tests of a bucket meet."""

import sys

from moto.s3 import models
from moto.server import main

# Deleting a version asks each for it, and delete markers don't have it: 500.
if not hasattr(models.FakeDeleteMarker, "dispose"):
    models.FakeDeleteMarker.dispose = lambda self, garbage=None: None

main(sys.argv[1:])
