#include "sync/expansion.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "rules/evaluate.h"
#include "sync/access/item.h"

struct expanded {
	struct arena *arena; /* of the rules; NULL: none */
	const struct grant_rule *rules;
	size_t count;
	char digest[DIGEST_HEX_SIZE];
	bool failed;
	bool blind; /* one that failed gives to somebody by name, and it is not known to whom */
};

struct expansion {
	struct engine *engine;
	struct evaluator *evaluator;
	const struct grant_each *const *each;
	size_t each_count;
	VEC(struct expanded) nodes;
	size_t blind; /* nodes that are */
};

struct expansion *expansion_new(struct engine *engine)
{
	struct expansion *expansion = mem_zalloc(sizeof(*expansion));

	expansion->engine = engine;
	expansion->evaluator = evaluator_new(engine->mapping);
	expansion->each = mapping_for_each(engine->mapping, &expansion->each_count);
	return expansion;
}

void expansion_free(struct expansion *expansion)
{
	if (!expansion)
		return;
	for (vec_each (&expansion->nodes, expanded))
		arena_free(expanded->arena);
	vec_release(&expansion->nodes);
	evaluator_free(expansion->evaluator);
	mem_free(expansion);
}

bool expansion_is_unsure(const struct expansion *expansion, node_id node)
{
	return node < expansion->nodes.count && expansion->nodes.items[node].failed;
}

bool expansion_is_blind(const struct expansion *expansion)
{
	return expansion->blind > 0;
}

/* What it gave before, as far as that is known, stays. */
static void set_failed(struct expansion *expansion, node_id node, bool failed, bool blind)
{
	struct expanded *place = &expansion->nodes.items[node];

	blind = blind && place->count == 0;
	expansion->blind += blind;
	expansion->blind -= place->blind;
	place->failed = failed;
	place->blind = blind;
}

const struct grant_rule *expansion_rules(
		const struct expansion *expansion, node_id node, size_t *ret_count)
{
	*ret_count = node < expansion->nodes.count ? expansion->nodes.items[node].count : 0;
	return *ret_count ? expansion->nodes.items[node].rules : NULL;
}

/* ---- whether two expansions say the same ---- */

static void add_text_or_mark(struct digest *digest, const char *text)
{
	digest_add(digest, text ? "1" : "0", 1);
	if (text)
		digest_add_text(digest, text);
}

static void add_texts(struct digest *digest, const char *const *texts, size_t count)
{
	digest_add(digest, &count, sizeof(count));
	for (size_t i = 0; i < count; i++)
		digest_add_text(digest, texts[i]);
}

static void add_permission(
		struct digest *digest, const struct permission_rule *rule, struct arena *arena)
{
	digest_add_text(digest, selector_describe(&rule->selector, arena));
	digest_add_text(digest, rule->level);
	digest_add(digest, rule->exclusive ? "1" : "0", 1);
	add_texts(digest, rule->in, rule->in_count);
}

static void add_tokens(struct digest *digest, const struct token_rule *tokens)
{
	const struct on_behalf_rule *behalf = tokens ? tokens->on_behalf_of : NULL;

	digest_add(digest, tokens ? "1" : "0", 1);
	if (!tokens)
		return;
	digest_add(digest, tokens->use ? "1" : "0", 1);
	digest_add(digest, &tokens->max_lifetime_ms, sizeof(tokens->max_lifetime_ms));
	add_texts(digest, tokens->in, tokens->in_count);
	add_text_or_mark(digest, behalf ? behalf->write_to.text : NULL);
	if (!behalf)
		return;
	digest_add(digest, &behalf->lifetime_ms, sizeof(behalf->lifetime_ms));
	digest_add(digest, &behalf->rotate_before_ms, sizeof(behalf->rotate_before_ms));
}

static void add_rule(struct digest *digest, const struct grant_rule *rule, struct arena *arena)
{
	digest_add(digest, &rule->kind, sizeof(rule->kind));
	digest_add_text(digest, rule->name);
	for (size_t i = 0; i < rule->workspace_count; i++) {
		digest_add_text(digest, rule->workspaces[i].glob);
		digest_add_text(digest, rule->workspaces[i].level);
	}
	add_texts(digest, rule->entitlements, rule->entitlement_count);
	add_texts(digest, rule->roles, rule->role_count);
	for (size_t i = 0; i < rule->permission_count; i++)
		add_permission(digest, &rule->permissions[i], arena);
	add_tokens(digest, rule->tokens);
	add_texts(digest, rule->manages_groups, rule->manages_group_count);
	add_texts(digest, rule->manages_services, rule->manages_service_count);
	add_texts(digest, rule->uses_services, rule->uses_service_count);
}

static void set_digest(struct expanded *expanded)
{
	struct digest *digest = digest_new();

	for (size_t i = 0; i < expanded->count; i++)
		add_rule(digest, &expanded->rules[i], expanded->arena);
	digest_finish(digest, expanded->digest);
}

