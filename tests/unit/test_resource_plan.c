/* What one cluster policy, IP access list or setting needs, and that nothing of others is touched. */
#include "sync/access/cluster_policy_item.h"
#include "sync/access/finder.h"
#include "sync/access/ip_list_item.h"
#include "sync/access/setting_item.h"
#include "sync/access/token_item.h"

#include "base/text.h"
#include "databricks/workspace_setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct target_settings targets[] = {{.name = "prod"}};
static struct settings settings = {
		.path = "/sample/ldap2dbx.yaml", .targets = targets, .target_count = 1};
static const struct cluster_policy_rule policy_rule = {.why = {.file = "rules.yaml", .line = 7}};
static const struct cluster_policy_rule adopting_rule = {
		.adopt = true, .why = {.file = "rules.yaml", .line = 9}};

struct world {
	struct engine engine;
	struct workspace_state workspaces[1];
	struct access *access;
	struct arena *arena;
	struct item_plan plan;
};

static int set_up(void **state)
{
	struct world *world = mem_zalloc(sizeof(*world));

	world->engine.loop = loop_new();
	world->engine.settings = &settings;
	world->engine.workspaces = world->workspaces;
	world->engine.leavers_confirmed = true;
	world->engine.guard = guard_new(&settings);
	world->engine.scratch = arena_new();
	world->workspaces[0].lists_complete = true;
	task_init(&world->engine.pass, world->engine.loop, pass_run);
	world->access = world->engine.access = access_new(&world->engine);
	world->arena = arena_new();
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	task_cancel(&world->engine.pass);
	item_plan_release(&world->plan);
	access_free(world->access);
	guard_free(world->engine.guard);
	arena_free(world->engine.scratch);
	arena_free(world->arena);
	loop_free(world->engine.loop);
	mem_free(world);
	return 0;
}

/* "create", "adopt change", "wait" (it must be read first), "quarantine", "" */
static const char *plan_of(struct world *world, struct item *item)
{
	const char *text = "";

	item_plan_release(&world->plan);
	item_make_plan(world->access, item, world->arena, &world->plan);
	if (world->plan.wants_read)
		return "wait";
	if (world->plan.quarantine)
		return "quarantine";
	for (vec_each (&world->plan.operations, op)) {
		const char *kind = operation_kind_name(op->kind);

		text = arena_printf(world->arena, "%s%s%.*s%s", text, *text ? " " : "",
				(int)strcspn(kind, "_"), kind, op->is_removal ? "!" : "");
	}
	return text;
}

/* ---- cluster policies ---- */

static struct policy_item *want_policy(struct world *world, const struct cluster_policy_rule *rule)
{
	struct policy_item *policy = policy_of(cluster_policy_item(world->access, 0, "standard"));

	policy->rule = rule;
	policy->wanted = (struct wanted_policy){.name = "standard", .definition = "{\"a\":1}"};
	policy->item.observed = true;
	return policy;
}

static void see(struct policy_item *policy, const char *definition)
{
	policy_set_seen(policy,
			&(struct cluster_policy){.id = "A1",
					.name = "standard",
					.definition = definition,
					.creator = "other@example.com"});
}

static void hold(struct policy_item *policy, bool adopted)
{
	struct arena *arena = arena_new();
	struct policy_face face;

	policy_face_of_seen(policy->seen, arena, &face);
	policy->held = policy_face_text(&face);
	policy->former = adopted ? mem_strdup("{}") : NULL;
	policy->item.id = mem_strdup(policy->seen->id);
	arena_free(arena);
}

