# The writes in the simulator's request log as lines of a scenario's `expect`. Takes $seed, $log, $first (arrays of
# values) and how many writes to $skip. The first line says how many there are in all. Members that one PATCH puts in and
# takes out are two lines: whether they meet in one call depends on who is made when.

def named: .userName // .displayName;
def writes: [$log[] | select(.method != "GET" and (.path | test("/oidc/|/token") | not))
	| .body = (if .body then (.body | fromjson) else null end)];

# Ids to names: the first name that each had.
([$seed[], {workspace: {}} | (.user // .group // .service_principal // .workspace) | select(.id)
	| {key: .id, value: (named // .name)}]
	+ [writes[] | select(.made) | {key: (.made | tostring), value: (.body | named)}] | from_entries) as $names
| ($first[0] | [{key: (.account.host | split(":")[-1]), value: "account"}]
	+ [.workspaces | to_entries[] | {key: (.value.host | split(":")[-1]), value: .key}] | from_entries) as $targets

| def name: tostring | $names[.] // .;
def value:
	if type == "array" then "[" + ([.[] | value] | sort | join(" ")) + "]"
	elif type == "object" then (if .value then (.value | name) else tojson end)
	else name end;
def operation:
	(.path // "") as $path | (if .op == "replace" then "" elif .op == "remove" then "-" else "+" end) as $sign
	| if ($path | test("\\[value eq")) then $sign + ($path | capture("^(?<field>[^\\[]+)\\[value eq \"(?<id>[^\"]*)\"\\]")
			| "\(.field)=[\(.id | name)]")
	elif $path == "" and (.value | type) == "object" then
		[.value | to_entries[] | "\($sign)\(.key)=\(if .key == "externalId" then "ANCHOR" else .value | value end)"] | sort | join(" ")
	elif .value == null then $sign + $path
	else "\($sign)\($path)=\(if $path == "externalId" then "ANCHOR" else .value | value end)" end;
def body:
	if .body == null then ""
	elif .body.Operations then
		[.body.Operations[] | operation] | group_by(startswith("-")) | .[] | " " + (sort | join(" "))
	elif .body.permissions then " " + (.body.permissions | join("+"))
	elif .method == "POST" then
		" " + (.body | named)
		+ ([.body | (.members // empty) | select(length > 0) | " members=" + value] | add // "")
		+ ([.body | (.entitlements // empty) | select(length > 0) | " entitlements=" + value] | add // "")
		+ (if .body.active == false then " active=false" else "" end)
	else " " + (.body | tojson) end;
def path:
	.path | sub("^.*/scim/v2/"; "") | sub("^/api/2.0/accounts/[^/]*/"; "") | sub("^/api/2.0/preview/"; "")
	| sub("\\?.*$"; "") | sub("/permissionassignments/principals/"; "/") | split("/") | map(name) | join("/");

(writes | length), (writes[$skip:][] | "\(.method) \(.port | tostring | $targets[.]) \(path)\(body)\(if .status >= 400 then " (\(.status))" else "" end)")
