#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "directory/snapshot.h"

enum { PEOPLE, GROUPS, CONTAINERS, STAFF, OTHER_PEOPLE, OTHER_GROUPS, SEARCH_COUNT };

static const char *const people_attributes[] = {"cn", "mail"};
static const char *const staff_attributes[] = {"mail", "title"};
static const char *const group_attributes[] = {"cn", "member", "uniquemember"};
#define SEARCH(number, of, what, list)                                                             \
	[number] = {.id = number,                                                                  \
			.source = of,                                                              \
			.purpose = what,                                                           \
			.attributes = list,                                                        \
			.attribute_count = COUNT_OF(list)}
static const struct search searches[SEARCH_COUNT] = {
		SEARCH(PEOPLE, 0, SEARCH_USERS, people_attributes),
		SEARCH(GROUPS, 0, SEARCH_GROUPS, group_attributes),
		[CONTAINERS] = {.id = CONTAINERS, .purpose = SEARCH_CONTAINERS},
		SEARCH(STAFF, 0, SEARCH_USERS, staff_attributes),
		SEARCH(OTHER_PEOPLE, 1, SEARCH_USERS, people_attributes),
		SEARCH(OTHER_GROUPS, 1, SEARCH_GROUPS, group_attributes),
};

static int setup(void **state)
{
	*state = snapshot_new(searches, SEARCH_COUNT);
	return 0;
}

static int teardown(void **state)
{
	snapshot_free(*state);
	return 0;
}

/* pairs: "cn=x", "member=uid=a,dc=x", ... up to NULL; at most 8 */
static enum err_code try_put(struct snapshot *snapshot, unsigned search, const char *anchor,
		const char *dn, const char *const *pairs)
{
	struct attribute attributes[8];
	struct span values[8];
	char names[8][16];
	struct entry entry = {anchor, dn, attributes, 0};
	struct err err;

	for (; pairs && pairs[entry.count]; entry.count++) {
		const char *pair = pairs[entry.count], *equals = strchr(pair, '=');
		size_t i = entry.count;

		(void)snprintf(names[i], sizeof(names[i]), "%.*s", (int)(equals - pair), pair);
		values[i] = span_of(equals + 1);
		attributes[i] = (struct attribute){names[i], &values[i], 1};
	}
	return snapshot_upsert(snapshot, search, &entry, &err);
}

#define PUT(snapshot, search, anchor, dn, ...)                                                     \
	assert_int_equal(try_put(snapshot, search, anchor, dn,                                     \
					 (const char *const[]){__VA_ARGS__, NULL}),                \
			ERR_NONE)

static unsigned effects_of(const struct snapshot *snapshot, node_id node)
{
	size_t count;
	const struct snapshot_change *changes = snapshot_changes(snapshot, &count);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			assert_true(changes[i - 1].node < changes[i].node);
		if (changes[i].node == node)
			return changes[i].effects;
	}
	return 0;
}

static node_id find(const struct snapshot *snapshot, const char *anchor)
{
	return snapshot_find_anchor(snapshot, 0, anchor);
}

static bool is_member(const struct snapshot *snapshot, const char *group, const char *member)
{
	node_id node = find(snapshot, member);
	size_t count, parent_count;
	const node_id *members = snapshot_members(snapshot, find(snapshot, group), &count);
	const node_id *parents =
			node == NODE_NONE ? NULL : snapshot_parents(snapshot, node, &parent_count);
	bool down = false, up = false;

	for (size_t i = 0; i < count; i++)
		down |= members[i] == node;
	for (size_t i = 0; parents && i < parent_count; i++)
		up |= parents[i] == find(snapshot, group);
	assert_int_equal(down, up);
	return down;
}

static size_t unresolved(const struct snapshot *snapshot, const char *group)
{
	size_t count;

	(void)snapshot_unresolved(snapshot, find(snapshot, group), &count);
	return count;
}

static struct span value_of(const struct snapshot *snapshot, const char *anchor, const char *name)
{
	static char kept[64];
	struct arena *arena = arena_new();
	struct entry entry;
	struct err err;
	struct span value;

	assert_int_equal(snapshot_entry(snapshot, find(snapshot, anchor), arena, &entry, &err),
			ERR_NONE);
	assert_string_equal(entry.anchor, anchor);
	value = entry_first(&entry, name);
	(void)snprintf(kept, sizeof(kept), "%.*s", (int)value.len, value.ptr ? value.ptr : "");
	arena_free(arena);
	return (struct span){value.ptr ? kept : NULL, value.len};
}

/* ---- entries ---- */

