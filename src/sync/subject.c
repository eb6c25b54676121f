#include "sync/subject.h"

#include "base/table.h"
#include "base/text.h"
#include "base/vec.h"
#include "model/account_role.h"

/* One rule about the principal, and the directory group that it was made for (NODE_NONE: the files'). */
struct rule_source {
	node_id node;
	const struct grant_rule *rule;
};

struct subject_item {
	struct subject is;
	char *name;
	VEC(struct rule_source) sources;
	VEC(struct wanted_grant) grants;
};

struct subjects {
	const struct settings *settings;
	struct table *by_name;
	VEC(struct subject_item *) items;
	VEC(size_t) by_node; /* index of the subject that the node stands for, plus 1; 0: none */
};

static char *name_key(enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));

	return mem_printf("%d %s", (int)kind, folded);
}

static struct subject_item *item_of(struct subjects *subjects, const struct grant_rule *rule)
{
	AUTO(mem_freep) char *key = name_key(rule->kind, rule->name);
	struct subject_item *item = table_find(subjects->by_name, span_of(key));

	if (item)
		return item;
	item = mem_zalloc(sizeof(*item));
	item->name = mem_strdup(rule->name);
	item->is.kind = rule->kind;
	item->is.name = item->name;
	item->is.node = NODE_NONE;
	item->is.has_named_object = true;
	item->is.index = subjects->items.count;
	(void)table_put(subjects->by_name, span_of(key), item);
	*vec_add(&subjects->items) = item;
	return item;
}

static void add_grant(struct subject_item *item, const struct wanted_grant *grant)
{
	for (vec_each (&item->grants, present)) {
		if (present->target != grant->target || present->kind != grant->kind)
			continue;
		if (grant->kind == GRANT_ASSIGNMENT) {
			if (text_equal(grant->value, "ADMIN") &&
					!text_equal(present->value, "ADMIN"))
				*present = *grant;
			return;
		}
		if (text_equal(present->value, grant->value))
			return;
	}
	*vec_add(&item->grants) = *grant;
}

static void add_in_workspace(struct subjects *subjects, struct subject_item *item,
		const struct grant_rule *rule, unsigned target, const char *level)
{
	struct wanted_grant grant = {target, GRANT_ASSIGNMENT, level, rule->why};

	if (subjects->settings->has_account)
		add_grant(item, &grant);
	for (size_t i = 0; i < rule->entitlement_count; i++) {
		grant = (struct wanted_grant){
				target, GRANT_ENTITLEMENT, rule->entitlements[i], rule->why};
		add_grant(item, &grant);
	}
	for (size_t i = 0; i < rule->role_count; i++) {
		grant = (struct wanted_grant){target, GRANT_ROLE, rule->roles[i], rule->why};
		/* Roles of the account's rule set are items (access/rule_set_item.h). */
		if (!text_equal(rule->roles[i], ROLE_ACCOUNT_ADMIN) &&
				!account_rule_role(rule->roles[i]))
			add_grant(item, &grant);
	}
}

static void add_account_roles(struct subject_item *item, const struct grant_rule *rule)
{
	for (size_t i = 0; i < rule->role_count; i++) {
		struct wanted_grant grant = {0, GRANT_ROLE, rule->roles[i], rule->why};

		if (text_equal(rule->roles[i], ROLE_ACCOUNT_ADMIN))
			add_grant(item, &grant);
	}
}

/* Of a rule's workspaces the first pattern that means the workspace counts. */
static const char *level_at(const struct grant_rule *rule, const struct target_settings *target)
{
	for (size_t i = 0; i < rule->workspace_count; i++) {
		if (target_matches(target, rule->workspaces[i].glob))
			return rule->workspaces[i].level;
	}
	return NULL;
}

static void add_rule(
		struct subjects *subjects, struct subject_item *item, const struct grant_rule *rule)
{
	const struct settings *settings = subjects->settings;

	for (unsigned target = 0; target < settings->target_count; target++) {
		const char *level = level_at(rule, &settings->targets[target]);

		if (level)
			add_in_workspace(subjects, item, rule, target, level);
	}
	add_account_roles(item, rule);
}

static void make_grants(struct subjects *subjects, struct subject_item *item)
{
	item->grants.count = 0;
	for (vec_each (&item->sources, source))
		add_rule(subjects, item, source->rule);
	item->is.grants = item->grants.items;
	item->is.count = item->grants.count;
	item->is.named = item->sources.count > 0;
	item->is.why = item->is.named ? item->sources.items[0].rule->why : (struct why){0};
}

