# An old folder is tidied by rules: looked at first, then done, and one that was still wanted is brought back.
# needs: jq
. "${0%/*}/helpers.sh"

head -c 200000 /dev/zero > trace.bin
printf 'minutes\n' > minutes.txt
status 0 taskflow attach upload T-9 trace.bin minutes.txt
status 0 taskflow attach upload T-8 trace.bin

# The rules are S3's, as the AWS CLI prints them.
cat > uploads/.taskflow/lifecycle.json <<'END'
{
  "Rules": [
    {
      "ID": "a-month",
      "Status": "Enabled",
      "Filter": { "And": { "Prefix": "tasks/T-9/", "ObjectSizeGreaterThan": 1000 } },
      "Expiration": { "Days": 30 }
    }
  ]
}
END
status 0 taskflow attach lifecycle status T-9
has "$said" "rule a-month, for keys that begin with tasks/T-9/ and more than 1000 B: live ones expire after 30 days"
count 2 "$out"
grep -c "expire" "$out" | grep -qx 1 || fail "one expires: $(cat "$out")"
status 0 taskflow attach lifecycle apply -n
count 0 "$out"
has "$said" "nothing is due"

# Forty days later.
touch -d '40 days ago' uploads/tasks/T-9/* uploads/tasks/T-8/*
[ "$(taskflow attach lifecycle status -q --json | jq -r '.upcoming[] | "\(.action) \(.pending) \(.count)"')" = "expire true 1" ] ||
  fail "one is pending"
status 0 taskflow attach lifecycle apply -n
count 1 "$out"
cp "$out" due
status 0 taskflow attach list
count 3 "$out"
status 0 taskflow attach lifecycle apply
cmp "$out" due
status 0 taskflow attach list
count 2 "$out"
status 0 taskflow attach lifecycle apply
count 0 "$out"

# It was still wanted. The rule finds it again, unless it goes.
status 0 taskflow attach undelete T-9 trace.bin
echo '{"Rules": []}' > uploads/.taskflow/lifecycle.json
status 0 taskflow attach lifecycle apply
status 0 taskflow attach list
count 3 "$out"

# What S3 would refuse does nothing.
echo '{"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 0}}]}' > uploads/.taskflow/lifecycle.json
status 5 taskflow attach lifecycle apply
has "$said" "lifecycle.json holds no rules that S3 would take: Rules[0].Expiration.Days is 0, at least 1 is needed"
status 0 taskflow attach list
count 3 "$out"