static void test_upsert_and_find(void **state)
{
	struct snapshot *s = *state;
	node_id ada;

	PUT(s, PEOPLE, "a", "UID=Ada,OU=People,DC=x", "cn=Ada  Sample", "mail=ada@example.org");
	ada = find(s, "a");
	assert_int_not_equal(ada, NODE_NONE);
	assert_int_equal(snapshot_count(s), 1);
	assert_true(snapshot_is_present(s, ada));
	assert_int_equal(snapshot_find_dn(s, 0, "uid=ada, ou=people, dc=x"), ada);
	assert_string_equal(snapshot_dn(s, ada), "UID=Ada,OU=People,DC=x");
	assert_string_equal(snapshot_folded_cn(s, ada), "ada  sample");
	assert_int_equal(snapshot_searches(s, ada), 1 << PEOPLE);
	assert_int_equal(snapshot_source(s, ada), 0);
	assert_int_equal(effects_of(s, ada), EFFECT_CONTENT | EFFECT_SEARCHES | EFFECT_RECORD);
	snapshot_settle(s);
	assert_int_equal(effects_of(s, ada), 0);
	/* the same again is no change */
	PUT(s, PEOPLE, "a", "UID=Ada,OU=People,DC=x", "mail=ada@example.org", "cn=Ada  Sample");
	assert_int_equal(effects_of(s, ada), 0);
	PUT(s, PEOPLE, "a", "UID=Ada,OU=People,DC=x", "mail=ada2@example.org");
	assert_int_equal(effects_of(s, ada), EFFECT_CONTENT | EFFECT_RECORD);
	assert_null(snapshot_folded_cn(s, ada));
	assert_true(span_equal(value_of(s, "a", "mail"), SPAN_LIT("ada2@example.org")));
}

static void test_bad_entries(void **state)
{
	static const char *const none[] = {NULL};
	struct snapshot *s = *state;
	char long_anchor[ENTRY_ANCHOR_MAX + 2] = {0};
	node_id node;

	assert_int_equal(try_put(s, PEOPLE, "a", "nonsense", none), ERR_PROTO);
	assert_int_equal(try_put(s, PEOPLE, "", "uid=a", none), ERR_PROTO);
	assert_int_equal(try_put(s, PEOPLE, NULL, "uid=a", none), ERR_PROTO);
	assert_int_equal(try_put(s, PEOPLE, "a", NULL, none), ERR_PROTO);
	memset(long_anchor, 'a', sizeof(long_anchor) - 1);
	assert_int_equal(try_put(s, PEOPLE, long_anchor, "uid=a", none), ERR_PROTO);
	long_anchor[ENTRY_ANCHOR_MAX] = '\0';
	assert_int_equal(try_put(s, PEOPLE, long_anchor, "uid=a", none), ERR_NONE);
	assert_int_equal(try_put(s, SEARCH_COUNT, "a", "uid=a", none), ERR_BUG);
	assert_int_equal(snapshot_count(s), 1);
	/* a known entry that comes broken stays as it was */
	node = find(s, long_anchor);
	assert_int_equal(try_put(s, PEOPLE, long_anchor, "uid=a\\", none), ERR_PROTO);
	assert_string_equal(snapshot_dn(s, node), "uid=a");
	snapshot_remove(s, PEOPLE, "never seen");
	snapshot_remove(s, GROUPS, long_anchor);
	assert_int_equal(snapshot_count(s), 1);
}

static void test_limits(void **state)
{
	struct snapshot *s = *state;
	char *big = mem_zalloc(ENTRY_VALUE_BYTES_MAX + 1);
	struct span value = {big, ENTRY_VALUE_BYTES_MAX + 1};
	struct attribute attributes[ENTRY_ATTRIBUTES_MAX + 1];
	struct entry entry = {"a", "uid=a", attributes, ENTRY_ATTRIBUTES_MAX + 1};
	struct err err;

	for (size_t i = 0; i < COUNT_OF(attributes); i++)
		attributes[i] = (struct attribute){"x", &value, 1};
	assert_int_equal(snapshot_upsert(s, PEOPLE, &entry, &err), ERR_LIMIT);
	entry.count = 1;
	assert_int_equal(snapshot_upsert(s, PEOPLE, &entry, &err), ERR_LIMIT);
	value.len--;
	assert_int_equal(snapshot_upsert(s, PEOPLE, &entry, &err), ERR_NONE);
	attributes[0].count = ENTRY_VALUES_MAX + 1;
	assert_int_equal(snapshot_upsert(s, PEOPLE, &entry, &err), ERR_LIMIT);
	mem_free(big);
}