static void test_policy_is_made_or_adopted(void **state)
{
	struct world *world = *state;
	struct policy_item *policy = want_policy(world, &policy_rule);

	policy->item.observed = false;
	assert_string_equal(plan_of(world, &policy->item), "wait");
	policy->item.observed = true;
	assert_string_equal(plan_of(world, &policy->item), "create");
	assert_string_equal(world->plan.operations.items[0].why.file, "rules.yaml");
	see(policy, "{\"a\": 1.0}");
	assert_string_equal(plan_of(world, &policy->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "`adopt: true`"));
	assert_non_null(strstr(world->plan.quarantine, "other@example.com"));
	policy->seen->creator = NULL; /* deleted since: Databricks does not name him any more */
	assert_string_equal(plan_of(world, &policy->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "was made by somebody else: "));
	policy->rule = &adopting_rule;
	assert_string_equal(plan_of(world, &policy->item), "adopt");
	see(policy, "{\"a\":2}");
	assert_string_equal(plan_of(world, &policy->item), "adopt change");
}

static void test_policy_of_ours(void **state)
{
	struct world *world = *state;
	struct policy_item *policy = want_policy(world, &policy_rule);

	see(policy, "{\"a\":1}");
	hold(policy, false);
	assert_string_equal(plan_of(world, &policy->item), "");
	/* after a clean restart what the store says is enough */
	policy->item.observed = false;
	assert_string_equal(plan_of(world, &policy->item), "");
	policy->wanted.definition = "{\"a\":3}";
	assert_string_equal(plan_of(world, &policy->item), "wait");
	policy->item.observed = true;
	assert_string_equal(plan_of(world, &policy->item), "change");
	assert_int_equal(world->plan.operations.items[0].part_count, 1);
	assert_string_equal(world->plan.operations.items[0].parts[0].before, "{\"a\":1}");
	policy_set_seen(policy, NULL);
	assert_string_equal(plan_of(world, &policy->item), "create");
}

static void test_policy_without_rule(void **state)
{
	static const struct {
		bool adopted, is_default;
		enum policy_gone gone;
		const char *plan;
	} samples[] = {
			{false, false, POLICY_GONE_DEFAULT, "remove!"},
			{true, false, POLICY_GONE_DEFAULT, "forget"},
			{false, false, POLICY_GONE_KEEP, "forget"},
			{true, false, POLICY_GONE_DELETE, "remove!"},
			{false, true, POLICY_GONE_DELETE, "forget"},
	};
	struct world *world = *state;
	struct policy_item *policy = want_policy(world, NULL);

	assert_string_equal(plan_of(world, &policy->item), "");
	assert_true(policy->item.disposable);
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		mem_free(STEAL(policy->held));
		mem_free(STEAL(policy->former));
		mem_free(STEAL(policy->item.id));
		see(policy, "{\"a\":1}");
		policy->seen->is_default = samples[i].is_default;
		hold(policy, samples[i].adopted);
		policy->gone = samples[i].gone;
		mem_replace_text(&policy->usage, "used by no cluster and no job");
		if (!text_equal(plan_of(world, &policy->item), samples[i].plan))
			fail_msg("sample %zu: not %s", i, samples[i].plan);
	}
	policy->gone = POLICY_GONE_DELETE;
	policy->seen->is_default = false;
	mem_replace_text(&policy->usage, NULL);
	assert_string_equal(plan_of(world, &policy->item), "wait"); /* who uses it is to be known */
	policy->usage = mem_strdup("used by 1 cluster (nightly) and no job");
	assert_string_equal(plan_of(world, &policy->item), "remove!");
	assert_int_equal(world->plan.operations.items[0].category, GUARD_POLICIES);
	assert_non_null(strstr(world->plan.operations.items[0].note, "nightly"));
	/* Unknown is not gone: neither when a rule failed, nor when something was not read. */
	roster_at(world->access, 0, ROSTER_POLICIES)->unsure = true;
	assert_string_equal(plan_of(world, &policy->item), "");
	roster_at(world->access, 0, ROSTER_POLICIES)->unsure = false;
	world->workspaces[0].lists_complete = false;
	assert_string_equal(plan_of(world, &policy->item), "");
}

