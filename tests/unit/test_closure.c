#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buf.h"
#include "directory/closure.h"

/*
 * Directories are written as "A: p1 B; B: p2". Names say what the rules make of them:
 *	p... a person   n... in the directory, but nothing is made of it   x... not in any search
 *	t... a group that is looked through   F... made, flattened   other capitals: made, kept
 */
static const struct search searches[] = {{.id = 0, .purpose = SEARCH_GROUPS}};

static enum node_role role(void *context, node_id node)
{
	const char *name = snapshot_anchor(context, node);

	switch (name[0]) {
	case 'p':
		return ROLE_PERSON;
	case 't':
		return ROLE_THROUGH;
	case 'n':
		return ROLE_NONE;
	default:
		return ROLE_MADE;
	}
}

static enum nesting nesting(void *context, node_id node)
{
	return snapshot_anchor(context, node)[0] == 'F' ? NESTING_FLATTEN : NESTING_KEEP;
}

static void put(struct snapshot *snapshot, const char *name, const char *const *members,
		size_t count)
{
	char dn[32], texts[32][32];
	struct span values[32];
	const struct attribute member = {"member", values, count};
	struct entry entry = {name, dn, &member, count ? 1 : 0};
	struct err err;

	(void)snprintf(dn, sizeof(dn), "cn=%s", name);
	for (size_t i = 0; i < count; i++)
		values[i] = (struct span){
				texts[i], (size_t)snprintf(texts[i], 32, "cn=%s", members[i])};
	assert_int_equal(snapshot_upsert(snapshot, 0, &entry, &err), ERR_NONE);
}

/* One "A: p1 B"; members that do not exist yet come first, as people. */
static void put_group(struct snapshot *snapshot, const char *text)
{
	char copy[256], *next = copy, *name, *word;
	const char *members[32];
	size_t count = 0;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	name = strsep(&next, ":");
	while (*name == ' ')
		name++;
	while ((word = strsep(&next, " "))) {
		if (!*word)
			continue;
		members[count++] = word;
		if (*word != 'x' && snapshot_find_anchor(snapshot, 0, word) == NODE_NONE)
			put(snapshot, word, NULL, 0);
	}
	put(snapshot, name, members, count);
}

static struct snapshot *read_directory(const char *text)
{
	struct snapshot *snapshot = snapshot_new(searches, 1);
	char copy[1024], *next = copy, *group;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	while ((group = strsep(&next, ";")))
		put_group(snapshot, group);
	return snapshot;
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Names, sorted, with a space behind each. */
static char *names_of(const struct snapshot *snapshot, const node_id *nodes, size_t count)
{
	const char *names[64];
	struct buf text = {.max = 1000};

	for (size_t i = 0; i < count; i++)
		names[i] = snapshot_anchor(snapshot, nodes[i]);
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s ", names[i]);
	return buf_steal(&text);
}

static char *members_of(struct closure *closure, const struct snapshot *snapshot, const char *group,
		size_t *outside)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const node_id *nodes;
	size_t count = closure_members(
			closure, snapshot_find_anchor(snapshot, 0, group), arena, &nodes, outside);

	return names_of(snapshot, nodes, count);
}

