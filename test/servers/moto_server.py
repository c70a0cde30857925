"""moto's server, with what it leaves out and tests of a bucket meet."""

import sys

from moto.iam.access_control import PermissionResult
from moto.s3 import models
from moto.server import main

# Deleting a version asks each for it, and delete markers don't have it: 500.
if not hasattr(models.FakeDeleteMarker, "dispose"):
    models.FakeDeleteMarker.dispose = lambda self, garbage=None: None

# It knows no conditions: a statement that has one counts as if it had none, and so "deny without TLS" denies all.
models.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL

main(sys.argv[1:])
