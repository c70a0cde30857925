# The values of dev. Another environment has a file and a state of its own: see the README.

region      = "us-east-1"
project     = "taskflow"
environment = "dev"

allowed_role_names          = ["taskflow-dev-ecs-task-role", "taskflow-dev-lambda-role"]
allowed_sso_permission_sets = ["Developer"]
deny_other_principals       = false # whoever applies can upload at once

allowed_origins = ["http://localhost:3000", "http://localhost:5173"]

force_destroy = true