static void test_gone_and_back(void **state)
{
	struct snapshot *s = *state;
	node_id ada, other;

	PUT(s, PEOPLE, "a", "uid=a,dc=x", "mail=ada@example.org");
	ada = find(s, "a");
	snapshot_settle(s);
	snapshot_remove(s, PEOPLE, "a");
	assert_int_equal(effects_of(s, ada), EFFECT_GONE | EFFECT_RECORD);
	assert_false(snapshot_is_present(s, ada));
	assert_int_equal(find(s, "a"), NODE_NONE);
	assert_int_equal(snapshot_find_dn(s, 0, "uid=a,dc=x"), NODE_NONE);
	assert_string_equal(snapshot_anchor(s, ada), "a");
	assert_string_equal(snapshot_dn(s, ada), "uid=a,dc=x");
	assert_int_equal(snapshot_count(s), 0);
	/* back within the batch: the same node, and not gone */
	PUT(s, STAFF, "a", "uid=a,dc=x", "mail=ada@example.org");
	assert_int_equal(find(s, "a"), ada);
	assert_false(effects_of(s, ada) & EFFECT_GONE);
	assert_true(effects_of(s, ada) & EFFECT_SEARCHES);
	snapshot_settle(s);
	snapshot_remove(s, STAFF, "a");
	snapshot_settle(s);
	assert_int_equal(effects_of(s, ada), 0);
	/* the number is free now */
	PUT(s, PEOPLE, "b", "uid=b,dc=x", "mail=b@example.org");
	other = find(s, "b");
	assert_int_equal(other, ada);
	assert_int_equal(find(s, "a"), NODE_NONE);
}

static void test_several_searches(void **state)
{
	struct snapshot *s = *state;
	node_id ada;

	PUT(s, PEOPLE, "a", "uid=a,dc=x", "cn=Ada", "mail=old@example.org");
	PUT(s, STAFF, "a", "uid=a,dc=x", "mail=new@example.org", "title=Chief");
	ada = find(s, "a");
	assert_int_equal(snapshot_count(s), 1);
	assert_int_equal(snapshot_searches(s, ada), 1 << PEOPLE | 1 << STAFF);
	assert_true(span_equal(value_of(s, "a", "cn"), SPAN_LIT("Ada")));
	assert_true(span_equal(value_of(s, "a", "mail"), SPAN_LIT("new@example.org")));
	assert_true(span_equal(value_of(s, "a", "title"), SPAN_LIT("Chief")));
	/* a container that is also a person keeps what makes it one */
	PUT(s, CONTAINERS, "a", "uid=a,dc=x", NULL);
	assert_true(span_equal(value_of(s, "a", "cn"), SPAN_LIT("Ada")));
	/* mail is gone, title is none of PEOPLE's business */
	PUT(s, PEOPLE, "a", "uid=a,dc=x", "cn=Ada");
	assert_null(value_of(s, "a", "mail").ptr);
	assert_true(span_equal(value_of(s, "a", "title"), SPAN_LIT("Chief")));
	snapshot_settle(s);
	snapshot_remove(s, STAFF, "a");
	assert_true(snapshot_is_present(s, ada));
	assert_int_equal(effects_of(s, ada), EFFECT_SEARCHES | EFFECT_CONTENT | EFFECT_RECORD);
	assert_null(value_of(s, "a", "title").ptr);
	assert_true(span_equal(value_of(s, "a", "cn"), SPAN_LIT("Ada")));
}

static void test_mentions(void **state)
{
	struct snapshot *s = *state;
	struct arena *arena = arena_new();
	const char *const *anchors;

	PUT(s, PEOPLE, "a", "uid=a", "cn=a");
	PUT(s, PEOPLE, "b", "uid=b", "cn=b");
	PUT(s, PEOPLE, "c", "uid=c", "cn=c");
	PUT(s, STAFF, "d", "uid=d", "title=d");
	assert_int_equal(snapshot_unmentioned(s, PEOPLE, arena, &anchors), 0);
	snapshot_refresh_begin(s, PEOPLE);
	assert_int_equal(snapshot_unmentioned(s, PEOPLE, arena, &anchors), 3);
	assert_int_equal(snapshot_unmentioned(s, STAFF, arena, &anchors), 0);
	snapshot_mention(s, PEOPLE, "a");
	snapshot_mention(s, PEOPLE, "unknown");
	snapshot_mention(s, PEOPLE, "d");
	PUT(s, PEOPLE, "c", "uid=c", "cn=c");
	assert_int_equal(snapshot_unmentioned(s, PEOPLE, arena, &anchors), 1);
	assert_string_equal(anchors[0], "b");
	arena_free(arena);
}

/* ---- members ---- */

static void test_members_resolve(void **state)
{
	struct snapshot *s = *state;

	PUT(s, PEOPLE, "a", "cn=Sample\\2C Jo+uid=sj,ou=people", "cn=a");
	PUT(s, PEOPLE, "b", "uid=b,ou=people", "cn=b");
	PUT(s, GROUPS, "g", "cn=g", "member=UID=SJ+CN=sample\\2C  jo,OU=People",
			"uniquemember=uid=b,ou=people#'0101'B", "uniquemember=uid=b,ou=people#'0'B",
			"member=");
	assert_true(is_member(s, "g", "a"));
	assert_true(is_member(s, "g", "b"));
	assert_int_equal(unresolved(s, "g"), 0);
	assert_true(effects_of(s, find(s, "a")) & EFFECT_GROUPS);
	assert_true(effects_of(s, find(s, "g")) & EFFECT_MEMBERS);
	/* values that are no names are listed, nothing else */
	PUT(s, GROUPS, "g", "cn=g", "member=nonsense", "member=uid=b,ou=people");
	assert_int_equal(unresolved(s, "g"), 1);
	assert_false(is_member(s, "g", "a"));
	assert_true(is_member(s, "g", "b"));
}