/* We ended between the call and its answer, and the files changed meanwhile: what is there is ours, as it is there. */
static void test_policy_found_after_a_crash(void **state)
{
	struct world *world = *state;
	struct cluster_policy_rule keeping = policy_rule;
	struct policy_item *policy = want_policy(world, &keeping);
	struct operation intent;

	keeping.gone = POLICY_GONE_DELETE;
	assert_string_equal(plan_of(world, &policy->item), "create");
	intent = world->plan.operations.items[0];
	assert_false(cluster_policy_class.shows(&policy->item, &intent));
	see(policy, "{\"a\":2}");
	assert_false(cluster_policy_class.shows(
			&policy->item, &intent)); /* another's of that name */
	see(policy, "{\"a\":1}");
	assert_true(cluster_policy_class.shows(&policy->item, &intent));
	policy->wanted.definition = "{\"a\":3}";
	cluster_policy_class.settle(world->access, &policy->item, &intent);
	assert_string_equal(plan_of(world, &policy->item), "change");

	mem_free(STEAL(policy->held));
	policy->rule = NULL;
	policy->gone = POLICY_GONE_DEFAULT;
	policy->wanted = (struct wanted_policy){0};
	assert_true(cluster_policy_class.shows(&policy->item, &intent));
	cluster_policy_class.settle(world->access, &policy->item, &intent);
	assert_string_equal(policy->item.id, "A1");
	assert_int_equal(policy->gone, POLICY_GONE_DELETE);
	assert_string_equal(plan_of(world, &policy->item), "wait");
	policy->usage = mem_strdup("used by no cluster and no job");
	assert_string_equal(plan_of(world, &policy->item), "remove!");
}

static void test_policy_of_a_family(void **state)
{
	static const struct policy_family families[] = {
			{.id = "personal-vm", .name = "Personal Compute"},
			{.id = "Job Compute", .name = "personal-vm"}};
	struct world *world = *state;
	struct policy_item *policy = want_policy(world, &policy_rule);
	struct policy_list list = {.families = families, .family_count = 2, .families_read = true};
	static const struct {
		const char *named, *id;
	} samples[] = {{"personal-vm", "personal-vm"}, {"personal compute", "personal-vm"},
			{"Job Compute", "Job Compute"}, {"none", NULL}};

	roster_at(world->access, 0, ROSTER_POLICIES)->data = &list;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		struct policy_face face;
		bool found;

		policy->wanted = (struct wanted_policy){
				.name = "standard", .family = samples[i].named};
		found = policy_wanted_face(world->access, policy, world->arena, &face);
		assert_int_equal(found, samples[i].id != NULL);
		if (found)
			assert_string_equal(face.parts[POLICY_FAMILY], samples[i].id);
	}
	assert_string_equal(plan_of(world, &policy->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "\"none\""));
}

/* ---- IP access lists ---- */

static struct ip_list_item *add_list(
		struct world *world, bool block, const char *label, const struct ip_list_rule *rule)
{
	struct ip_list_item *list = ip_list_of(ip_list_item(world->access, 0, block, label));

	list->rule = rule;
	list->item.observed = true;
	if (!rule)
		return list;
	list->wanted.enabled = rule->enabled;
	list->wanted.count = ip_ranges_of(rule->addresses, rule->address_count, list->arena,
			&list->wanted.ranges, &list->wanted.unread);
	return list;
}

static void see_list(struct world *world, struct ip_list_item *list, const char *id,
		const char *address, bool held)
{
	struct ip_state state = {.enabled = true};

	state.count = ip_ranges_of(&address, 1, world->arena, &state.ranges, &state.unread);
	ip_list_set_seen(list, id, &state);
	mem_free(list->held);
	list->held = held ? mem_strdup(ip_state_text(&state, world->arena)) : NULL;
}

static const char *const office[] = {"192.0.2.0/24"};
static const char *const keep_inside[] = {"192.0.2.7"};
static const char *const keep_outside[] = {"198.51.100.7"};
static const struct ip_list_rule office_rule = {.label = "office",
		.enabled = true,
		.addresses = office,
		.address_count = 1,
		.why = {.file = "rules.yaml", .line = 5}};
static const struct ip_list_rule bad_rule = {.label = "bad",
		.block = true,
		.enabled = true,
		.addresses = office,
		.address_count = 1};

