# File names as people and programs really give them; everything comes back byte for byte.
. "${0%/*}/helpers.sh"

long=$(printf 'n%.0s' $(seq 251)).pdf
newline='two
lines.txt'
mkdir in
{
  printf 'a' > "in/with spaces  and more.txt"
  printf 'b' > "in/Prüfbericht – Ünïcödé 日本語.pdf"
  printf 'c' > "in/$newline"
  printf 'd' > "in/🎉 party 👩‍👩‍👧.png"
  printf 'e' > "in/-rf"
  printf 'f' > "in/$long"
  printf 'g' > "in/quote's \"double\" \$(not run) \`either\`;&|.txt"
  printf 'h' > 'in/back\slash.txt'
  printf 'i' > "in/.hidden"
  printf 'j' > "in/trailing dot."
  printf 'k' > "in/CON.txt"
  printf 'l' > "in/100%25 a+b#c?.txt"
  printf 'm' > "in/$(printf 'escape\033[31mred')"
  printf '%%PDF-1.7\n' > "in/really a pdf.txt"
  printf '\211PNG\r\n\032\n\0\0\0\rIHDR' > "in/image without extension"
}
number=$(find in -type f -printf x | wc -c)

cd in
status 0 taskflow attach upload T-1 --store ../store/ -- * .hidden
count "$number" "$out"
cd ..
[ "$(LC_ALL=C grep -c '[[:cntrl:]]' "$out")" -eq 0 ] || fail "a control character in a key"
cut -d/ -f3 "$out" | while IFS= read -r name; do
  [ "$(printf %s "$name" | wc -c)" -le 255 ] || fail "too long for a file name: $name"
done

status 0 taskflow attach list T-1 --store ./store/
count "$number" "$out"
[ "$(awk -F'\t' 'NF != 6' "$out" | wc -l)" -eq 0 ] || fail "a line without its six fields"

# Each by its own name.
for file in in/*; do
  status 0 taskflow attach download --store ./store/ -o - --task T-1 -- "${file#in/}"
  cmp "$out" "$file"
done

# All at once, under names that are safe here.
status 0 taskflow attach download T-1 --store ./store/ -o out/
[ "$(sums in)" = "$(sums out)" ] || fail "not what was attached"
[ ! -e out/-rf ] || fail "a leading dash"

# The type is what the bytes say.
status 0 taskflow attach show T-1 "really a pdf.txt" "image without extension" --store ./store/
has "$out" "application/pdf"
has "$out" "image/png"

# Names given by --name are never paths.
status 0 taskflow attach upload T-2 in/-rf --name ../../etc/passwd --store ./store/
status 0 taskflow attach download T-2 --store ./store/ -o there/
[ "$(find . -name 'passwd*' | grep -v '^./store' | grep -cv '^./there/')" -eq 0 ] || fail "it got out"