static void test_members(void **state)
{
	static const struct {
		const char *directory, *group, *members;
		size_t outside;
	} cases[] = {
			/* keep */
			{"A: p1 p2", "A", "p1 p2 ", 0},
			{"A: p1 B; B: p2", "A", "B p1 ", 0},
			{"A: p1 B; B: p2", "B", "p2 ", 0},
			{"A: p1 x1 n1 x2", "A", "p1 ", 3},
			{"A: B; B: x1 n1", "A", "B ", 0},
			{"A: ", "A", "", 0},
			/* flatten */
			{"F: p1 B; B: p2 C; C: p3", "F", "p1 p2 p3 ", 0},
			{"F: B; B: F2; F2: p1", "F", "p1 ", 0},
			{"A: F p1; F: B p2; B: p3", "A", "F p1 ", 0},
			{"F: p1 A; A: p2 B x1; B: p3 n1", "F", "p1 p2 p3 ", 2},
			/* looked through */
			{"A: t1 p1; t1: p2 B; B: p3", "A", "B p1 p2 ", 0},
			{"A: t1; t1: t2 x1; t2: p1 n1", "A", "p1 ", 2},
			{"F: t1; t1: A; A: t2; t2: p1", "F", "p1 ", 0},
			{"t1: A; A: p1", "t1", "", 0},
			/* a group that is not made is opaque */
			{"A: n1; n1: p1 B; B: p2", "A", "", 1},
			/* diamonds */
			{"A: B C; B: D; C: D; D: p1", "A", "B C ", 0},
			{"A: t1 t2; t1: t3; t2: t3; t3: p1 p2", "A", "p1 p2 ", 0},
			{"F: B C; B: D p1; C: D p1; D: p2", "F", "p1 p2 ", 0},
			/* itself */
			{"A: A p1", "A", "p1 ", 0},
			{"A: t1 p1; t1: A p2", "A", "p1 p2 ", 0},
			{"B: A p3; A: t1 p1; t1: A p2", "B", "A p3 ", 0},
			/* loops get the union, flat */
			{"A: B p1; B: A p2", "A", "p1 p2 ", 0},
			{"A: B p1; B: A p2", "B", "p1 p2 ", 0},
			{"A: B p1; B: C p2; C: A p3", "A", "p1 p2 p3 ", 0},
			{"A: B p1; B: C p2; C: A p3", "C", "p1 p2 p3 ", 0},
			{"A: B p1; B: A D p2; D: p3", "A", "p1 p2 p3 ", 0},
			{"A: B p1; B: A D p2; D: p3", "D", "p3 ", 0},
			{"A: t1 p1; t1: B; B: A p2", "A", "p1 p2 ", 0},
			{"A: t1 p1; t1: B; B: A p2", "B", "p1 p2 ", 0},
			{"A: t1; t1: t2; t2: t1 p1", "A", "p1 ", 0},
			/* above a loop nothing is special */
			{"C: A p3; A: B p1; B: A p2", "C", "A p3 ", 0},
			/* what is flattened ends a loop */
			{"A: F p1; F: A p2", "A", "F p1 ", 0},
			{"A: F p1; F: A p2", "F", "p1 p2 ", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct snapshot *snapshot = read_directory(cases[i].directory);
		struct node_roles roles = {snapshot, role, nesting};
		struct closure *closure = closure_new(snapshot, &roles);
		size_t outside;
		AUTO(mem_freep)
		char *members = members_of(closure, snapshot, cases[i].group, &outside);

		if (strcmp(members, cases[i].members) != 0 || outside != cases[i].outside)
			fail_msg("%s: %s = %s(%zu outside)", cases[i].directory, cases[i].group,
					members, outside);
		closure_free(closure);
		snapshot_free(snapshot);
	}
}

/* "G01: G02 p01; G02: G03 p02; ..." */
static struct snapshot *chain(int length)
{
	struct buf text = {.max = 10000};
	struct snapshot *snapshot;
	AUTO(mem_freep) char *copy = NULL;

	for (int i = 1; i < length; i++)
		buf_printf(&text, "G%02d: G%02d p%02d;", i, i + 1, i);
	buf_printf(&text, "G%02d: p%02d", length, length);
	copy = buf_steal(&text);
	snapshot = read_directory(copy);
	return snapshot;
}

static void test_depth(void **state)
{
	static const struct {
		const char *group, *members;
	} cases[] = {
			{"G01", "G02 p01 "},
			{"G09", "G10 p09 "},
			{"G10", "p10 p11 p12 "}, /* the last layer that fits */
			{"G11", "G12 p11 "},
			{"G12", "p12 "},
	};
	struct snapshot *snapshot = chain(12);
	struct node_roles roles = {snapshot, role, nesting};
	struct closure *closure = closure_new(snapshot, &roles);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t outside;
		AUTO(mem_freep)
		char *members = members_of(closure, snapshot, cases[i].group, &outside);

		if (strcmp(members, cases[i].members) != 0)
			fail_msg("%s = %s", cases[i].group, members);
	}
	closure_free(closure);
	snapshot_free(snapshot);
}

/* The longest way counts: G02 in G01 is in the second layer, also if it stands in the third by another way. */
static void test_depth_by_longest_way(void **state)
{
	struct snapshot *snapshot = chain(10);
	struct node_roles roles = {snapshot, role, nesting};
	struct closure *closure = closure_new(snapshot, &roles);
	size_t outside;
	char *members;

	(void)state;
	put_group(snapshot, "G01: G02 G10 p01");
	put_group(snapshot, "G10: G20 p10");
	put_group(snapshot, "G20: p20");
	put_group(snapshot, "G10: G20 p10");
	members = members_of(closure, snapshot, "G10", &outside);
	assert_string_equal(members, "p10 p20 ");
	mem_free(members);
	closure_free(closure);
	snapshot_free(snapshot);
}

