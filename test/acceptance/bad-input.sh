# What people get wrong. Each has its status and says what to do, and none of it leaves anything behind.
. "${0%/*}/helpers.sh"

echo text > file.txt
mkdir folder empty
mkfifo fifo
ln -s loop loop
ln -s nowhere dangling
before=$(ls -A)

# refused STATUS WORDS -- COMMAND...: the status, and the words in the message.
refused() {
  wanted_status=$1 words=$2
  shift 2
  status "$wanted_status" "$@"
  has "$said" "error: "
  has "$said" "$words"
  [ ! -s "$out" ] || fail "printed something: $*"
}

refused 2 "command" taskflow
refused 2 "command" taskflow attach
refused 2 "unknown command" taskflow attach uplod T-1 file.txt
refused 2 "unknown option" taskflow attach upload T-1 file.txt --bogus
refused 2 "files" taskflow attach upload T-1
refused 2 "hint:" taskflow attach list T-1 --limit 0
refused 2 "hint:" taskflow attach list T-1 --sort colour
refused 2 "hint:" taskflow attach list T-1 --since whenever

# The input.
refused 3 "no such file: " taskflow attach upload T-1 missing.txt
refused 3 "leads nowhere" taskflow attach upload T-1 dangling
refused 2 "leads back to itself" taskflow attach upload T-1 loop
refused 2 "is a directory" taskflow attach upload T-1 folder
refused 2 "not a regular file" timeout 10 taskflow attach upload T-1 fifo
refused 2 "not a regular file" timeout 10 taskflow attach upload T-1 /dev/zero
refused 2 "at most 2048" taskflow attach upload T-1 file.txt --note "$(printf 'n%.0s' $(seq 3000))" --dry-run

# The task.
for task in ../x . .taskflow "two words" É CON -- "$(printf 't%.0s' $(seq 65))"; do
  status 2 taskflow attach upload "$task" file.txt
done

# The store.
refused 2 "uploads" taskflow attach list --store uploads
refused 2 "s3" taskflow attach list --store s3:/acme
refused 2 "prefix" taskflow attach list --store s3://acme/prefix
refused 5 "store" taskflow attach list --store ./not-there/
refused 5 "is a file" taskflow attach upload T-1 file.txt --store ./file.txt

[ "$(ls -A)" = "$before" ] || fail "left behind: $(ls -A)"

# With a store.
taskflow attach upload T-1 file.txt > /dev/null 2>&1
taskflow attach upload T-1 file.txt > /dev/null 2>&1
refused 2 "name" taskflow attach upload T-1 file.txt --name ""
refused 2 "name" taskflow attach upload T-1 file.txt --name ..
refused 2 "type" taskflow attach upload T-1 file.txt --type nonsense
refused 2 "class" taskflow attach upload T-1 file.txt --storage-class BOGUS
refused 2 "KEY=VALUE" taskflow attach upload T-1 file.txt --meta novalue
TASKFLOW_MAX_SIZE=4 refused 9 "may be stored" taskflow attach upload T-1 file.txt
TASKFLOW_ALLOWED_TYPES=image/* refused 9 "not allowed" taskflow attach upload T-1 file.txt
refused 3 "no attachment" taskflow attach show T-1 other.txt
refused 2 "file.txt" taskflow attach delete T-1 file.txt
refused 3 "no attachment" taskflow attach delete T-1 other.txt
status 0 taskflow attach delete T-1 other.txt --ignore-missing
refused 9 "there already" taskflow attach download T-1 file.txt
refused 2 "one attachment" taskflow attach download T-1 -o one.txt
refused 2 "items" taskflow attach delete T-1
refused 9 "not confirmed" taskflow attach delete T-1 --all --purge
# Proc files say they are empty and are not.
status 6 taskflow attach upload T-1 /proc/self/status
has "$said" "pipe it in"
status 0 taskflow attach list T-1
count 2 "$out"