/* ---- expanding ---- */

static const char *display_name_of(const struct expansion *expansion, node_id node)
{
	const struct want *want = desired_want(expansion->engine->desired, node);

	if (!want || !want->identity || want->identity->kind != PRINCIPAL_GROUP ||
			(want->state != WANT_IN && want->state != WANT_UNSURE))
		return NULL;
	return want->identity->fields[FIELD_DISPLAY_NAME];
}

/* The first of its values in octet order, as expressions see it. */
static const char *cn_of(const struct expansion *expansion, node_id node, struct arena *arena)
{
	const struct attribute *attribute;
	struct entry entry;
	struct err err;

	if (snapshot_entry(expansion->engine->snapshot, node, arena, &entry, &err) != ERR_NONE)
		return NULL;
	attribute = entry_find(&entry, "cn");
	if (!attribute || attribute->count == 0)
		return NULL;
	return arena_strndup(arena, attribute->values[0].ptr, attribute->values[0].len);
}

static void evaluate(struct expansion *expansion, node_id node, struct expanded *ret)
{
	struct grant_rule *rules;
	const char *cn, *display_name;

	*ret = (struct expanded){.arena = arena_new()};
	rules = arena_alloc(ret->arena, (expansion->each_count + 1) * sizeof(*rules));
	cn = cn_of(expansion, node, ret->arena);
	display_name = arena_strdup(ret->arena, display_name_of(expansion, node));
	for (size_t i = 0; cn && i < expansion->each_count; i++) {
		struct grant_rule *rule = &rules[ret->count];
		struct err err;
		enum each_result result = evaluate_for_each(expansion->evaluator,
				expansion->each[i], cn, display_name, ret->arena, rule, &err);

		if (result == EACH_FAILED) {
			ret->failed = true;
			ret->blind = ret->blind || grant_each_names_others(expansion->each[i]);
			log_event(LOG_WARNING,
					"a rule for each group failed; the group keeps what it has",
					{"group", cn}, {"error", err.text});
		}
		if (result != EACH_MATCHED)
			continue;
		rule->why.entry = arena_strdup(
				ret->arena, snapshot_dn(expansion->engine->snapshot, node));
		ret->count++;
	}
	ret->rules = rules;
	set_digest(ret);
}

static void hand_over(struct expansion *expansion, node_id node, const struct expanded *expanded)
{
	struct engine *engine = expansion->engine;

	subjects_set_node(engine->subjects, node, expanded->rules, expanded->count);
	access_set_node_rules(engine->access, node, expanded->rules, expanded->count);
}

/* A rule may give to somebody else than the group that it is made for. */
static void mark_named(struct engine *engine, const struct grant_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		node_id node = desired_find_name(engine->desired, rules[i].kind, rules[i].name);

		if (node != NODE_NONE)
			pass_mark_node(engine, node);
		for (unsigned target = 0; target < engine->settings->target_count; target++) {
			struct object *object = registry_find_name(
					engine->registry, target, rules[i].kind, rules[i].name);

			if (object)
				pass_mark(engine, object);
		}
	}
}

static bool is_group(const struct expansion *expansion, node_id node)
{
	enum principal_kind kind = desired_kind(expansion->engine->desired, node);

	return kind == PRINCIPAL_GROUP || kind == PRINCIPAL_KIND_COUNT_;
}

static bool replace(struct expansion *expansion, node_id node, struct expanded *made)
{
	struct expanded *place = &expansion->nodes.items[node];
	struct expanded former = *place;

	if (made->count == former.count && text_equal(made->digest, former.digest)) {
		arena_free(made->arena);
		set_failed(expansion, node, false, false);
		return false;
	}
	set_failed(expansion, node, false, false);
	*place = *made;
	hand_over(expansion, node, place);
	mark_named(expansion->engine, former.rules, former.count);
	mark_named(expansion->engine, place->rules, place->count);
	arena_free(former.arena);
	return true;
}

bool expansion_update(struct expansion *expansion, node_id node, bool gone)
{
	struct expanded made = {0};
	bool changed = false;

	if (expansion->each_count == 0)
		return false;
	while (expansion->nodes.count <= node)
		*vec_add(&expansion->nodes) = (struct expanded){0};
	if (gone || !is_group(expansion, node)) {
		made.arena = arena_new();
		set_digest(&made);
		if (expansion->nodes.items[node].count)
			changed = replace(expansion, node, &made);
		else
			arena_free(made.arena);
		set_failed(expansion, node, false, false);
		return changed;
	}
	evaluate(expansion, node, &made);
	if (made.failed) {
		arena_free(made.arena);
		set_failed(expansion, node, true, made.blind);
		return false;
	}
	return replace(expansion, node, &made);
}
