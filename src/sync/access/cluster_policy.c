#include "sync/access/cluster_policy_item.h"

#include <jansson.h>

#include "base/log.h"
#include "base/text.h"
#include "rules/evaluate.h"

#define POLICY_RANK 1 /* before the access control lists on them */

static const char *const gone_words[] = {[POLICY_GONE_DEFAULT] = "",
		[POLICY_GONE_KEEP] = "keep",
		[POLICY_GONE_DELETE] = "delete"};

const char *policy_gone_word(enum policy_gone gone)
{
	return gone_words[gone];
}

enum policy_gone policy_gone_of_word(const char *word_or_null)
{
	for (unsigned i = 0; i < COUNT_OF(gone_words); i++) {
		if (text_equal(word_or_null, gone_words[i]))
			return (enum policy_gone)i;
	}
	return POLICY_GONE_DEFAULT;
}

/* ---- items ---- */

static char *key_of(const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));

	return mem_printf("%s/%s", resource_name(RESOURCE_CLUSTER_POLICY), folded);
}

static struct item *make(struct access *access, unsigned target, const char *key, const char *name)
{
	struct item *item = item_find(access, target, key);
	struct policy_item *policy;

	if (item)
		return item;
	policy = mem_zalloc(sizeof(*policy));
	policy->item.class = &cluster_policy_class;
	policy->item.target = target;
	policy->arena = arena_new();
	item_add(access, &policy->item, key, name);
	return &policy->item;
}

struct item *cluster_policy_item(struct access *access, unsigned target, const char *name)
{
	AUTO(mem_freep) char *key = key_of(name);

	return make(access, target, key, name);
}

static void policy_release(struct item *item)
{
	struct policy_item *policy = policy_of(item);

	arena_free(policy->arena);
	arena_free(policy->seen_arena);
	mem_free(policy->failure);
	mem_free(policy->held);
	mem_free(policy->held_family);
	mem_free(policy->former);
	mem_free(policy->usage);
	mem_free(policy->made_id);
}

static size_t count_held(const struct item *item)
{
	return ((const struct policy_item *)item)->held != NULL;
}

bool policy_would_stay(const struct policy_item *policy)
{
	return policy->gone == POLICY_GONE_KEEP ||
			(policy->gone == POLICY_GONE_DEFAULT && policy->former);
}

void policy_set_seen(struct policy_item *policy, const struct cluster_policy *seen_or_null)
{
	struct arena *arena = seen_or_null ? arena_new() : NULL;
	struct cluster_policy *copy = NULL;

	if (seen_or_null) {
		copy = arena_alloc(arena, sizeof(*copy));
		*copy = *seen_or_null;
		copy->id = arena_strdup(arena, copy->id);
		copy->name = arena_strdup(arena, copy->name);
		copy->description = arena_strdup(arena, copy->description);
		copy->definition = arena_strdup(arena, copy->definition);
		copy->family_id = arena_strdup(arena, copy->family_id);
		copy->family_overrides = arena_strdup(arena, copy->family_overrides);
		copy->libraries = arena_strdup(arena, copy->libraries);
		copy->auto_enforcement = arena_strdup(arena, copy->auto_enforcement);
		copy->creator = arena_strdup(arena, copy->creator);
	}
	arena_free(policy->seen_arena);
	policy->seen_arena = arena;
	policy->seen = copy;
}

/* ---- what the store keeps ---- */

/* {"gone": "delete", "family": "as written", "policy": face} */
void policy_hold(struct access *access, struct policy_item *policy)
{
	json_t *json = json_pack("{s:s, s:s*, s:s}", "gone", gone_words[policy->gone], "family",
			policy->held_family, "policy", policy->held);
	AUTO(mem_freep) char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	item_hold(access, &policy->item, "", text, policy->former);
}

void policy_drop_hold(struct access *access, struct policy_item *policy)
{
	if (policy->held)
		item_release_hold(access, &policy->item, "");
	mem_free(STEAL(policy->held));
	mem_free(STEAL(policy->held_family));
	mem_free(STEAL(policy->former));
	mem_free(STEAL(policy->item.id));
}

