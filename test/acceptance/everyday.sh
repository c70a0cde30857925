# A working day: several files, notes, a second version, a delete too many, a whole folder.
. "${0%/*}/helpers.sh"

printf 'plan\n' > plan.txt
printf '\211PNG\r\n\032\n' > sketch.png
seq 1000 > numbers.csv

status 0 taskflow attach upload T-7 plan.txt sketch.png numbers.csv --note "kick-off" --meta Sprint=12 --tag team=blue
count 3 "$out"
# In the order given.
[ "$(sed 's/.*_//' "$out" | tr '\n' ' ')" = "plan.txt sketch.png numbers.csv " ] || fail "order: $(cat "$out")"
key=$(sed -n 2p "$out")

status 0 taskflow attach show T-7 sketch.png
has "$out" "image/png"
has "$out" "kick-off"
has "$out" "$key"
# By key, and by the first characters of the id.
id=${key#tasks/T-7/}
status 0 taskflow attach show "$key"
status 0 taskflow attach show T-7 "$(echo "$id" | cut -c1-8)"
has "$out" "$key"

status 0 taskflow attach list T-7 --name '*.csv'
count 1 "$out"
has "$out" "numbers.csv"

status 0 taskflow attach download T-7 -o copies/
for file in plan.txt sketch.png numbers.csv; do cmp "$file" "copies/$file"; done
# Nothing is overwritten unasked.
status 9 taskflow attach download T-7 plan.txt -o copies/
status 0 taskflow attach download T-7 plan.txt -o copies/ --if-exists rename
[ "$(find copies -name 'plan*' | wc -l)" -eq 2 ] || fail "no second plan"

# A second version beside the first one; asked for by name, it is the newest that comes.
printf 'better plan\n' > plan.txt
status 0 taskflow attach upload T-7 plan.txt
status 0 taskflow attach download T-7 plan.txt -o -
has "$out" "better plan"
has "$said" "2 attachments are named plan.txt"
status 2 taskflow attach delete T-7 plan.txt
# A third one in place of both.
status 0 taskflow attach upload T-7 plan.txt --replace
status 0 taskflow attach list T-7 --name plan.txt
count 1 "$out"

# Deleted by mistake: the printed undo is a command as it stands.
undo() {
  sed -n 's/^undo[^:]*: //p' "$said"
}
status 0 taskflow attach delete T-7 numbers.csv
command=$(undo)
status 3 taskflow attach show T-7 numbers.csv
eval "status 0 $command"
status 0 taskflow attach show T-7 numbers.csv

status 0 taskflow attach delete T-7 --all
command=$(undo)
status 0 taskflow attach list T-7
count 0 "$out"
eval "status 0 $command"
status 0 taskflow attach list T-7
count 3 "$out"

# A folder, and back with its folders.
mkdir -p photos/site
echo door > photos/door.txt
echo roof > photos/site/roof.txt
status 0 taskflow attach upload T-8 -r photos
status 0 taskflow attach download T-8 -o back/
cmp photos/site/roof.txt back/site/roof.txt

# For good.
status 9 taskflow attach delete T-8 --all --purge
status 0 taskflow attach delete T-8 --all --purge --yes
status 0 taskflow attach list T-8 --deleted
count 0 "$out"
