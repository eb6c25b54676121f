/* rule_set_item -- what grants say of rule sets, and which items stand for them. */
#include "sync/access/rule_set_row.h"

#include "base/text.h"
#include "model/account_role.h"

#define RULE_SET_RANK 60
#define ACCOUNT_NAME "account"

struct rule_book *rule_book_new(void)
{
	return mem_zalloc(sizeof(struct rule_book));
}

void rule_book_free(struct rule_book *book)
{
	if (!book)
		return;
	vec_release(&book->wants);
	mem_free(book);
}

/* ---- items ---- */

static struct item *find_by_id(const struct access *access, const char *id)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->class == &rule_set_class && text_equal((*item)->id, id))
			return *item;
	}
	return NULL;
}

static char *key_of(enum rule_set_kind kind, const char *name)
{
	AUTO(mem_freep) char *principal = NULL;

	if (kind == RULE_SET_ACCOUNT)
		return mem_strdup("rule_set/" ACCOUNT_NAME);
	principal = access_principal_key(rule_set_principal_kind(kind), name);
	return mem_printf("rule_set/%s", principal);
}

static struct item *make_item(
		struct access *access, enum rule_set_kind kind, const char *id, const char *name)
{
	AUTO(mem_freep) char *key = key_of(kind, name);
	struct item *item = id ? find_by_id(access, id) : NULL;
	struct rule_set_item *set;

	item = item ? item : item_find(access, 0, key);
	if (item)
		return item;
	set = mem_zalloc(sizeof(*set));
	set->item.class = &rule_set_class;
	set->item.id = mem_strdup_or_null(id);
	set->of_kind = kind;
	item_add(access, &set->item, key, name);
	return &set->item;
}

struct item *rule_set_item_of_key(struct access *access, const char *id, const char *key)
{
	const char *slash = strchr(key, '/'), *name = slash ? strchr(slash + 1, '/') : NULL;

	return rule_set_item(access, id, name ? name + 1 : key);
}

struct item *rule_set_item(struct access *access, const char *id, const char *name)
{
	const char *account = access->engine->settings->targets[0].account_id;

	if (text_equal(id, account))
		return make_item(access, RULE_SET_ACCOUNT, id, ACCOUNT_NAME);
	return make_item(access, id_parse(id) ? RULE_SET_GROUP : RULE_SET_SERVICE, id, name);
}

static void mark_all(struct access *access)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->class == &rule_set_class)
			item_mark(access, *item);
	}
}

static void follow_names(struct access *access)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->class == &rule_set_class)
			rule_rows_follow_names(access, rule_set_of_item(*item));
	}
}

/* ---- rules ---- */

static void resolve(struct access *access, const struct rule_want *want)
{
	struct arena *arena = arena_new();
	const char *id = rule_set_find(access, want->of_kind, want->of_name, arena).id;
	struct item *item = make_item(access, want->of_kind, id, want->of_name);

	/* A group is called otherwise now, or spelled otherwise. */
	if (id && text_equal(item->id, id) && want->of_kind == RULE_SET_GROUP &&
			!text_equal(item->name, want->of_name))
		item_set_name(item, want->of_name);
	if (id && !item->id) {
		item->id = mem_strdup(id);
		item->observed = false;
		item_want_read(access, item);
	}
	arena_free(arena);
}

void rule_sets_resolve(struct access *access)
{
	follow_names(access);
	for (vec_each (&access->rules->wants, want))
		resolve(access, want);
}

static bool is_about(const struct rule_want *want, const struct object *object)
{
	return want->of_kind != RULE_SET_ACCOUNT &&
			rule_set_principal_kind(want->of_kind) == object->kind &&
			(text_equal_folded(want->of_name, object_name(object)) ||
					text_equal_folded(want->of_name,
							object->fields[FIELD_DISPLAY_NAME]));
}

void rule_sets_principal_changed(struct access *access, const struct object *object)
{
	if (object->kind == PRINCIPAL_USER || access->rules->wants.count == 0)
		return;
	if (object->kind == PRINCIPAL_GROUP)
		follow_names(access);
	for (vec_each (&access->rules->wants, want)) {
		if (is_about(want, object))
			resolve(access, want);
	}
	/* One that is named by its display name has its application id now. */
	if (object->kind == PRINCIPAL_SERVICE)
		mark_all(access);
}

static void add_wants(struct rule_book *book, struct rule_want want, const char *const *names,
		size_t count)
{
	for (size_t i = 0; i < count; i++) {
		want.of_name = names[i];
		*vec_add(&book->wants) = want;
	}
}

static void add_account_roles(struct rule_book *book, struct rule_want want)
{
	want.of_kind = RULE_SET_ACCOUNT;
	want.of_name = ACCOUNT_NAME;
	for (size_t i = 0; i < want.grant->role_count; i++) {
		want.role = account_rule_role(want.grant->roles[i]);
		if (want.role)
			*vec_add(&book->wants) = want;
	}
}

static void add_rule(struct rule_book *book, node_id node, const struct grant_rule *rule)
{
	struct rule_want want = {.node = node, .grant = rule};

	add_account_roles(book, want);
	want.of_kind = RULE_SET_GROUP;
	want.role = ROLE_GROUP_MANAGER;
	add_wants(book, want, rule->manages_groups, rule->manages_group_count);
	want.of_kind = RULE_SET_SERVICE;
	want.role = ROLE_SERVICE_MANAGER;
	add_wants(book, want, rule->manages_services, rule->manages_service_count);
	want.role = ROLE_SERVICE_USER;
	add_wants(book, want, rule->uses_services, rule->uses_service_count);
}

void rule_sets_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count)
{
	struct rule_book *book = access->rules;
	size_t kept = 0, before = book->wants.count;

	if (!access->engine->settings->has_account)
		return;
	for (size_t i = 0; i < before; i++) {
		if (book->wants.items[i].node != node)
			book->wants.items[kept++] = book->wants.items[i];
	}
	book->wants.count = kept;
	for (size_t i = 0; i < count; i++)
		add_rule(book, node, &rules[i]);
	if (kept == before && before == book->wants.count)
		return;
	rule_sets_resolve(access);
	mark_all(access);
}

const struct item_class rule_set_class = {
		.resource = RESOURCE_RULE_SET,
		.rank = RULE_SET_RANK,
		.plan = rule_set_plan,
		.read_next = rule_set_read_next,
		.choose = rule_set_choose,
		.write_next = rule_set_write_next,
		.settle = rule_set_settle,
		.again = rule_set_again,
		.failed = rule_set_failed,
		.shows = rule_set_shows,
		.load = rule_set_load,
		.count_ours = rule_set_count_held,
		.release = rule_set_release,
};
