/*
 * Random directories against a model that is too simple to be wrong: arrays, no index, nothing incremental. After each
 * batch of changes the snapshot must show what the model shows, have named every difference as an effect, and the
 * closure must have named every made group whose members differ. Seeds are fixed: a failure repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/digest.h"
#include "directory/closure.h"

enum {
	PEOPLE = 12,
	GROUPS = 14,
	CONTAINERS = 2,
	ALL = PEOPLE + GROUPS + CONTAINERS,
	LEAVES = 16,
	VALUES = 6,
	FORMERS = 4
};

static const struct search searches[] = {{.id = 0, .purpose = SEARCH_USERS},
		{.id = 1, .purpose = SEARCH_GROUPS}, {.id = 2, .purpose = SEARCH_CONTAINERS}};
static const char *const globs[] = {"cn-1*", "cn-?", "*3"};

struct thing {
	bool present;
	bool known; /* present, or gone and kept in some group */
	char dn[96];
	char cn[16];
	char formers[FORMERS][96]; /* latest first */
	unsigned former_order[FORMERS];
	unsigned former_count;
	enum { NO, MEMBER, GHOST } edge[ALL]; /* of a group, to whom */
	char waits[VALUES][96];
	unsigned wait_count;
	enum node_role role;
	enum nesting nesting;
};

/* What can be seen of a thing, to tell what changed. */
struct view {
	bool present;
	node_id node;
	char dn[96], cn[16];
	uint32_t above, direct, below; /* bit per thing */
	uint32_t above_named[3];       /* of those above, whose cn matches globs[i] */
	uint64_t record;
	bool made;
	uint32_t closed; /* closure_members */
};

struct world {
	struct thing things[ALL];
	struct view views[ALL];
	struct snapshot *snapshot;
	struct closure *closure;
	struct node_roles roles;
	unsigned former_order;
	uint64_t seed;
	node_id recast[ALL];
	size_t recast_count;
};

static uint32_t dice(struct world *world, uint32_t sides)
{
	world->seed ^= world->seed << 13;
	world->seed ^= world->seed >> 7;
	world->seed ^= world->seed << 17;
	return (uint32_t)(world->seed >> 32) % sides;
}

static bool is_group(unsigned i)
{
	return i >= PEOPLE && i < PEOPLE + GROUPS;
}

static unsigned search_of(unsigned i)
{
	return i < PEOPLE ? 0 : is_group(i) ? 1 : 2;
}

static void name_anchor(unsigned i, char ret[static 8])
{
	(void)snprintf(ret, 8, "t%02u", i);
}

static unsigned thing_of(const struct world *world, node_id node)
{
	int64_t i = strtoll(snapshot_anchor(world->snapshot, node) + 1, NULL, 10);

	return (unsigned)i;
}

/* ---- the model ---- */

static void model_remember(struct world *world, struct thing *thing)
{
	for (unsigned k = FORMERS - 1; k > 0; k--) {
		memcpy(thing->formers[k], thing->formers[k - 1], sizeof(thing->formers[k]));
		thing->former_order[k] = thing->former_order[k - 1];
	}
	memcpy(thing->formers[0], thing->dn, sizeof(thing->dn));
	thing->former_order[0] = ++world->former_order;
	thing->former_count += thing->former_count < FORMERS;
}

static void model_claim(struct world *world, unsigned i)
{
	for (unsigned g = PEOPLE; g < PEOPLE + GROUPS; g++) {
		struct thing *group = &world->things[g];

		for (unsigned k = 0; k < group->wait_count; k++) {
			if (strcmp(group->waits[k], world->things[i].dn) != 0)
				continue;
			group->edge[i] = MEMBER;
			memcpy(group->waits[k], group->waits[--group->wait_count],
					sizeof(group->waits[k]));
			break;
		}
	}
}

static void model_move_below(struct world *world, unsigned i, const char *old)
{
	char tail[100];

	(void)snprintf(tail, sizeof(tail), ",%s", old);
	for (unsigned k = 0; k < ALL; k++) {
		struct thing *thing = &world->things[k];
		size_t len = strlen(thing->dn), tail_len = strlen(tail);
		char moved[96];

		if (k == i || !thing->known || len < tail_len ||
				strcmp(thing->dn + len - tail_len, tail) != 0)
			continue;
		(void)snprintf(moved, sizeof(moved), "%.*s,%s", (int)(len - tail_len), thing->dn,
				world->things[i].dn);
		model_remember(world, thing);
		memcpy(thing->dn, moved, sizeof(moved));
		if (thing->present)
			model_claim(world, k);
	}
}