static void test_values_wait(void **state)
{
	struct snapshot *s = *state;
	const char *const *texts;
	size_t count;

	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x", "member=UID=A,DC=X", "member=uid=z");
	PUT(s, GROUPS, "h", "cn=h", "member=uid=A,dc=x");
	assert_int_equal(unresolved(s, "g"), 2);
	snapshot_settle(s);
	/* somebody of that name in another source is somebody else */
	PUT(s, OTHER_PEOPLE, "o", "uid=a,dc=x", "cn=o");
	assert_int_equal(unresolved(s, "g"), 2);
	PUT(s, PEOPLE, "a", "uid=a,dc=x", "cn=a");
	assert_true(is_member(s, "g", "a"));
	assert_true(is_member(s, "h", "a"));
	texts = snapshot_unresolved(s, find(s, "g"), &count);
	assert_int_equal(count, 1);
	assert_string_equal(texts[0], "uid=z");
	assert_true(effects_of(s, find(s, "g")) & EFFECT_MEMBERS);
	assert_true(effects_of(s, find(s, "a")) & EFFECT_GROUPS);
	/* a wait dissolves with the value, and with the group */
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	snapshot_remove(s, GROUPS, "h");
	PUT(s, PEOPLE, "z", "uid=z", "cn=z");
	assert_false(is_member(s, "g", "z"));
}

static void test_renamed_member_stays(void **state)
{
	struct snapshot *s = *state;

	PUT(s, PEOPLE, "a", "uid=a,dc=x", "cn=a");
	PUT(s, PEOPLE, "b", "uid=b,dc=x", "cn=b");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	PUT(s, GROUPS, "h", "cn=h", "member=uid=new,dc=x");
	snapshot_settle(s);
	PUT(s, PEOPLE, "a", "uid=new,dc=x", "cn=a");
	assert_true(is_member(s, "g", "a"));
	/* the value that waited for the new name */
	assert_true(is_member(s, "h", "a"));
	assert_int_equal(effects_of(s, find(s, "g")), 0);
	snapshot_settle(s);
	/* the directory has not rewritten the value yet */
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x", "member=uid=b,dc=x");
	assert_true(is_member(s, "g", "a"));
	assert_true(is_member(s, "g", "b"));
	/* a former name counts for those who were members only */
	PUT(s, GROUPS, "k", "cn=k", "member=uid=a,dc=x");
	assert_false(is_member(s, "k", "a"));
	assert_int_equal(unresolved(s, "k"), 1);
	/* now it has */
	PUT(s, GROUPS, "g", "cn=g", "member=uid=new,dc=x");
	assert_true(is_member(s, "g", "a"));
	assert_false(is_member(s, "g", "b"));
	PUT(s, GROUPS, "g", "cn=g", "member=uid=b,dc=x");
	assert_false(is_member(s, "g", "a"));
}

static void test_former_names_are_few(void **state)
{
	struct snapshot *s = *state;
	char dn[32];

	PUT(s, PEOPLE, "a", "uid=a0", "cn=a");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a0");
	for (int i = 1; i <= SNAPSHOT_FORMER_NAMES_MAX + 1; i++) {
		(void)snprintf(dn, sizeof(dn), "uid=a%d", i);
		PUT(s, PEOPLE, "a", dn, "cn=a");
	}
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a1");
	assert_true(is_member(s, "g", "a"));
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a0");
	assert_false(is_member(s, "g", "a"));
}

static void test_latest_holder_of_a_former_name(void **state)
{
	struct snapshot *s = *state;

	PUT(s, PEOPLE, "a", "uid=x", "cn=a");
	PUT(s, PEOPLE, "b", "uid=b", "cn=b");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=x", "member=uid=b");
	PUT(s, PEOPLE, "a", "uid=a", "cn=a");
	PUT(s, PEOPLE, "b", "uid=x", "cn=b");
	PUT(s, PEOPLE, "b", "uid=b2", "cn=b");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=x");
	assert_true(is_member(s, "g", "b"));
	assert_false(is_member(s, "g", "a"));
}

