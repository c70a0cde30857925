# A folder that an older back end filled, with names of its own and nothing recorded.
. "${0%/*}/helpers.sh"

mkdir -p uploads/tasks/1
echo "a document" > uploads/tasks/1/abc123_document.pdf
echo "a file" > uploads/tasks/1/file1.pdf
before=$(sums uploads)

status 0 taskflow attach list 1
count 2 "$out"
has "$out" "tasks/1/abc123_document.pdf	abc123	11"
has "$out" "tasks/1/file1.pdf"

# Looking changes nothing.
[ "$(find uploads -type f | wc -l)" -eq 2 ] || fail "a listing wrote something"

status 0 taskflow attach download 1 document.pdf -o -
has "$out" "a document"
has "$said" "no checksum was recorded"
status 0 taskflow attach download 1 file1.pdf -o got.pdf
cmp got.pdf uploads/tasks/1/file1.pdf
status 0 taskflow attach show 1 abc123
has "$out" "document.pdf"

# New ones live beside the old ones.
echo "new" > new.txt
status 0 taskflow attach upload 1 new.txt
status 0 taskflow attach list 1
count 3 "$out"

# Old ones can be deleted and brought back too.
status 0 taskflow attach delete 1 document.pdf
status 0 taskflow attach list 1
count 2 "$out"
status 0 taskflow attach undelete 1 document.pdf
status 0 taskflow attach download 1 document.pdf -o -
has "$out" "a document"
for sum in $before; do
  sums uploads | grep -q "$sum" || fail "an old file is not as it was"
done
