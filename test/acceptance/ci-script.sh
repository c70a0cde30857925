# needs: jq
# A pipeline on a build server: no terminal, keys and JSON between commands, failures that stop the build.
. "${0%/*}/helpers.sh"
set -o pipefail
export CI=true GITHUB_ACTOR=build-bot

# The log of a step, as it comes.
key=$( (echo "compiling"; echo "done") | taskflow attach upload BUILD-9 - --name build.log 2> /dev/null)
taskflow attach download "$key" -o - | grep -q done

# An unset variable must stop the script, not attach to nowhere or delete everything.
TASK=
status 2 taskflow attach upload "$TASK" build.log
status 2 taskflow attach delete "$TASK" --all
status 2 taskflow attach list "$TASK"
has "$said" "empty"
status 2 taskflow attach upload BUILD-9 ""

# JSON, read with jq.
mkdir dist
for name in app.js app.css index.html; do echo "$name" > "dist/$name"; done
taskflow attach upload BUILD-9 dist/* --meta commit=4f2a --json > upload.json 2> /dev/null
[ "$(jq -r '.ok, .summary.done, (.items | length)' upload.json | tr '\n' ' ')" = "true 3 3 " ]
[ "$(jq -r '.items[] | select(.name == "app.css") | .sha256' upload.json)" = "$(sha256sum < dist/app.css | cut -d' ' -f1)" ]
[ "$(jq -r '[.items[].uploadedBy] | unique[]' upload.json)" = build-bot ]

# What failed is in the document too, a usage error as well.
status 7 taskflow attach upload BUILD-9 dist/app.js dist/missing.js --json
[ "$(jq -r '.ok, .errors[0].code, .errors[0].exit, .errors[0].index, .summary.failed' "$out" | tr '\n' ' ')" = "false not_found 3 1 1 " ]
status 2 taskflow attach upload --bogus --json
[ "$(jq -r '.errors[0].code' "$out")" = usage ]

# Keys from one command to the next.
taskflow attach list BUILD-9 --name '*.js' | cut -f1 > keys
count 2 keys
taskflow attach download - -o fetched/ < keys > paths 2> /dev/null
count 2 paths
cmp fetched/app.js dist/app.js
taskflow attach list BUILD-9 --json 2> /dev/null | jq -r '.items[] | select(.size < 8) | .key' |
  taskflow attach delete - > deleted 2> /dev/null
while IFS= read -r gone; do status 3 taskflow attach show "$gone"; done < deleted

# `head` ends a listing; it doesn't fail the build.
for number in $(seq 300); do echo "$number" > "dist/part-$number"; done
taskflow attach upload BUILD-10 dist/part-* > /dev/null 2>&1
taskflow attach list BUILD-10 | head -1 > first
count 1 first

# Events, a line each, the summary last.
taskflow attach list BUILD-10 --ndjson 2> /dev/null | tail -1 | jq -e '.event == "summary" and .ok' > /dev/null

# Nobody is there to confirm.
status 9 taskflow attach delete BUILD-9 --all --purge
status 0 taskflow attach delete BUILD-9 --all --purge --yes

# A bucket's name without USE_S3 would fill the runner's disk instead.
AWS_S3_BUCKET=acme status 5 taskflow attach upload BUILD-11 dist/app.js
USE_S3=flase status 5 taskflow attach list
