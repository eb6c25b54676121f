#include "sync/subject.h"

#include "base/table.h"
#include "base/text.h"
#include "base/vec.h"

#define ROLE_ACCOUNT_ADMIN "account_admin"

struct subject_item {
	struct subject is;
	VEC(struct wanted_grant) grants;
};

struct subjects {
	const struct settings *settings;
	struct table *by_name;
	VEC(struct subject_item *) items;
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
	item->is.kind = rule->kind;
	item->is.name = rule->name;
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

static enum err_code add_in_workspace(struct subjects *subjects, struct subject_item *item,
		const struct grant_rule *rule, unsigned target, const char *level, struct err *err)
{
	struct wanted_grant grant = {target, GRANT_ASSIGNMENT, level, rule->why};

	if (subjects->settings->has_account) {
		add_grant(item, &grant);
	} else if (text_equal(level, "ADMIN")) {
		return err_set(err, ERR_CONFIG, 0,
				"%s:%u: level ADMIN in workspace \"%s\" needs an `account:`; "
				"without one make the "
				"principal a member of the workspace's group admins by hand",
				rule->why.file, rule->why.line,
				subjects->settings->targets[target].name);
	}
	for (size_t i = 0; i < rule->entitlement_count; i++) {
		grant = (struct wanted_grant){
				target, GRANT_ENTITLEMENT, rule->entitlements[i], rule->why};
		add_grant(item, &grant);
	}
	for (size_t i = 0; i < rule->role_count; i++) {
		grant = (struct wanted_grant){target, GRANT_ROLE, rule->roles[i], rule->why};
		if (!text_equal(rule->roles[i], ROLE_ACCOUNT_ADMIN))
			add_grant(item, &grant);
	}
	return ERR_NONE;
}

static enum err_code add_account_roles(struct subjects *subjects, struct subject_item *item,
		const struct grant_rule *rule, struct err *err)
{
	for (size_t i = 0; i < rule->role_count; i++) {
		struct wanted_grant grant = {0, GRANT_ROLE, rule->roles[i], rule->why};

		if (!text_equal(rule->roles[i], ROLE_ACCOUNT_ADMIN))
			continue;
		if (!subjects->settings->has_account)
			return err_set(err, ERR_CONFIG, 0, "%s:%u: role %s needs an `account:`",
					rule->why.file, rule->why.line, ROLE_ACCOUNT_ADMIN);
		add_grant(item, &grant);
	}
	return ERR_NONE;
}

static enum err_code add_rule(
		struct subjects *subjects, const struct grant_rule *rule, struct err *err)
{
	const struct settings *settings = subjects->settings;
	struct subject_item *item = item_of(subjects, rule);

	for (unsigned target = 0; target < settings->target_count; target++) {
		const char *level = NULL;

		if (settings->targets[target].is_account)
			continue;
		for (size_t i = 0; i < rule->workspace_count; i++) {
			if (!text_matches_glob(rule->workspaces[i].glob,
					    settings->targets[target].name))
				continue;
			if (!level || text_equal(rule->workspaces[i].level, "ADMIN"))
				level = rule->workspaces[i].level;
		}
		if (level && add_in_workspace(subjects, item, rule, target, level, err) != ERR_NONE)
			return err->code;
	}
	return add_account_roles(subjects, item, rule, err);
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
		if (add_rule(subjects, &rules[i], err) != ERR_NONE) {
			subjects_free(subjects);
			return err->code;
		}
	}
	for (vec_each (&subjects->items, item)) {
		(*item)->is.grants = (*item)->grants.items;
		(*item)->is.count = (*item)->grants.count;
	}
	*ret = subjects;
	return ERR_NONE;
}

void subjects_free(struct subjects *subjects)
{
	if (!subjects)
		return;
	for (vec_each (&subjects->items, item)) {
		vec_release(&(*item)->grants);
		mem_free(*item);
	}
	vec_release(&subjects->items);
	table_free(subjects->by_name);
	mem_free(subjects);
}

const struct subject *subjects_find(
		const struct subjects *subjects, enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *key = name_key(kind, name);
	const struct subject_item *item = table_find(subjects->by_name, span_of(key));

	return item ? &item->is : NULL;
}

size_t subjects_count(const struct subjects *subjects)
{
	return subjects->items.count;
}

const struct subject *subjects_at(const struct subjects *subjects, size_t index)
{
	return &subjects->items.items[index]->is;
}
