# The first minute with taskflow: no setting, no store yet.
. "${0%/*}/helpers.sh"

status 5 taskflow attach list
has "$said" "hint:"

echo "the report" > report.pdf
status 0 taskflow attach upload T-42 report.pdf
has "$said" "created store $PWD/uploads"
has "$said" "attached 1 file (11 B) to T-42 in $PWD/uploads"
grep -qE '^tasks/T-42/[0-9a-f-]{36}_report\.pdf$' "$out" || fail "no key: $(cat "$out")"

status 0 taskflow attach list T-42
count 1 "$out"
has "$out" "report.pdf"

status 0 taskflow attach download T-42 report.pdf -o copy.pdf
cmp report.pdf copy.pdf

status 0 taskflow attach delete T-42 report.pdf
status 0 taskflow attach list T-42
count 0 "$out"
has "$said" "nothing attached to T-42"

# The store hides itself from git.
git init -q .
[ -z "$(git status --porcelain uploads)" ] || fail "git sees the store"