static void test_list_is_made_or_adopted(void **state)
{
	struct world *world = *state;
	struct ip_list_item *list = add_list(world, false, "office", &office_rule);

	assert_string_equal(plan_of(world, &list->item), "create");
	see_list(world, list, "L1", "192.0.2.9/24", false);
	assert_string_equal(plan_of(world, &list->item), "adopt");
	see_list(world, list, "L1", "192.0.2.0/25", false);
	assert_string_equal(plan_of(world, &list->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "192.0.2.0/25"));
	see_list(world, list, "L1", "192.0.2.0/25", true);
	assert_string_equal(plan_of(world, &list->item), "change");
	see_list(world, list, "L1", "192.0.2.0/24", true);
	assert_string_equal(plan_of(world, &list->item), "");
	list->rule = NULL;
	assert_string_equal(plan_of(world, &list->item), "remove!");
	assert_int_equal(world->plan.operations.items[0].category, GUARD_LISTS);
	ip_list_set_seen(list, NULL, &list->wanted);
	assert_string_equal(plan_of(world, &list->item), "forget");
}

/* Nothing is planned for a place after which somebody who must keep his way in would have lost it. */
static void test_nobody_is_shut_out(void **state)
{
	struct world *world = *state;
	struct ip_list_rule keeping = office_rule;
	struct ip_list_item *list = add_list(world, false, "office", &keeping);
	struct ip_list_item *other = add_list(world, false, "other", &office_rule);
	const char *const vendor[] = {"198.51.100.0/24"};
	struct ip_access_list foreign = {.id = "F",
			.label = "vendor",
			.type = IP_ACCESS_ALLOW,
			.addresses = {vendor, 1},
			.enabled = true};
	struct ip_lists lists = {&foreign, 1, NULL};

	keeping.must_keep = keep_inside;
	keeping.must_keep_count = 1;
	/* two are made, and the second one lets him in as well */
	assert_string_equal(plan_of(world, &list->item), "create");
	keeping.must_keep = keep_outside;
	assert_string_equal(plan_of(world, &list->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "198.51.100.7"));
	assert_non_null(strstr(world->plan.quarantine, "\"office\""));
	assert_string_equal(plan_of(world, &other->item), "quarantine");
	/* somebody else's list lets him in */
	roster_at(world->access, 0, ROSTER_LISTS)->data = &lists;
	assert_string_equal(plan_of(world, &list->item), "create");
	foreign.enabled = false;
	assert_string_equal(plan_of(world, &list->item), "quarantine");
	foreign.enabled = true;
	foreign.type = IP_ACCESS_BLOCK;
	assert_string_equal(plan_of(world, &list->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "BLOCK list \"vendor\""));
	assert_non_null(ip_lists_refusal(world->access, 0, world->arena));
}

/* One that is made to be off has no effect, not even for a moment. */
static void test_a_disabled_list_shuts_nobody_out(void **state)
{
	struct world *world = *state;
	struct ip_list_rule keeping = office_rule, off = bad_rule;
	struct ip_list_item *list = add_list(world, true, "bad", &off);
	struct ip_state after, empty = {.enabled = true};
	struct operation *op;

	off.enabled = false;
	keeping.must_keep = keep_inside;
	keeping.must_keep_count = 1;
	(void)add_list(world, false, "office", &keeping);
	list->wanted.enabled = false;
	assert_string_equal(plan_of(world, &list->item), "create");
	op = &world->plan.operations.items[0];
	after = ip_list_after(list, op, world->arena);
	assert_false(after.enabled);
	assert_true(ip_state_equal(&after, &list->wanted));
	/* we ended between the two calls that it takes */
	ip_list_set_seen(list, "L2", &empty);
	assert_true(ip_list_class.shows(&list->item, op));
	see_list(world, list, "L2", "192.0.2.0/24", true);
	assert_false(ip_list_class.shows(&list->item, op));
	assert_string_equal(plan_of(world, &list->item), "change");
}

static const struct ip_list_rule outside_rule = {.label = "outside",
		.enabled = true,
		.addresses = keep_outside,
		.address_count = 1,
		.must_keep = keep_outside,
		.must_keep_count = 1};