static void model_name(struct world *world, unsigned i, const char *dn)
{
	struct thing *thing = &world->things[i];
	bool was_known = thing->known, was_present = thing->present;
	bool renamed = was_known && strcmp(thing->dn, dn) != 0;
	char old[96];

	memcpy(old, thing->dn, sizeof(old));
	if (renamed)
		model_remember(world, thing);
	(void)snprintf(thing->dn, sizeof(thing->dn), "%s", dn);
	thing->known = thing->present = true;
	if (renamed || !was_present)
		model_claim(world, i);
	if (renamed)
		model_move_below(world, i, old);
	for (unsigned g = PEOPLE; g < PEOPLE + GROUPS; g++) {
		if (world->things[g].edge[i] == GHOST)
			world->things[g].edge[i] = MEMBER;
	}
}

/* Who is meant by a value of group: whoever has the name, else the member that had it last. */
static int model_resolve(const struct world *world, unsigned group, const char *value)
{
	unsigned latest = 0;
	int found = -1;

	for (unsigned i = 0; i < ALL; i++) {
		if (world->things[i].present && strcmp(world->things[i].dn, value) == 0)
			return (int)i;
	}
	for (unsigned i = 0; i < ALL; i++) {
		const struct thing *thing = &world->things[i];

		for (unsigned k = 0; k < thing->former_count; k++) {
			if (world->things[group].edge[i] == MEMBER &&
					thing->former_order[k] > latest &&
					strcmp(thing->formers[k], value) == 0) {
				found = (int)i;
				latest = thing->former_order[k];
			}
		}
	}
	return found;
}

static void model_members(struct world *world, unsigned g, char values[][96], unsigned count)
{
	struct thing *group = &world->things[g];
	int found[VALUES];

	for (unsigned k = 0; k < count; k++)
		found[k] = model_resolve(world, g, values[k]);
	memset(group->edge, 0, sizeof(group->edge));
	group->wait_count = 0;
	for (unsigned k = 0; k < count; k++) {
		bool is_double = false;

		if (found[k] >= 0) {
			group->edge[found[k]] = MEMBER;
			continue;
		}
		for (unsigned j = 0; j < group->wait_count; j++)
			is_double |= strcmp(group->waits[j], values[k]) == 0;
		if (!is_double)
			memcpy(group->waits[group->wait_count++], values[k], sizeof(values[k]));
	}
}

static void model_remove(struct world *world, unsigned i)
{
	struct thing *thing = &world->things[i];

	thing->present = false;
	memset(thing->edge, 0, sizeof(thing->edge));
	thing->wait_count = 0;
	for (unsigned g = PEOPLE; g < PEOPLE + GROUPS; g++) {
		if (world->things[g].edge[i] == MEMBER)
			world->things[g].edge[i] = GHOST;
	}
}

static void model_settle(struct world *world)
{
	for (unsigned i = 0; i < ALL; i++) {
		struct thing *thing = &world->things[i];

		thing->known = thing->present;
		for (unsigned g = PEOPLE; g < PEOPLE + GROUPS; g++)
			thing->known |= world->things[g].edge[i] == GHOST;
		if (!thing->known)
			thing->former_count = 0;
	}
}

/* ---- changes, to both ---- */

static bool same_leaf(const char *a, const char *b)
{
	size_t len = strcspn(a, ",");

	return len == strcspn(b, ",") && strncmp(a, b, len) == 0;
}

/* A name that nobody present has, wherever containers move to; small numbers, so that names come again. */
static void pick_dn(struct world *world, unsigned i, char ret[static 96])
{
	bool taken;

	do {
		unsigned c = PEOPLE + GROUPS + dice(world, CONTAINERS);
		const char *above = world->things[c].present ? world->things[c].dn : "dc=x";

		if (i >= PEOPLE + GROUPS)
			(void)snprintf(ret, 96, "ou=c%u,dc=x", dice(world, 6));
		else
			(void)snprintf(ret, 96, "uid=%u,%s", dice(world, ALL + LEAVES), above);
		taken = false;
		for (unsigned k = 0; k < ALL; k++)
			taken |= k != i && world->things[k].present &&
					same_leaf(world->things[k].dn, ret);
	} while (taken);
}