static void test_gone_member_keeps_its_place(void **state)
{
	struct snapshot *s = *state;
	const char *const *texts;
	size_t count;

	PUT(s, PEOPLE, "a", "uid=a,dc=x", "cn=a");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	snapshot_settle(s);
	snapshot_remove(s, PEOPLE, "a");
	assert_true(effects_of(s, find(s, "g")) & EFFECT_MEMBERS);
	snapshot_settle(s);
	texts = snapshot_unresolved(s, find(s, "g"), &count);
	assert_int_equal(count, 1);
	assert_string_equal(texts[0], "uid=a,dc=x");
	(void)snapshot_members(s, find(s, "g"), &count);
	assert_int_equal(count, 0);
	/* the same entry, even under another name */
	PUT(s, PEOPLE, "a", "uid=a2,dc=x", "cn=a");
	assert_true(is_member(s, "g", "a"));
	assert_int_equal(unresolved(s, "g"), 0);
	assert_true(effects_of(s, find(s, "a")) & EFFECT_GROUPS);
	snapshot_remove(s, PEOPLE, "a");
	snapshot_settle(s);
	/* the group lets it go */
	PUT(s, GROUPS, "g", "cn=g", NULL);
	snapshot_settle(s);
	PUT(s, PEOPLE, "a", "uid=a2,dc=x", "cn=a");
	assert_false(is_member(s, "g", "a"));
}

static void test_name_is_not_inherited(void **state)
{
	struct snapshot *s = *state;

	PUT(s, PEOPLE, "a", "uid=a,dc=x", "cn=a");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	snapshot_remove(s, PEOPLE, "a");
	snapshot_settle(s);
	/* another entry of that name: whether the group means it is for the directory to say */
	PUT(s, PEOPLE, "b", "uid=a,dc=x", "cn=b");
	assert_false(is_member(s, "g", "b"));
	assert_true(effects_of(s, find(s, "g")) & EFFECT_STALE);
	snapshot_settle(s);
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	assert_true(is_member(s, "g", "b"));
	assert_int_equal(unresolved(s, "g"), 0);
	/* taking a former name casts the same doubt */
	PUT(s, PEOPLE, "b", "uid=b2,dc=x", "cn=b");
	snapshot_settle(s);
	PUT(s, PEOPLE, "c", "uid=a,dc=x", "cn=c");
	assert_true(is_member(s, "g", "b"));
	assert_true(effects_of(s, find(s, "g")) & EFFECT_STALE);
	/* the answer, though it looks as before */
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	assert_true(is_member(s, "g", "c"));
	assert_false(is_member(s, "g", "b"));
}

/* The group was read after the entry had gone: whoever has that name is meant. */
static void test_dangling_value_read_anew(void **state)
{
	struct snapshot *s = *state;

	PUT(s, PEOPLE, "a", "uid=a,dc=x", "cn=a");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	snapshot_remove(s, PEOPLE, "a");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	assert_int_equal(unresolved(s, "g"), 1);
	snapshot_settle(s);
	PUT(s, PEOPLE, "b", "uid=a,dc=x", "cn=b");
	assert_true(is_member(s, "g", "b"));
}

static void test_two_of_one_name(void **state)
{
	struct snapshot *s = *state;

	PUT(s, PEOPLE, "a", "uid=a,dc=x", "cn=a");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,dc=x");
	PUT(s, PEOPLE, "b", "UID=A,dc=x", "cn=b");
	assert_int_equal(snapshot_find_dn(s, 0, "uid=a,dc=x"), find(s, "b"));
	assert_true(is_member(s, "g", "a"));
	assert_false(is_member(s, "g", "b"));
	/* the newer goes: the older has the name again */
	snapshot_remove(s, PEOPLE, "b");
	snapshot_settle(s);
	assert_int_equal(snapshot_find_dn(s, 0, "uid=a,dc=x"), find(s, "a"));
	/* the newer is renamed */
	PUT(s, PEOPLE, "b", "uid=a,dc=x", "cn=b");
	PUT(s, PEOPLE, "b", "uid=b,dc=x", "cn=b");
	assert_int_equal(snapshot_find_dn(s, 0, "uid=a,dc=x"), find(s, "a"));
	/* the newer goes, but a group keeps its place */
	PUT(s, PEOPLE, "b", "uid=a,dc=x", "cn=b");
	PUT(s, GROUPS, "h", "cn=h", "member=uid=a,dc=x");
	assert_true(is_member(s, "h", "b"));
	snapshot_remove(s, PEOPLE, "b");
	snapshot_settle(s);
	assert_int_equal(snapshot_find_dn(s, 0, "uid=a,dc=x"), find(s, "a"));
	assert_false(is_member(s, "h", "a"));
	PUT(s, PEOPLE, "b", "uid=a,dc=x", "cn=b");
	/* the older goes */
	snapshot_remove(s, PEOPLE, "a");
	snapshot_settle(s);
	assert_int_equal(snapshot_find_dn(s, 0, "uid=a,dc=x"), find(s, "b"));
}