/* The first ALLOW list shuts out all others, so it lets in for a while whom the second one will. */
static void test_two_lists_over_a_bridge(void **state)
{
	struct world *world = *state;
	struct ip_list_rule keeping = office_rule;
	struct ip_list_item *first = add_list(world, false, "office", &keeping);
	struct ip_list_item *outside = add_list(world, false, "outside", &outside_rule);
	struct ip_state bridge;

	keeping.must_keep = keep_inside;
	keeping.must_keep_count = 1;
	assert_string_equal(plan_of(world, &first->item), "create change");
	assert_string_equal(world->plan.operations.items[0].parts[1].after,
			"192.0.2.0/24 198.51.100.7");
	assert_string_equal(world->plan.operations.items[1].parts[0].after, "192.0.2.0/24");
	bridge = ip_list_after(first, &world->plan.operations.items[0], world->arena);
	assert_true(ip_list_may_become(world->access, first, &bridge));
	assert_false(ip_list_may_become(world->access, first, &first->wanted));
	assert_string_equal(plan_of(world, &outside->item), "create");
	assert_false(ip_list_may_become(world->access, outside, &outside->wanted));
	/* the bridge is there */
	ip_list_set_seen(first, "L1", &bridge);
	first->held = mem_strdup("on 192.0.2.0/24 198.51.100.7");
	assert_string_equal(plan_of(world, &first->item), "change");
	assert_false(ip_list_may_become(world->access, first, &first->wanted));
	assert_true(ip_list_may_become(world->access, outside, &outside->wanted));
	/* the other list as well */
	see_list(world, outside, "L2", "198.51.100.7", true);
	assert_true(ip_list_may_become(world->access, first, &first->wanted));
}

/* A removal that the guard holds keeps its list there, and who relies on it in. */
static void test_a_held_removal_is_there_still(void **state)
{
	struct world *world = *state;
	struct ip_list_item *old = add_list(world, false, "old", NULL);
	struct ip_list_item *all = add_list(world, false, "all", NULL);
	struct ip_list_item *block = add_list(world, true, "bad", &bad_rule);

	block->rule = &outside_rule; /* only for whom it keeps */
	block->wanted.count = 0;
	block->wanted.enabled = true;
	see_list(world, block, "L3", "203.0.113.1", true);
	see_list(world, old, "L1", "198.51.100.7", true);
	see_list(world, all, "L2", "203.0.113.0/24", true);
	assert_string_equal(plan_of(world, &old->item), "remove!");
	/* without any ALLOW list he is in, but not with the other one alone */
	assert_false(ip_list_may_become(world->access, old, NULL));
	assert_true(ip_list_may_become(world->access, all, NULL));
	ip_list_set_seen(all, NULL, &all->wanted);
	assert_true(ip_list_may_become(world->access, old, NULL));
}

static void test_another_hand_on_our_list(void **state)
{
	struct world *world = *state;
	struct ip_list_item *list = add_list(world, false, "office", &office_rule);
	struct ip_state state_now;

	see_list(world, list, "L1", "192.0.2.0/24", true);
	assert_string_equal(plan_of(world, &list->item), "");
	state_now = list->seen;
	state_now.label = "renamed";
	state_now.other_type = true;
	ip_list_set_seen(list, "L1", &state_now);
	assert_string_equal(plan_of(world, &list->item), "change");
	assert_string_equal(world->plan.operations.items[0].parts[0].before, "BLOCK");
	assert_string_equal(world->plan.operations.items[0].parts[0].after, "ALLOW");
	assert_string_equal(world->plan.operations.items[0].parts[1].before, "renamed");
	assert_string_equal(world->plan.operations.items[0].parts[1].after, "office");
	assert_int_equal(world->plan.operations.items[0].part_count, 2);
	/* what we cannot read is written over, once */
	see_list(world, list, "L1", "192.0.2.0/24", true);
	state_now = list->seen;
	state_now.unread = 1;
	ip_list_set_seen(list, "L1", &state_now);
	assert_string_equal(plan_of(world, &list->item), "change");
	assert_non_null(strstr(world->plan.operations.items[0].parts[0].before, " and 1 that"));
	state_now = ip_list_after(list, &world->plan.operations.items[0], world->arena);
	ip_list_set_seen(list, "L1", &state_now);
	assert_string_equal(plan_of(world, &list->item), "");
}