/* Present and former names of others, one's own, and names of nobody. */
static void pick_value(struct world *world, unsigned g, char ret[static 96])
{
	unsigned i = dice(world, 3) ? dice(world, ALL) : PEOPLE + (g - PEOPLE + 1) % GROUPS;
	const struct thing *thing = &world->things[i];

	if (thing->former_count > 0 && dice(world, 4) == 0)
		memcpy(ret, thing->formers[dice(world, thing->former_count)], 96);
	else if (thing->dn[0] && dice(world, 5) > 0)
		memcpy(ret, thing->dn, 96);
	else
		(void)snprintf(ret, 96, "uid=%u,dc=x", dice(world, ALL + LEAVES));
}

static void shout(struct world *world, char *text)
{
	for (; dice(world, 2) && *text; text++)
		*text = (char)(*text >= 'a' && *text <= 'z' ? *text - 32 : *text);
}

static void put(struct world *world, unsigned i, char values[][96], unsigned count)
{
	struct thing *thing = &world->things[i];
	char anchor[8], spelled[VALUES][96];
	struct span members[VALUES], cn = span_of(thing->cn);
	const struct attribute attributes[] = {{"cn", &cn, 1}, {"member", members, count}};
	struct entry entry = {anchor, thing->dn, attributes, count ? 2 : 1};
	struct err err;

	name_anchor(i, anchor);
	for (unsigned k = 0; k < count; k++) {
		memcpy(spelled[k], values[k], 96);
		shout(world, spelled[k]);
		members[k] = span_of(spelled[k]);
	}
	assert_int_equal(snapshot_upsert(world->snapshot, search_of(i), &entry, &err), ERR_NONE);
}

static void change_entry(struct world *world, unsigned i)
{
	struct thing *thing = &world->things[i];
	char dn[96], values[VALUES][96];
	unsigned count = 0;

	if (!thing->present || dice(world, 3) == 0)
		pick_dn(world, i, dn);
	else
		memcpy(dn, thing->dn, sizeof(dn));
	if (!thing->cn[0] || dice(world, 4) == 0)
		(void)snprintf(thing->cn, sizeof(thing->cn), "CN-%u", dice(world, 20));
	if (is_group(i)) {
		count = dice(world, VALUES + 1);
		for (unsigned k = 0; k < count; k++)
			pick_value(world, i, values[k]);
	}
	model_name(world, i, dn);
	if (is_group(i))
		model_members(world, i, values, count);
	put(world, i, values, count);
}

static void change(struct world *world)
{
	unsigned i = dice(world, ALL);
	char anchor[8];

	if (dice(world, 8) == 0) {
		struct thing *thing = &world->things[i];

		thing->role = is_group(i) ? (enum node_role[]){ROLE_NONE, ROLE_MADE, ROLE_MADE,
							    ROLE_MADE, ROLE_THROUGH}[dice(world, 5)]
					  : (dice(world, 4) ? ROLE_PERSON : ROLE_NONE);
		thing->nesting = dice(world, 4) ? NESTING_KEEP : NESTING_FLATTEN;
		name_anchor(i, anchor);
		if (thing->present)
			world->recast[world->recast_count++] =
					snapshot_find_anchor(world->snapshot, 0, anchor);
	} else if (world->things[i].present && dice(world, 4) == 0) {
		name_anchor(i, anchor);
		model_remove(world, i);
		snapshot_remove(world->snapshot, search_of(i), anchor);
	} else {
		change_entry(world, i);
	}
}

/* ---- what follows, the simple way ---- */

static bool is_member(const struct world *world, unsigned g, unsigned i)
{
	return is_group(g) && world->things[g].present && world->things[i].present &&
			world->things[g].edge[i] == MEMBER;
}

static uint32_t reach(const struct world *world, unsigned from, bool up)
{
	uint32_t seen = 0, before;

	do {
		before = seen;
		for (unsigned a = 0; a < ALL; a++) {
			for (unsigned b = 0; b < ALL; b++) {
				if ((a == from || seen >> a & 1) &&
						(up ? is_member(world, b, a)
						    : is_member(world, a, b)))
					seen |= (uint32_t)1 << b;
			}
		}
	} while (seen != before);
	return seen;
}