static void test_effects_travel(void **state)
{
	struct snapshot *s = *state;
	node_id p, bottom, middle, top;

	PUT(s, PEOPLE, "p", "uid=p", "cn=p");
	PUT(s, PEOPLE, "q", "uid=q", "cn=q");
	PUT(s, GROUPS, "bottom", "cn=bottom", "cn=bottom", "member=uid=p", "member=cn=top");
	PUT(s, GROUPS, "middle", "cn=middle", "cn=middle", "member=cn=bottom");
	PUT(s, GROUPS, "top", "cn=top", "cn=top", "member=cn=middle");
	PUT(s, GROUPS, "bottom", "cn=bottom", "cn=bottom", "member=uid=p");
	p = find(s, "p");
	bottom = find(s, "bottom");
	middle = find(s, "middle");
	top = find(s, "top");
	snapshot_settle(s);
	/* a member below: groups above have it; nobody else's groups change */
	PUT(s, GROUPS, "bottom", "cn=bottom", "cn=bottom", "member=uid=p", "member=uid=q");
	assert_int_equal(effects_of(s, p), 0);
	assert_int_equal(effects_of(s, find(s, "q")), EFFECT_GROUPS);
	assert_int_equal(effects_of(s, bottom), EFFECT_MEMBERS | EFFECT_RECORD);
	assert_int_equal(effects_of(s, middle), EFFECT_MEMBERS);
	assert_int_equal(effects_of(s, top), EFFECT_MEMBERS);
	snapshot_settle(s);
	/* nesting above: people below */
	PUT(s, GROUPS, "top", "cn=top", "cn=top", NULL);
	assert_int_equal(effects_of(s, p), EFFECT_GROUPS);
	assert_int_equal(effects_of(s, bottom), EFFECT_GROUPS);
	assert_int_equal(effects_of(s, middle), EFFECT_GROUPS);
	assert_int_equal(effects_of(s, top), EFFECT_MEMBERS | EFFECT_RECORD);
	snapshot_settle(s);
	/* the cn of a group is what in_group asks for */
	PUT(s, GROUPS, "middle", "cn=middle", "cn=renamed", "member=cn=bottom");
	assert_int_equal(effects_of(s, p), EFFECT_GROUPS);
	assert_int_equal(effects_of(s, middle), EFFECT_CONTENT | EFFECT_RECORD);
	snapshot_settle(s);
	snapshot_remove(s, GROUPS, "middle");
	assert_int_equal(effects_of(s, p), EFFECT_GROUPS);
	assert_int_equal(effects_of(s, bottom), EFFECT_GROUPS);
	assert_true(effects_of(s, middle) & EFFECT_GONE);
}

/* A group and its member go, the member is back at once: it has other groups now. */
static void test_back_without_its_group(void **state)
{
	struct snapshot *s = *state;

	PUT(s, PEOPLE, "p", "uid=p", "cn=p");
	PUT(s, GROUPS, "g", "cn=g", "cn=g", "member=uid=p");
	snapshot_settle(s);
	snapshot_remove(s, PEOPLE, "p");
	snapshot_remove(s, GROUPS, "g");
	PUT(s, PEOPLE, "p", "uid=p", "cn=p");
	assert_true(effects_of(s, find(s, "p")) & EFFECT_GROUPS);
}

static void test_in_group(void **state)
{
	struct snapshot *s = *state;
	node_id p;

	PUT(s, PEOPLE, "p", "uid=p", "cn=p");
	PUT(s, PEOPLE, "q", "uid=q", "cn=dbx-person");
	PUT(s, GROUPS, "a", "cn=a", "cn=DBX-All", "member=cn=b");
	PUT(s, GROUPS, "b", "cn=b", "cn=Inner", "member=uid=p", "member=cn=a");
	p = find(s, "p");
	assert_true(snapshot_in_group(s, p, "dbx-*"));
	assert_true(snapshot_in_group(s, p, "INNER"));
	assert_false(snapshot_in_group(s, p, "p"));
	assert_false(snapshot_in_group(s, find(s, "q"), "dbx-*"));
	assert_true(snapshot_in_group(s, find(s, "a"), "dbx-*")); /* by the loop */
	assert_false(snapshot_in_group(s, NODE_NONE, "*"));
	/* the cn changes, the nesting changes */
	PUT(s, GROUPS, "a", "cn=a", "cn=other", "member=cn=b");
	assert_false(snapshot_in_group(s, p, "dbx-*"));
	PUT(s, GROUPS, "b", "cn=b", "cn=dbx-b", "member=uid=p");
	assert_true(snapshot_in_group(s, p, "dbx-*"));
	PUT(s, GROUPS, "b", "cn=b", "cn=dbx-b", NULL);
	assert_false(snapshot_in_group(s, p, "dbx-*"));
	PUT(s, GROUPS, "c", "cn=c", "cn=Dbx-C", "member=uid=p");
	assert_true(snapshot_in_group(s, p, "dbx-*"));
	snapshot_remove(s, GROUPS, "c");
	assert_false(snapshot_in_group(s, p, "dbx-*"));
	snapshot_settle(s);
	/* the number of c has another cn now */
	PUT(s, GROUPS, "d", "cn=d", "cn=no", "member=uid=p");
	assert_false(snapshot_in_group(s, p, "dbx-*"));
}

