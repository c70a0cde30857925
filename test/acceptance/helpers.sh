# What the scripts beside this share; each begins with: . "${0%/*}/helpers.sh"
# They run in a fresh folder, with taskflow on the PATH.
set -eu

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# status WANTED COMMAND...: the command must end so; what it printed is then in the files $out and $said.
out=$HOME/out said=$HOME/said
status() {
  wanted=$1
  shift
  got=0
  "$@" > "$out" 2> "$said" || got=$?
  [ "$got" = "$wanted" ] || fail "exit $got, not $wanted: $* ($(cat "$said"))"
}

# has FILE TEXT: the text stands somewhere in the file.
has() {
  grep -qF -- "$2" "$1" || fail "'$2' is not in $1: $(cat "$1")"
}

# count WANTED FILE: the file has so many lines.
count() {
  [ "$(wc -l < "$2")" -eq "$1" ] || fail "not $1 lines: $(cat "$2")"
}

# sums FOLDER: what is in a folder's files, whatever their names.
sums() {
  find "$1" -type f -exec sha256sum {} + | cut -d' ' -f1 | tr -d '\\' | sort
}