static bool is_cast(const struct world *world, unsigned i, enum node_role role)
{
	return world->things[i].present && world->things[i].role == role;
}

/* Members of g, where groups of the given roles are opened. */
static uint32_t opened(const struct world *world, unsigned g, bool open_made)
{
	uint32_t seen = 0, open = (uint32_t)1 << g, before;

	do {
		before = seen;
		for (unsigned a = 0; a < ALL; a++) {
			for (unsigned b = 0; (open >> a & 1) && b < ALL; b++) {
				if (!is_member(world, a, b))
					continue;
				seen |= (uint32_t)1 << b;
				if (is_cast(world, b, ROLE_THROUGH) ||
						(open_made && is_cast(world, b, ROLE_MADE)))
					open |= (uint32_t)1 << b;
			}
		}
	} while (seen != before);
	return seen;
}

static bool is_kept(const struct world *world, unsigned i)
{
	return is_cast(world, i, ROLE_MADE) && world->things[i].nesting == NESTING_KEEP;
}

/* below[g]: kept groups that g reaches through kept ones. */
static void find_loops(const struct world *world, uint32_t direct[ALL], bool in_loop[ALL])
{
	uint32_t below[ALL];
	bool changed = true;

	for (unsigned g = 0; g < ALL; g++)
		below[g] = direct[g] = is_kept(world, g)
				? opened(world, g, false) & ~((uint32_t)1 << g)
				: 0;
	while (changed) {
		changed = false;
		for (unsigned g = 0; g < ALL; g++) {
			for (unsigned k = 0; k < ALL; k++) {
				uint32_t more = (below[g] >> k & 1) && is_kept(world, k)
						? below[k] & ~below[g]
						: 0;

				below[g] |= more;
				changed |= more != 0;
			}
		}
	}
	for (unsigned g = 0; g < ALL; g++) {
		in_loop[g] = false;
		for (unsigned k = 0; k < ALL; k++)
			in_loop[g] |= k != g && (below[g] >> k & 1) && (below[k] >> g & 1);
	}
}

static void find_layers(const struct world *world, unsigned layers[ALL], bool in_loop[ALL])
{
	uint32_t direct[ALL];

	find_loops(world, direct, in_loop);
	for (unsigned g = 0; g < ALL; g++)
		layers[g] = 1;
	/* From the top: a round settles one layer more. */
	for (unsigned round = 0; round < ALL; round++) {
		unsigned next[ALL];

		for (unsigned g = 0; g < ALL; g++) {
			next[g] = 1;
			for (unsigned p = 0; p < ALL; p++) {
				if ((direct[p] >> g & 1) && !in_loop[p] &&
						layers[p] < CLOSURE_DEPTH_MAX &&
						layers[p] + 1 > next[g])
					next[g] = layers[p] + 1;
			}
		}
		memcpy(layers, next, sizeof(next));
	}
}

static uint32_t simple_members(const struct world *world, unsigned g)
{
	unsigned layers[ALL];
	bool in_loop[ALL], flat;
	uint32_t members, ret = 0;

	find_layers(world, layers, in_loop);
	flat = !is_kept(world, g) || in_loop[g] || layers[g] == CLOSURE_DEPTH_MAX;
	members = opened(world, g, flat) & ~((uint32_t)1 << g);
	for (unsigned i = 0; i < ALL; i++) {
		if ((members >> i & 1) &&
				(is_cast(world, i, ROLE_PERSON) ||
						(!flat && is_cast(world, i, ROLE_MADE))))
			ret |= (uint32_t)1 << i;
	}
	return ret;
}

/* ---- comparing ---- */

static uint32_t bits_of(const struct world *world, const node_id *nodes, size_t count)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || nodes[i - 1] < nodes[i]);
		bits |= (uint32_t)1 << thing_of(world, nodes[i]);
	}
	return bits;
}