static void test_many_globs(void **state)
{
	struct snapshot *s = *state;

	PUT(s, PEOPLE, "p", "uid=p", "cn=p");
	PUT(s, GROUPS, "a", "cn=a", "cn=g7", "member=uid=p");
	for (int i = 0; i < SNAPSHOT_GLOBS_MAX + 10; i++) {
		char glob[16];

		(void)snprintf(glob, sizeof(glob), "g%d", i);
		assert_int_equal(snapshot_in_group(s, find(s, "p"), glob), i == 7);
	}
	assert_true(snapshot_in_group(s, find(s, "p"), "g7"));
}

/* ---- containers ---- */

static void test_renamed_container(void **state)
{
	struct snapshot *s = *state;

	PUT(s, CONTAINERS, "ou", "ou=people,dc=x", NULL);
	PUT(s, CONTAINERS, "sub", "ou=sub,ou=people,dc=x", NULL);
	PUT(s, PEOPLE, "a", "uid=a,ou=people,dc=x", "cn=a");
	PUT(s, PEOPLE, "b", "uid=b,ou=Sub,OU=People,dc=x", "cn=b");
	PUT(s, PEOPLE, "c", "uid=c,ou=peoples,dc=x", "cn=c");
	PUT(s, PEOPLE, "gone", "uid=gone,ou=people,dc=x", "cn=gone");
	PUT(s, OTHER_PEOPLE, "o", "uid=o,ou=people,dc=x", "cn=o");
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,ou=people,dc=x", "member=uid=new,ou=staff,dc=x",
			"member=uid=gone,ou=people,dc=x");
	snapshot_remove(s, PEOPLE, "gone");
	snapshot_settle(s);
	PUT(s, CONTAINERS, "ou", "ou=staff,dc=x", NULL);
	assert_string_equal(snapshot_dn(s, find(s, "a")), "uid=a,ou=staff,dc=x");
	assert_string_equal(snapshot_dn(s, find(s, "b")), "uid=b,ou=Sub,ou=staff,dc=x");
	assert_string_equal(snapshot_dn(s, find(s, "sub")), "ou=sub,ou=staff,dc=x");
	assert_string_equal(snapshot_dn(s, find(s, "c")), "uid=c,ou=peoples,dc=x");
	assert_string_equal(
			snapshot_dn(s, snapshot_find_anchor(s, 1, "o")), "uid=o,ou=people,dc=x");
	assert_int_equal(snapshot_find_dn(s, 0, "uid=b,ou=sub,ou=staff,dc=x"), find(s, "b"));
	assert_int_equal(snapshot_find_dn(s, 0, "uid=a,ou=people,dc=x"), NODE_NONE);
	assert_int_equal(effects_of(s, find(s, "b")), EFFECT_CONTENT | EFFECT_RECORD);
	assert_int_equal(effects_of(s, find(s, "c")), 0);
	assert_true(is_member(s, "g", "a"));
	snapshot_settle(s);
	/* stale and new values both resolve */
	PUT(s, GROUPS, "g", "cn=g", "member=uid=a,ou=people,dc=x",
			"member=uid=b,ou=sub,ou=staff,dc=x");
	assert_true(is_member(s, "g", "a"));
	assert_true(is_member(s, "g", "b"));
	/* a container in between */
	PUT(s, CONTAINERS, "sub", "ou=low,ou=staff,dc=x", NULL);
	assert_string_equal(snapshot_dn(s, find(s, "b")), "uid=b,ou=low,ou=staff,dc=x");
	assert_string_equal(snapshot_dn(s, find(s, "a")), "uid=a,ou=staff,dc=x");
	/* a value that waits for a name below */
	PUT(s, GROUPS, "h", "cn=h", "member=uid=a,ou=team,dc=x");
	PUT(s, CONTAINERS, "ou", "ou=team,dc=x", NULL);
	assert_true(is_member(s, "h", "a"));
}

/* ---- keeping ---- */

static struct snapshot *reloaded(const struct snapshot *snapshot, bool backwards)
{
	struct snapshot *to = snapshot_new(searches, SEARCH_COUNT);
	struct arena *arena = arena_new();
	node_id limit = snapshot_limit(snapshot);
	struct snapshot_record record;
	struct err err;
	size_t count;

	for (node_id i = 0; i < limit; i++) {
		node_id node = backwards ? limit - 1 - i : i;

		if (!snapshot_is_present(snapshot, node))
			continue;
		snapshot_record(snapshot, node, arena, &record);
		assert_int_equal(snapshot_load(to, &record, &err), ERR_NONE);
	}
	snapshot_load_finish(to);
	(void)snapshot_changes(to, &count);
	assert_int_equal(count, 0);
	arena_free(arena);
	return to;
}