/* We ended between the call and its answer, and the rule is gone: what was made is ours all the same. */
static void test_list_found_after_a_crash(void **state)
{
	struct world *world = *state;
	struct ip_list_item *list = add_list(world, false, "office", &office_rule);
	struct operation intent;

	assert_string_equal(plan_of(world, &list->item), "create");
	intent = world->plan.operations.items[0];
	list->rule = NULL;
	list->wanted = (struct ip_state){0};
	assert_false(ip_list_class.shows(&list->item, &intent));
	see_list(world, list, "L1", "192.0.2.0/25", false);
	assert_false(ip_list_class.shows(&list->item, &intent));
	see_list(world, list, "L1", "192.0.2.0/24", false);
	assert_true(ip_list_class.shows(&list->item, &intent));
	ip_list_class.settle(world->access, &list->item, &intent);
	assert_string_equal(list->item.id, "L1");
	assert_string_equal(plan_of(world, &list->item), "remove!");
}

/* In a workspace that was discovered, where `check` could not see it. */
static void test_two_rules_for_one_thing(void **state)
{
	static const struct wanted_policy wanted = {.name = "standard", .definition = "{}"};
	struct world *world = *state;
	struct policy_item *policy = policy_of(cluster_policy_item(world->access, 0, "standard"));
	struct ip_list_item *list = ip_list_of(ip_list_item(world->access, 0, false, "office"));
	struct ip_list_rule again = office_rule;

	policy->item.observed = list->item.observed = true;
	policy_set_rule(world->access, policy, &policy_rule, &wanted);
	ip_list_set_rule(world->access, 0, &office_rule);
	assert_string_equal(plan_of(world, &policy->item), "create");
	assert_string_equal(plan_of(world, &list->item), "create");
	policy_set_rule(world->access, policy, &adopting_rule, &wanted);
	ip_list_set_rule(world->access, 0, &again);
	assert_string_equal(plan_of(world, &policy->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "two rules want it, rules.yaml:7 and "));
	assert_string_equal(plan_of(world, &list->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "two rules want it, "));
}

static void test_our_own_way_in(void **state)
{
	static const char *const egress[] = {"198.51.100.7"}, *const other[] = {"192.0.2.1"};
	struct world *world = *state;
	struct ip_list_item *list = add_list(world, false, "office", &office_rule);

	settings.egress = (struct egress_settings){egress, 1, 9};
	assert_string_equal(plan_of(world, &list->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine,
			"ldap2dbx itself comes from 198.51.100.7 (egress, "
			"/sample/ldap2dbx.yaml:9)"));
	/* a target says something else of itself */
	targets[0].egress = (struct egress_settings){other, 1, 12};
	assert_string_equal(plan_of(world, &list->item), "create");
	targets[0].egress = settings.egress = (struct egress_settings){0};
}

/* Turning the switch on waits for what the lists there are, those of others included. */
static void test_switch_knows_the_lists(void **state)
{
	static const struct setting wanted[] = {{"enableIpAccessLists", "true", 5}};
	static const char *const vendor[] = {"203.0.113.0/24"}, *const egress[] = {"198.51.100.7"};
	struct ip_access_list foreign = {.id = "F",
			.label = "vendor",
			.type = IP_ACCESS_ALLOW,
			.addresses = {vendor, 1},
			.enabled = true};
	struct ip_lists lists = {&foreign, 1, NULL};
	struct world *world = *state;
	struct item *item, *watch;

	targets[0].settings = wanted;
	targets[0].setting_count = 1;
	settings.egress = (struct egress_settings){egress, 1, 9};
	setting_start(world->access);
	targets[0].settings = NULL;
	targets[0].setting_count = 0;
	item = item_find(world->access, 0, "setting/enableIpAccessLists");
	watch = &ip_list_of(ip_list_item(world->access, 0, false, ""))->item;
	item->observed = true;
	assert_string_equal(plan_of(world, item), "");
	assert_true(world->plan.pending);
	assert_string_equal(plan_of(world, watch), "wait");
	watch->observed = true;
	assert_string_equal(plan_of(world, item), "change");
	roster_at(world->access, 0, ROSTER_LISTS)->data = &lists;
	assert_string_equal(plan_of(world, item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "(\"vendor\")"));
	assert_true(ip_lists_shut_out(world->access, 0));
	assert_false(lists_are_in_force(world->access, 0));
	settings.egress = (struct egress_settings){0};
}