static uint32_t named(const struct world *world, uint32_t things, const char *cn_glob)
{
	uint32_t ret = 0;

	for (unsigned i = 0; i < ALL; i++) {
		const char *cn = world->things[i].cn;
		size_t len = strlen(cn);
		bool matches = strcmp(cn_glob, "cn-1*") == 0   ? cn[3] == '1'
				: strcmp(cn_glob, "cn-?") == 0 ? len == 4
							       : len > 0 && cn[len - 1] == '3';

		if ((things >> i & 1) && matches)
			ret |= (uint32_t)1 << i;
	}
	return ret;
}

static uint64_t record_hash(const struct world *world, node_id node)
{
	struct arena *arena = arena_new();
	struct snapshot_record record;
	uint64_t hash;

	snapshot_record(world->snapshot, node, arena, &record);
	hash = digest_quick(record.members) * 3 + digest_quick(record.attributes) * 5 +
			digest_quick(span_of(record.dn)) * 7 + record.searches;
	arena_free(arena);
	return hash;
}

static void check_thing(const struct world *world, unsigned i, node_id node)
{
	const struct thing *thing = &world->things[i];
	uint32_t direct = 0, parents = 0;
	size_t count, ghosts = 0;

	assert_string_equal(snapshot_dn(world->snapshot, node), thing->dn);
	assert_int_equal(snapshot_find_dn(world->snapshot, 0, thing->dn), node);
	for (unsigned k = 0; k < ALL; k++) {
		direct |= is_member(world, i, k) ? (uint32_t)1 << k : 0;
		parents |= is_member(world, k, i) ? (uint32_t)1 << k : 0;
		ghosts += thing->edge[k] == GHOST;
	}
	{
		const node_id *nodes = snapshot_members(world->snapshot, node, &count);

		assert_int_equal(bits_of(world, nodes, count), direct);
		nodes = snapshot_parents(world->snapshot, node, &count);
		assert_int_equal(bits_of(world, nodes, count), parents);
	}
	(void)snapshot_unresolved(world->snapshot, node, &count);
	assert_int_equal(count, thing->wait_count + ghosts);
	for (unsigned k = 0; k < COUNT_OF(globs); k++)
		assert_int_equal(snapshot_in_group(world->snapshot, node, globs[k]),
				named(world, reach(world, i, true), globs[k]) != 0);
}

static struct view look(struct world *world, unsigned i)
{
	const struct thing *thing = &world->things[i];
	struct view view = {.present = thing->present, .node = NODE_NONE};
	struct arena *arena = arena_new();
	const node_id *nodes;
	size_t outside, count;
	char anchor[8];

	name_anchor(i, anchor);
	view.node = snapshot_find_anchor(world->snapshot, 0, anchor);
	assert_int_equal(view.node != NODE_NONE, thing->present);
	if (thing->present) {
		check_thing(world, i, view.node);
		memcpy(view.dn, thing->dn, sizeof(view.dn));
		memcpy(view.cn, thing->cn, sizeof(view.cn));
		view.above = reach(world, i, true);
		view.below = reach(world, i, false);
		for (unsigned k = 0; k < ALL; k++)
			view.direct |= is_member(world, i, k) ? (uint32_t)1 << k : 0;
		for (unsigned k = 0; k < COUNT_OF(globs); k++)
			view.above_named[k] = named(world, view.above, globs[k]);
		view.record = record_hash(world, view.node);
		view.made = is_group(i) && thing->role == ROLE_MADE;
	}
	if (view.made) {
		count = closure_members(world->closure, view.node, arena, &nodes, &outside);
		view.closed = bits_of(world, nodes, count);
		assert_int_equal(view.closed, simple_members(world, i));
	}
	arena_free(arena);
	return view;
}

static unsigned effects_of(const struct world *world, node_id node)
{
	size_t count;
	const struct snapshot_change *changes = snapshot_changes(world->snapshot, &count);

	for (size_t i = 0; i < count; i++) {
		if (changes[i].node == node)
			return changes[i].effects;
	}
	return 0;
}