static void policy_load(
		struct access *access, struct item *item, const struct store_holding *holding)
{
	struct policy_item *policy = policy_of(item);
	json_t *json = json_loads(holding->value ? holding->value : "", 0, NULL);

	(void)access;
	mem_free(policy->item.id);
	policy->item.id = mem_strdup(holding->id);
	policy->gone = policy_gone_of_word(json_string_value(json_object_get(json, "gone")));
	mem_free(policy->held);
	mem_free(policy->held_family);
	mem_free(policy->former);
	policy->held = mem_strdup_or_null(json_string_value(json_object_get(json, "policy")));
	policy->held_family =
			mem_strdup_or_null(json_string_value(json_object_get(json, "family")));
	policy->former = mem_strdup_or_null(holding->former);
	if (!policy->held)
		policy->held = mem_strdup("{}");
	json_decref(json);
}

/* ---- rules ---- */

void policy_set_rule(struct access *access, struct policy_item *policy,
		const struct cluster_policy_rule *rule, const struct wanted_policy *wanted)
{
	struct arena *arena = policy->arena;

	/* `check` finds it in the workspaces of the file; this one may have been discovered since. */
	if (policy->rule && policy->rule != rule) {
		mem_free(policy->failure);
		policy->failure = mem_printf(
				"cluster policy \"%s\" in %s: two rules want it, %s:%u and %s:%u",
				wanted->name,
				access->engine->settings->targets[policy->item.target].name,
				policy->rule->why.file, policy->rule->why.line, rule->why.file,
				rule->why.line);
		return;
	}
	policy->rule = rule;
	policy->wanted = (struct wanted_policy){.name = arena_strdup(arena, wanted->name),
			.description = arena_strdup(arena, wanted->description),
			.definition = arena_strdup(arena, wanted->definition),
			.family = arena_strdup(arena, wanted->family),
			.overrides = arena_strdup(arena, wanted->overrides),
			.libraries = arena_strdup(arena, wanted->libraries),
			.max_clusters_per_user = wanted->max_clusters_per_user};
	item_set_name(&policy->item, wanted->name);
	if (policy->gone == rule->gone)
		return;
	policy->gone = rule->gone;
	if (policy->held)
		policy_hold(access, policy);
}

static void want(struct access *access, struct evaluator *evaluator,
		const struct cluster_policy_rule *rule, unsigned target)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct wanted_policy wanted;
	struct item *item;
	struct err err;
	AUTO(mem_freep) char *place = mem_printf("%s:%u", rule->why.file, rule->why.line);

	if (evaluate_cluster_policy(evaluator, rule, &access->engine->settings->targets[target],
			    arena, &wanted, &err) == ERR_NONE) {
		item = cluster_policy_item(access, target, wanted.name);
		policy_set_rule(access, policy_of(item), rule, &wanted);
		return;
	}
	/* Which policy it is about is not known: none of this workspace counts as wanted by no rule. */
	roster_at(access, target, ROSTER_POLICIES)->unsure = true;
	item = make(access, target, place, place);
	policy_of(item)->rule = rule;
	policy_of(item)->failure = mem_strdup(err.text);
}

void cluster_policy_start(struct access *access)
{
	const struct settings *settings = access->engine->settings;
	struct evaluator *evaluator;
	size_t count;
	const struct cluster_policy_rule *rules =
			mapping_cluster_policies(access->engine->mapping, &count);

	if (!count)
		return;
	evaluator = evaluator_new(access->engine->mapping);
	for (unsigned target = 0; target < settings->target_count; target++) {
		const struct target_settings *workspace = &settings->targets[target];

		for (size_t i = 0; i < count && !workspace->is_account; i++) {
			if (target_matches_any(workspace, rules[i].in, rules[i].in_count))
				want(access, evaluator, &rules[i], target);
		}
	}
	evaluator_free(evaluator);
}

const struct item_class cluster_policy_class = {
		.resource = RESOURCE_CLUSTER_POLICY,
		.rank = POLICY_RANK,
		.plan = policy_plan,
		.roster = &policy_roster,
		.choose = policy_choose,
		.write_next = policy_write_next,
		.settle = policy_settle,
		.shows = policy_shows,
		.load = policy_load,
		.count_ours = count_held,
		.release = policy_release,
};