static void test_too_many_addresses(void **state)
{
	struct world *world = *state;
	struct ip_list_item *list = add_list(world, false, "office", &office_rule);
	const char *many[IP_VALUES_MAX];
	struct ip_access_list foreign = {
			.id = "F", .label = "many", .type = IP_ACCESS_ALLOW, .enabled = true};
	struct ip_lists lists = {&foreign, 1, NULL};

	for (unsigned i = 0; i < IP_VALUES_MAX; i++)
		many[i] = arena_printf(world->arena, "10.0.%u.%u", i / 256, i % 256);
	foreign.addresses = (struct texts){many, IP_VALUES_MAX - 1};
	roster_at(world->access, 0, ROSTER_LISTS)->data = &lists;
	assert_string_equal(plan_of(world, &list->item), "create");
	foreign.addresses.count++;
	assert_string_equal(plan_of(world, &list->item), "quarantine");
	assert_non_null(strstr(world->plan.quarantine, "1001"));
}

/* What lets people in before what keeps them out, removals at the end. */
static void test_order_of_lists(void **state)
{
	struct world *world = *state;
	struct ip_list_item *fresh = add_list(world, false, "fresh", &office_rule);
	struct ip_list_item *block = add_list(world, true, "bad", &bad_rule);
	struct ip_list_item *grows = add_list(world, false, "grows", &office_rule);
	struct ip_list_item *narrows = add_list(world, false, "narrows", &office_rule);
	struct ip_list_item *gone = add_list(world, false, "gone", NULL);

	see_list(world, grows, "L1", "192.0.2.0/25", true);
	see_list(world, narrows, "L2", "192.0.0.0/16", true);
	see_list(world, gone, "L3", "192.0.2.0/24", true);
	assert_int_equal(ip_list_phase(fresh), ip_list_phase(grows));
	assert_true(ip_list_phase(grows) < ip_list_phase(block));
	assert_int_equal(ip_list_phase(block), ip_list_phase(narrows));
	assert_true(ip_list_phase(narrows) < ip_list_phase(gone));
	assert_false(ip_lists_are_done(world->access, 0));
}

/* ---- settings ---- */