static void test_record_and_load(void **state)
{
	static const char uuid[] = "a539482a-7bce-1041-8b42-0713d1f8a7f7";
	struct snapshot *s = *state, *t;

	PUT(s, GROUPS, "g", "cn=g", "cn=G", "member=uid=a,dc=x", "member=uid=gone,dc=x",
			"member=uid=later,dc=x", "member=cn=h", "member=nonsense");
	PUT(s, GROUPS, "h", "cn=h", "cn=H", "member=uid=a,dc=x", "member=uid=gone,dc=x");
	PUT(s, PEOPLE, uuid, "uid=a,dc=x", "cn=Ada", "mail=ada@example.org");
	PUT(s, PEOPLE, "gone", "uid=gone,dc=x", "cn=gone");
	PUT(s, STAFF, uuid, "uid=a2,dc=x", "title=x");
	snapshot_remove(s, PEOPLE, "gone");
	snapshot_settle(s);
	for (int backwards = 0; backwards < 2; backwards++) {
		t = reloaded(s, backwards);
		assert_int_equal(snapshot_count(t), 3);
		assert_true(is_member(t, "g", uuid));
		assert_true(is_member(t, "h", uuid));
		assert_true(is_member(t, "g", "h"));
		assert_int_equal(unresolved(t, "g"), 3);
		assert_int_equal(snapshot_searches(t, find(t, uuid)), 1 << PEOPLE | 1 << STAFF);
		assert_true(span_equal(value_of(t, uuid, "cn"), SPAN_LIT("Ada")));
		/* waits wait, places are kept, former names are known */
		PUT(t, PEOPLE, "later", "uid=later,dc=x", "cn=later");
		assert_true(is_member(t, "g", "later"));
		PUT(t, PEOPLE, "gone", "uid=other,dc=x", "cn=gone");
		assert_true(is_member(t, "g", "gone"));
		assert_true(is_member(t, "h", "gone"));
		PUT(t, GROUPS, "h", "cn=h", "cn=H", "member=uid=a,dc=x");
		assert_true(is_member(t, "h", uuid));
		snapshot_free(t);
	}
}

static void test_damaged_records(void **state)
{
	struct snapshot *s = *state, *t = snapshot_new(searches, SEARCH_COUNT);
	struct arena *arena = arena_new();
	struct snapshot_record good, bad;
	struct err err;

	PUT(s, PEOPLE, "a", "uid=a", "cn=a");
	PUT(s, GROUPS, "g", "cn=g", "cn=g", "member=uid=a", "member=uid=z", "member=nonsense");
	snapshot_record(s, find(s, "g"), arena, &good);
	for (size_t len = 0; len < good.attributes.len; len++) {
		bad = good;
		bad.attributes.len = len;
		assert_int_equal(snapshot_load(t, &bad, &err), ERR_STORE);
	}
	bad = good;
	bad.members.len--;
	assert_int_equal(snapshot_load(t, &bad, &err), ERR_STORE);
	bad = good;
	bad.members = SPAN_LIT("\x07\x01x");
	assert_int_equal(snapshot_load(t, &bad, &err), ERR_STORE);
	bad = good;
	bad.dn = "nonsense";
	assert_int_equal(snapshot_load(t, &bad, &err), ERR_STORE);
	bad = good;
	bad.anchor = "";
	assert_int_equal(snapshot_load(t, &bad, &err), ERR_STORE);
	bad = good;
	bad.searches = 0;
	assert_int_equal(snapshot_load(t, &bad, &err), ERR_STORE);
	bad.searches = 1 << OTHER_GROUPS;
	assert_int_equal(snapshot_load(t, &bad, &err), ERR_STORE);
	bad.searches = (uint64_t)1 << SEARCH_COUNT;
	assert_int_equal(snapshot_load(t, &bad, &err), ERR_STORE);
	assert_int_equal(snapshot_count(t), 0);
	assert_int_equal(snapshot_load(t, &good, &err), ERR_NONE);
	assert_int_equal(snapshot_load(t, &good, &err), ERR_STORE);
	/* the member's own record is missing: shown, not lost in silence */
	snapshot_load_finish(t);
	assert_int_equal(unresolved(t, "g"), 3);
	arena_free(arena);
	snapshot_free(t);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_upsert_and_find),
			TEST(test_bad_entries),
			TEST(test_limits),
			TEST(test_gone_and_back),
			TEST(test_several_searches),
			TEST(test_mentions),
			TEST(test_members_resolve),
			TEST(test_values_wait),
			TEST(test_renamed_member_stays),
			TEST(test_former_names_are_few),
			TEST(test_latest_holder_of_a_former_name),
			TEST(test_back_without_its_group),
			TEST(test_gone_member_keeps_its_place),
			TEST(test_name_is_not_inherited),
			TEST(test_dangling_value_read_anew),
			TEST(test_two_of_one_name),
			TEST(test_effects_travel),
			TEST(test_in_group),
			TEST(test_many_globs),
			TEST(test_renamed_container),
			TEST(test_record_and_load),
			TEST(test_damaged_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