/* A loop's groups keep none, so what is below them starts at the first layer. */
static void test_depth_below_a_loop(void **state)
{
	struct snapshot *snapshot = chain(11);
	struct node_roles roles = {snapshot, role, nesting};
	struct closure *closure = closure_new(snapshot, &roles);
	size_t outside;
	char *members;

	(void)state;
	put_group(snapshot, "A: B");
	put_group(snapshot, "B: A G01");
	put_group(snapshot, "A: B");
	members = members_of(closure, snapshot, "G09", &outside);
	assert_string_equal(members, "G10 p09 ");
	mem_free(members);
	members = members_of(closure, snapshot, "G10", &outside);
	assert_string_equal(members, "p10 p11 ");
	mem_free(members);
	closure_free(closure);
	snapshot_free(snapshot);
}

static void test_affected(void **state)
{
	static const struct {
		const char *directory, *change, *affected;
	} cases[] = {
			/* a person comes: the group, and flat ones above it */
			{"A: B; B: C; C: p1", "C: p1 p2", "C "},
			{"F: B; B: C; C: p1", "C: p1 p2", "C F "},
			{"F: B; B: t1; t1: t2; t2: p1", "t2: p1 p2", "B F "},
			{"A: t1; B: t1; t1: p1", "t1: ", "A B "},
			{"A: p1; B: p1", "A: p1 p3", "A "},
			/* nesting comes and goes: what is below may change its layer or leave a loop */
			{"A: p1; B: C; C: p2", "A: p1 B", "A B C "},
			{"A: B p1; B: A p2", "B: p2", "A B "},
			{"A: B; B: C; C: p1; D: p4", "C: p1 A", "A B C "},
			{"A: B; B: C; C: A p1", "C: p1", "A B C "},
			/* nothing */
			{"A: B; B: p1", "B: p1", ""},
			{"A: B; B: p1", "p1: ", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct snapshot *snapshot = read_directory(cases[i].directory);
		struct node_roles roles = {snapshot, role, nesting};
		struct closure *closure = closure_new(snapshot, &roles);
		AUTO(arena_freep) struct arena *arena = arena_new();
		AUTO(mem_freep) char *affected = NULL;
		const node_id *nodes;
		size_t count;

		(void)closure_affected(closure, NULL, 0, arena, &nodes);
		snapshot_settle(snapshot);
		put_group(snapshot, cases[i].change);
		count = closure_affected(closure, NULL, 0, arena, &nodes);
		affected = names_of(snapshot, nodes, count);
		if (strcmp(affected, cases[i].affected) != 0)
			fail_msg("%s, then %s: %s", cases[i].directory, cases[i].change, affected);
		closure_free(closure);
		snapshot_free(snapshot);
	}
}

/* Roles that follow a letter to change at will. */
struct casting {
	const struct snapshot *snapshot;
	char name;
	enum node_role role;
	enum nesting nesting;
};

static enum node_role cast_role(void *context, node_id node)
{
	struct casting *casting = context;
	const char *name = snapshot_anchor(casting->snapshot, node);

	if (name[0] == casting->name)
		return casting->role;
	return name[0] == 'p' ? ROLE_PERSON : name[0] == 't' ? ROLE_THROUGH : ROLE_MADE;
}

static enum nesting cast_nesting(void *context, node_id node)
{
	struct casting *casting = context;
	const char *name = snapshot_anchor(casting->snapshot, node);

	if (name[0] == casting->name)
		return casting->nesting;
	return name[0] == 'F' ? NESTING_FLATTEN : NESTING_KEEP;
}

static void test_affected_by_roles(void **state)
{
	static const struct {
		const char *directory;
		struct casting from, to;
		const char *changed, *affected;
	} cases[] = {
			{"A: B; B: q1; F: A", {NULL, 'q', ROLE_PERSON, 0},
					{NULL, 'q', ROLE_NONE, 0}, "q1", "B F "},
			{"A: B; B: q1; F: A", {NULL, 'q', ROLE_PERSON, 0},
					{NULL, 'q', ROLE_PERSON, 0}, "q1", ""},
			{"A: B; B: p1 C; C: p2", {NULL, 'B', ROLE_MADE, 0},
					{NULL, 'B', ROLE_THROUGH, 0}, "B", "A C "},
			{"A: B; B: p1 C; C: p2", {NULL, 'B', ROLE_NONE, 0},
					{NULL, 'B', ROLE_MADE, 0}, "B", "A B C "},
			{"A: B; B: A C; C: p1", {NULL, 'B', ROLE_MADE, NESTING_KEEP},
					{NULL, 'B', ROLE_MADE, NESTING_FLATTEN}, "B", "A B C "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct snapshot *snapshot = read_directory(cases[i].directory);
		struct casting casting = cases[i].from;
		struct node_roles roles = {&casting, cast_role, cast_nesting};
		struct closure *closure = closure_new(snapshot, &roles);
		AUTO(arena_freep) struct arena *arena = arena_new();
		AUTO(mem_freep) char *affected = NULL;
		const node_id *nodes;
		node_id changed = snapshot_find_anchor(snapshot, 0, cases[i].changed);
		size_t count;

		casting.snapshot = snapshot;
		(void)closure_affected(closure, NULL, 0, arena, &nodes);
		snapshot_settle(snapshot);
		casting = cases[i].to;
		casting.snapshot = snapshot;
		count = closure_affected(closure, &changed, 1, arena, &nodes);
		affected = names_of(snapshot, nodes, count);
		if (strcmp(affected, cases[i].affected) != 0)
			fail_msg("%s, %s: %s", cases[i].directory, cases[i].changed, affected);
		closure_free(closure);
		snapshot_free(snapshot);
	}
}

/* What one changed node makes the closure look at must not pass for known when its own turn comes. */
static void test_affected_knows_nothing_yet(void **state)
{
	struct snapshot *snapshot = read_directory("B: t1; t1: p1; A: t1");
	struct node_roles roles = {snapshot, role, nesting};
	struct closure *closure = closure_new(snapshot, &roles);
	struct arena *arena = arena_new();
	const node_id changed[] = {snapshot_find_anchor(snapshot, 0, "B"),
			snapshot_find_anchor(snapshot, 0, "t1")};
	const node_id *nodes;
	size_t count;
	char *names;

	(void)state;
	snapshot_settle(snapshot);
	count = closure_affected(closure, changed, 2, arena, &nodes);
	names = names_of(snapshot, nodes, count);
	assert_string_equal(names, "A B ");
	mem_free(names);
	arena_free(arena);
	closure_free(closure);
	snapshot_free(snapshot);
}

/* A chain longer than any stack would like. */
static void test_endless_chain(void **state)
{
	enum { LENGTH = 100000 };
	struct snapshot *snapshot = snapshot_new(searches, 1);
	struct node_roles roles = {snapshot, role, nesting};
	struct closure *closure = closure_new(snapshot, &roles);
	char name[16], below[16];
	const char *members[] = {below};
	size_t outside;
	char *last;

	(void)state;
	for (int i = LENGTH; i > 0; i--) {
		(void)snprintf(name, sizeof(name), "G%d", i);
		(void)snprintf(below, sizeof(below), i < LENGTH ? "G%d" : "p%d", i + 1);
		if (i == LENGTH)
			put(snapshot, below, NULL, 0);
		put(snapshot, name, members, 1);
	}
	last = members_of(closure, snapshot, "G100000", &outside);
	assert_string_equal(last, "p100001 ");
	mem_free(last);
	last = members_of(closure, snapshot, "G99999", &outside);
	assert_string_equal(last, "G100000 ");
	mem_free(last);
	last = members_of(closure, snapshot, "G99990", &outside);
	assert_string_equal(last, "p100001 ");
	mem_free(last);
	assert_true(snapshot_in_group(snapshot, snapshot_find_anchor(snapshot, 0, "p100001"),
				    "*") == false);
	closure_free(closure);
	snapshot_free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_members),
			cmocka_unit_test(test_depth),
			cmocka_unit_test(test_depth_by_longest_way),
			cmocka_unit_test(test_affected),
			cmocka_unit_test(test_affected_by_roles),
			cmocka_unit_test(test_depth_below_a_loop),
			cmocka_unit_test(test_affected_knows_nothing_yet),
			cmocka_unit_test(test_endless_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