static void test_meaning_of_settings(void **state)
{
	static const struct {
		const char *name, *before, *wanted;
		bool ours, so;
	} samples[] = {
			{"enableTokensConfig", "TRUE", "true", false, true},
			{"enableTokensConfig", "", "false", false, true},
			/* what was never set may mean anything */
			{"enableTokensConfig", NULL, "false", false, false},
			{"enableTokensConfig", NULL, "false", true, true},
			{"enableTokensConfig", NULL, "true", true, false},
			{"maxTokenLifetimeDays", "90", "90", false, true},
			{"maxTokenLifetimeDays", "90", "30", true, false},
			{"maxTokenLifetimeDays", "", "0", false, true},
			{"maxTokenLifetimeDays", "false", "0", false, false},
			{"restrict_workspace_admins", "ALLOW_ALL", "ALLOW_ALL", false, true},
			{"projectsAllowList", "a", "A", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const struct known_setting *known = setting_find_known(samples[i].name, false);

		if (setting_is_so(known, samples[i].before, samples[i].wanted, samples[i].ours) !=
				samples[i].so)
			fail_msg("sample %zu: %s", i, samples[i].name);
	}
}

/* What the configuration takes, the client can read and write. */
static void test_typed_settings_are_known_to_the_client(void **state)
{
	size_t count;
	const struct known_setting *known = settings_known(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct setting_kind *kind = setting_find(known[i].name, known[i].account);

		if (known[i].api != SETTING_TYPED)
			continue;
		if (!kind || !text_equal(kind->field, known[i].field) ||
				kind->no_etag != known[i].without_etag)
			fail_msg("%s", known[i].name);
	}
}

static void test_setting_life(void **state)
{
	static const struct setting wanted[] = {
			{"maxTokenLifetimeDays", "90", 5}, {"enableTokensConfig", "false", 6}};
	struct world *world = *state;
	struct token_item *inventory;
	struct item *lifetime, *tokens;

	targets[0].settings = wanted;
	targets[0].setting_count = 2;
	setting_start(world->access);
	targets[0].settings = NULL;
	targets[0].setting_count = 0;
	lifetime = item_find(world->access, 0, "setting/maxTokenLifetimeDays");
	tokens = item_find(world->access, 0, "setting/enableTokensConfig");
	assert_string_equal(plan_of(world, lifetime), "wait");
	lifetime->observed = tokens->observed = true;
	assert_string_equal(plan_of(world, lifetime), "change");
	assert_int_equal(world->plan.operations.items[0].why.line, 5);
	conf_setting_class.settle(world->access, lifetime, &world->plan.operations.items[0]);
	assert_string_equal(plan_of(world, lifetime), "");
	/* it stops the tokens that there are: they are to be known */
	assert_string_equal(plan_of(world, tokens), "");
	assert_true(world->plan.pending);
	inventory = (struct token_item *)tokens_item(world->access, 0);
	inventory->item.observed = true;
	for (unsigned i = 0; i < 3; i++)
		*vec_add(&inventory->rows) = (struct token_row){.expires_ms = i == 1 ? 1 : -1};
	assert_string_equal(plan_of(world, tokens), "change!");
	assert_int_equal(world->plan.operations.items[0].category, GUARD_TOKENS);
	assert_int_equal(world->plan.operations.items[0].weight, 2); /* one is past its end */
	assert_string_equal(world->plan.operations.items[0].note, "2 live tokens stop working");
	inventory->item.observed = false;
	inventory->item.tries = 1;
	assert_string_equal(plan_of(world, tokens), "change!");
	assert_true(world->plan.operations.items[0].weight > 1000);
	assert_null(setting_item(world->access, 0, "noSuchSetting"));
}

static void test_setting_that_leaves(void **state)
{
	struct world *world = *state;
	struct item *item = setting_item(world->access, 0, "maxTokenLifetimeDays");
	struct store_holding holding = {.value = "90", .former = "365"};

	conf_setting_class.load(world->access, item, &holding);
	assert_string_equal(plan_of(world, item), "forget");
	assert_non_null(strstr(world->plan.note, "stays 90 (before us it was 365)"));
	conf_setting_class.settle(world->access, item, &world->plan.operations.items[0]);
	assert_string_equal(plan_of(world, item), "");
	assert_true(item->disposable);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
			TEST(test_policy_is_made_or_adopted),
			TEST(test_policy_of_ours),
			TEST(test_policy_without_rule),
			TEST(test_policy_found_after_a_crash),
			TEST(test_policy_of_a_family),
			TEST(test_list_is_made_or_adopted),
			TEST(test_nobody_is_shut_out),
			TEST(test_a_disabled_list_shuts_nobody_out),
			TEST(test_two_lists_over_a_bridge),
			TEST(test_a_held_removal_is_there_still),
			TEST(test_another_hand_on_our_list),
			TEST(test_list_found_after_a_crash),
			TEST(test_two_rules_for_one_thing),
			TEST(test_our_own_way_in),
			TEST(test_switch_knows_the_lists),
			TEST(test_too_many_addresses),
			TEST(test_order_of_lists),
			cmocka_unit_test(test_meaning_of_settings),
			cmocka_unit_test(test_typed_settings_are_known_to_the_client),
			TEST(test_setting_life),
			TEST(test_setting_that_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