static void check_effects(const struct world *world, const struct view *old, const struct view *new)
{
	unsigned effects, want = 0;

	if (!old->present && !new->present)
		return;
	effects = effects_of(world, new->present ? new->node : old->node);
	if (old->present != new->present)
		want |= new->present ? EFFECT_CONTENT | EFFECT_SEARCHES | EFFECT_RECORD
				     : EFFECT_GONE;
	if (new->present && old->present) {
		assert_false(effects & EFFECT_GONE);
		if (strcmp(old->dn, new->dn) != 0 || strcmp(old->cn, new->cn) != 0)
			want |= EFFECT_CONTENT | EFFECT_RECORD;
		if (old->above != new->above ||
				memcmp(old->above_named, new->above_named,
						sizeof(old->above_named)) != 0)
			want |= EFFECT_GROUPS;
		if (old->direct != new->direct)
			want |= EFFECT_MEMBERS | EFFECT_RECORD;
		if (old->below != new->below)
			want |= EFFECT_MEMBERS;
		if (old->record != new->record)
			want |= EFFECT_RECORD;
	}
	assert_int_equal(effects & want, want);
}

static void check_affected(
		const struct view *old, const struct view *new, uint32_t affected, unsigned i)
{
	if (new->made && (!old->made || old->closed != new->closed))
		assert_true(affected >> i & 1);
}

/* ---- the run ---- */

static enum node_role world_role(void *context, node_id node)
{
	const struct world *world = context;

	return world->things[thing_of(world, node)].role;
}

static enum nesting world_nesting(void *context, node_id node)
{
	const struct world *world = context;

	return world->things[thing_of(world, node)].nesting;
}

static void check_batch(struct world *world)
{
	struct arena *arena = arena_new();
	const node_id *nodes;
	size_t count = closure_affected(
			world->closure, world->recast, world->recast_count, arena, &nodes);
	uint32_t affected = bits_of(world, nodes, count);
	size_t present = 0;

	for (unsigned i = 0; i < ALL; i++) {
		struct view view = look(world, i);

		check_effects(world, &world->views[i], &view);
		check_affected(&world->views[i], &view, affected, i);
		world->views[i] = view;
		present += view.present;
	}
	assert_int_equal(snapshot_count(world->snapshot), present);
	arena_free(arena);
}

/* All goes through the store and back. */
static void reload(struct world *world)
{
	struct snapshot *fresh = snapshot_new(searches, COUNT_OF(searches));
	struct arena *arena = arena_new();
	struct snapshot_record record;
	const node_id *nodes;
	struct err err;

	for (node_id node = snapshot_limit(world->snapshot); node-- > 0;) {
		if (!snapshot_is_present(world->snapshot, node))
			continue;
		snapshot_record(world->snapshot, node, arena, &record);
		assert_int_equal(snapshot_load(fresh, &record, &err), ERR_NONE);
	}
	snapshot_load_finish(fresh);
	snapshot_free(world->snapshot);
	closure_free(world->closure);
	world->snapshot = fresh;
	world->closure = closure_new(fresh, &world->roles);
	(void)closure_affected(world->closure, NULL, 0, arena, &nodes);
	/* Former names of those who are only kept in a group are not stored. */
	for (unsigned i = 0; i < ALL; i++) {
		if (!world->things[i].present)
			world->things[i].former_count = 0;
	}
	for (unsigned i = 0; i < ALL; i++)
		world->views[i] = look(world, i);
	arena_free(arena);
}

static void run(uint64_t seed, unsigned batches)
{
	struct world *world = mem_zalloc(sizeof(*world));

	world->seed = seed * 0x9e3779b97f4a7c15 + 1;
	world->snapshot = snapshot_new(searches, COUNT_OF(searches));
	world->roles = (struct node_roles){world, world_role, world_nesting};
	world->closure = closure_new(world->snapshot, &world->roles);
	for (unsigned i = 0; i < ALL; i++) {
		world->things[i].role = is_group(i) ? ROLE_MADE
				: i < PEOPLE        ? ROLE_PERSON
						    : ROLE_NONE;
		world->views[i].node = NODE_NONE;
	}
	for (unsigned batch = 0; batch < batches; batch++) {
		world->recast_count = 0;
		for (uint32_t changes = 1 + dice(world, 4); changes > 0; changes--)
			change(world);
		check_batch(world);
		snapshot_settle(world->snapshot);
		model_settle(world);
		if (dice(world, 50) == 0)
			reload(world);
	}
	closure_free(world->closure);
	snapshot_free(world->snapshot);
	mem_free(world);
}

static uint64_t seeds = 8;

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= seeds; seed++)
		run(seed, 250);
}

/* Argument: how many seeds, for a longer hunt. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