/* Permissions and the like name a principal where they are; only what hangs on it makes it a subject. */
static bool gives_to_principal(const struct grant_rule *rule)
{
	return rule->workspace_count || rule->entitlement_count || rule->role_count;
}

static enum err_code check_rule(
		const struct subjects *subjects, const struct grant_rule *rule, struct err *err)
{
	const struct settings *settings = subjects->settings;

	for (unsigned target = 0; !settings->has_account && target < settings->target_count;
			target++) {
		if (text_equal(level_at(rule, &settings->targets[target]), "ADMIN"))
			return err_set(err, ERR_CONFIG, 0,
					"%s:%u: level ADMIN in workspace \"%s\" needs an "
					"`account:`; without one make the principal a member of "
					"the workspace's group admins by hand",
					rule->why.file, rule->why.line,
					settings->targets[target].name);
	}
	for (size_t i = 0; !settings->has_account && i < rule->role_count; i++) {
		if (text_equal(rule->roles[i], ROLE_ACCOUNT_ADMIN))
			return err_set(err, ERR_CONFIG, 0, "%s:%u: role %s needs an `account:`",
					rule->why.file, rule->why.line, ROLE_ACCOUNT_ADMIN);
	}
	return ERR_NONE;
}

static bool drop_sources(struct subject_item *item, node_id node)
{
	size_t kept = 0, count = item->sources.count;

	for (size_t i = 0; i < count; i++) {
		if (item->sources.items[i].node != node)
			item->sources.items[kept++] = item->sources.items[i];
	}
	item->sources.count = kept;
	return kept != count;
}

void subjects_set_node(struct subjects *subjects, node_id node, const struct grant_rule *rules,
		size_t count)
{
	for (vec_each (&subjects->items, item)) {
		if (drop_sources(*item, node))
			make_grants(subjects, *item);
	}
	for (size_t i = 0; i < count; i++) {
		struct subject_item *item;

		if (!gives_to_principal(&rules[i]))
			continue;
		item = item_of(subjects, &rules[i]);
		*vec_add(&item->sources) = (struct rule_source){node, &rules[i]};
		make_grants(subjects, item);
	}
}

enum err_code subjects_new(const struct config *config, struct subjects **ret, struct err *err)
{
	struct subjects *subjects = mem_zalloc(sizeof(*subjects));
	const struct grant_rule *rules;
	size_t count;

	subjects->settings = config_settings(config);
	subjects->by_name = table_new();
	rules = mapping_grants(config_mapping(config), &count);
	for (size_t i = 0; i < count; i++) {
		if (check_rule(subjects, &rules[i], err) != ERR_NONE) {
			subjects_free(subjects);
			return err->code;
		}
	}
	subjects_set_node(subjects, NODE_NONE, rules, count);
	*ret = subjects;
	return ERR_NONE;
}

void subjects_free(struct subjects *subjects)
{
	if (!subjects)
		return;
	for (vec_each (&subjects->items, item)) {
		vec_release(&(*item)->grants);
		vec_release(&(*item)->sources);
		mem_free((*item)->name);
		mem_free(*item);
	}
	vec_release(&subjects->items);
	vec_release(&subjects->by_node);
	table_free(subjects->by_name);
	mem_free(subjects);
}

const struct subject *subjects_find(
		const struct subjects *subjects, enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *key = name_key(kind, name);
	const struct subject_item *item = table_find(subjects->by_name, span_of(key));

	return item && item->is.named ? &item->is : NULL;
}

size_t subjects_count(const struct subjects *subjects)
{
	return subjects->items.count;
}

const struct subject *subjects_at(const struct subjects *subjects, size_t index)
{
	return &subjects->items.items[index]->is;
}

void subjects_note_object(struct subjects *subjects, size_t index, bool has_named_object)
{
	subjects->items.items[index]->is.has_named_object = has_named_object;
}

const struct subject *subjects_stand_for(
		struct subjects *subjects, node_id node, const struct subject *subject)
{
	struct subject_item *item = subject ? subjects->items.items[subject->index] : NULL;
	struct subject_item *former;
	size_t *place;

	while (subjects->by_node.count <= node)
		*vec_add(&subjects->by_node) = 0;
	place = &subjects->by_node.items[node];
	former = *place ? subjects->items.items[*place - 1] : NULL;
	if (former && former != item && former->is.node == node)
		former->is.node = NODE_NONE;
	*place = item ? subject->index + 1 : 0;
	if (!item || item->is.node == node)
		return NULL;
	item->is.node = node;
	return &item->is;
}
