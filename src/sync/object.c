#include "sync/object.h"

#include "base/buf.h"
#include "base/table.h"
#include "base/text.h"

#include <inttypes.h>

#define LOOKUP_KEY_MAX 4096

struct registry {
	VEC(struct object *) all;
	struct table *by_key;
	struct table *by_id;
	struct table *by_name; /* of ours */
	struct table *foreign_by_name;
	struct table *foreign_by_external_id;
	VEC(struct foreign_item *) foreign;
};

struct foreign_item {
	struct foreign is;
	unsigned target;
	char texts[]; /* of `is` */
};

struct registry *registry_new(void)
{
	struct registry *registry = mem_zalloc(sizeof(*registry));

	registry->by_key = table_new();
	registry->by_id = table_new();
	registry->by_name = table_new();
	registry->foreign_by_name = table_new();
	registry->foreign_by_external_id = table_new();
	return registry;
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_free(texts[i]);
	mem_free(texts);
}

static void seen_release(struct seen_grants *seen)
{
	free_texts(seen->entitlements, seen->entitlement_count);
	free_texts(seen->roles, seen->role_count);
}

/* A held grant's texts share one block, which begins with value. */
static void grant_release(const struct held_grant *grant)
{
	void *block;

	memcpy(&block, &grant->value, sizeof(block));
	mem_free(block);
}

static struct held_grant grant_copy(const struct held_grant *grant)
{
	size_t value = strlen(grant->value) + 1,
	       former = grant->former ? strlen(grant->former) + 1 : 0;
	char *block = mem_alloc(value + former);
	struct held_grant copy = *grant;

	copy.value = memcpy(block, grant->value, value);
	copy.former = former ? memcpy(block + value, grant->former, former) : NULL;
	return copy;
}

static void object_forget(struct object *object)
{
	for (vec_each (&object->grants, grant))
		grant_release(grant);
	object->grants.count = 0;
	for (vec_each (&object->seen, seen))
		seen_release(seen);
	object->seen.count = 0;
	ids_release(&object->members);
	ids_release(&object->actual);
	ids_release(&object->refused);
	object->ours = object->actual_known = object->powerful = false;
	object->left_ms = 0;
}

static void object_free(struct object *object)
{
	object_forget(object);
	vec_release(&object->grants);
	vec_release(&object->seen);
	vec_release(&object->waiters);
	for (vec_each (&object->decided, key))
		mem_free(*key);
	vec_release(&object->decided);
	for (size_t i = 0; i < FIELD_COUNT_; i++)
		mem_free(object->fields[i]);
	mem_free(object->reason);
	mem_free(object->match);
	mem_free(object->gone_dn);
	mem_free(object->key);
	mem_free(object);
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	for (vec_each (&registry->all, object))
		object_free(*object);
	for (vec_each (&registry->foreign, item))
		mem_free(*item);
	vec_release(&registry->all);
	vec_release(&registry->foreign);
	table_free(registry->by_key);
	table_free(registry->by_id);
	table_free(registry->by_name);
	table_free(registry->foreign_by_name);
	table_free(registry->foreign_by_external_id);
	mem_free(registry);
}

/* Keys of the tables: "TARGET KIND TEXT" in a buffer of the caller. */
static struct span lookup(struct buf *buf, unsigned target, int kind, const char *text)
{
	buf_reset(buf);
	buf_printf(buf, "%u %d ", target, kind);
	buf_add_text(buf, text);
	return (struct span){buf->ptr, buf->len};
}

static void *look_up(const struct table *table, unsigned target, int kind, const char *text)
{
	struct buf buf;
	void *value;

	buf_init(&buf, LOOKUP_KEY_MAX);
	value = table_find(table, lookup(&buf, target, kind, text));
	buf_release(&buf);
	return value;
}

static void enter(struct table *table, unsigned target, int kind, const char *text, void *value)
{
	struct buf buf;

	buf_init(&buf, LOOKUP_KEY_MAX);
	(void)table_put(table, lookup(&buf, target, kind, text), value);
	buf_release(&buf);
}

static void leave(struct table *table, unsigned target, int kind, const char *text)
{
	struct buf buf;

	buf_init(&buf, LOOKUP_KEY_MAX);
	(void)table_remove(table, lookup(&buf, target, kind, text));
	buf_release(&buf);
}

struct object *registry_find(const struct registry *registry, unsigned target, const char *key)
{
	return look_up(registry->by_key, target, 0, key);
}

struct object *registry_object(struct registry *registry, unsigned target, enum principal_kind kind,
		const char *key)
{
	struct object *object = registry_find(registry, target, key);

	if (object)
		return object;
	object = mem_zalloc(sizeof(*object));
	object->target = target;
	object->kind = kind;
	object->key = mem_strdup(key);
	object->node = NODE_NONE;
	object->index = registry->all.count;
	*vec_add(&registry->all) = object;
	enter(registry->by_key, target, 0, key, object);
	return object;
}

struct object *registry_find_id(const struct registry *registry, unsigned target,
		enum principal_kind kind, uint64_t id)
{
	char text[ID_TEXT_SIZE];

	return look_up(registry->by_id, target, (int)kind, id_text(id, text));
}

struct object *registry_find_member(const struct registry *registry, const struct object *group,
		bool has_account, uint64_t id)
{
	unsigned target = group->target;

	for (;; target = 0) {
		for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
			struct object *member = registry_find_id(
					registry, target, (enum principal_kind)kind, id);

			if (member)
				return member;
		}
		if (target == 0 || !has_account)
			return NULL;
	}
}

struct object *registry_find_name(const struct registry *registry, unsigned target,
		enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));

	return look_up(registry->by_name, target, (int)kind, folded);
}

size_t registry_count(const struct registry *registry)
{
	return registry->all.count;
}

struct object *registry_at(const struct registry *registry, size_t index)
{
	return registry->all.items[index];
}

static void name_leave(struct registry *registry, struct object *object)
{
	const char *name = object->fields[principal_name_field(object->kind)];
	AUTO(mem_freep) char *folded = name ? text_fold(span_of(name)) : NULL;

	if (folded &&
			look_up(registry->by_name, object->target, (int)object->kind, folded) ==
					object)
		leave(registry->by_name, object->target, (int)object->kind, folded);
}

static void id_leave(struct registry *registry, struct object *object)
{
	char text[ID_TEXT_SIZE];

	if (object->id &&
			registry_find_id(registry, object->target, object->kind, object->id) ==
					object)
		leave(registry->by_id, object->target, (int)object->kind,
				id_text(object->id, text));
}

void registry_drop(struct registry *registry, struct object *object)
{
	name_leave(registry, object);
	id_leave(registry, object);
	leave(registry->by_key, object->target, 0, object->key);
	registry->all.items[object->index] = registry->all.items[--registry->all.count];
	registry->all.items[object->index]->index = object->index;
	object_free(object);
}

static void move_over(struct object *to, struct object *from)
{
	for (vec_each (&from->grants, grant))
		object_put_grant(to, grant);
	for (size_t i = 0; i < from->members.count; i++)
		(void)ids_add(&to->members, from->members.items[i]);
	to->left_ms = from->left_ms;
}

static void take_over(struct registry *registry, struct object *to, struct object *from)
{
	char *fields[FIELD_COUNT_];

	for (size_t i = 0; i < FIELD_COUNT_; i++)
		fields[i] = mem_strdup_or_null(from->fields[i]);
	move_over(to, from);
	registry_unbind(registry, from);
	for (unsigned i = 0; i < FIELD_COUNT_; i++) {
		if (!to->fields[i] && fields[i])
			registry_set_field(registry, to, (enum field)i, fields[i]);
		mem_free(fields[i]);
	}
}

void registry_bind(struct registry *registry, struct object *object, uint64_t id)
{
	struct object *former = registry_find_id(registry, object->target, object->kind, id);
	char text[ID_TEXT_SIZE];

	if (former == object)
		return;
	if (former)
		take_over(registry, object, former);
	id_leave(registry, object);
	object->id = id;
	enter(registry->by_id, object->target, (int)object->kind, id_text(id, text), object);
}

void registry_unbind(struct registry *registry, struct object *object)
{
	id_leave(registry, object);
	name_leave(registry, object);
	object_forget(object);
	object->id = 0;
	for (size_t i = 0; i < FIELD_COUNT_; i++) {
		mem_free(object->fields[i]);
		object->fields[i] = NULL;
	}
}

void registry_set_field(struct registry *registry, struct object *object, enum field field,
		const char *value)
{
	bool is_name = field == principal_name_field(object->kind);

	if (text_equal(object->fields[field], value))
		return;
	if (is_name)
		name_leave(registry, object);
	mem_free(object->fields[field]);
	object->fields[field] = mem_strdup_or_null(value);
	if (is_name && value) {
		AUTO(mem_freep) char *folded = text_fold(span_of(value));

		enter(registry->by_name, object->target, (int)object->kind, folded, object);
	}
}

void registry_foreign_put(struct registry *registry, unsigned target, const struct foreign *foreign)
{
	size_t name = strlen(foreign->name) + 1;
	size_t external = foreign->external_id ? strlen(foreign->external_id) + 1 : 0;
	size_t display = foreign->display_name ? strlen(foreign->display_name) + 1 : 0;
	struct foreign_item *item = mem_zalloc(sizeof(*item) + name + external + display);
	AUTO(mem_freep) char *folded = text_fold(span_of(foreign->name));

	item->is = *foreign;
	item->is.name = memcpy(item->texts, foreign->name, name);
	item->is.external_id = external ? memcpy(item->texts + name, foreign->external_id, external)
					: NULL;
	item->is.display_name = display
			? memcpy(item->texts + name + external, foreign->display_name, display)
			: NULL;
	item->target = target;
	*vec_add(&registry->foreign) = item;
	enter(registry->foreign_by_name, target, (int)foreign->kind, folded, item);
	if (item->is.external_id)
		enter(registry->foreign_by_external_id, target, (int)foreign->kind,
				item->is.external_id, item);
}

const struct foreign *registry_foreign_by_name(const struct registry *registry, unsigned target,
		enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));

	return look_up(registry->foreign_by_name, target, (int)kind, folded);
}

const struct foreign *registry_foreign_by_external_id(const struct registry *registry,
		unsigned target, enum principal_kind kind, const char *external_id)
{
	return look_up(registry->foreign_by_external_id, target, (int)kind, external_id);
}

static void foreign_leave(struct registry *registry, struct foreign_item *item)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(item->is.name));

	leave(registry->foreign_by_name, item->target, (int)item->is.kind, folded);
	if (item->is.external_id)
		leave(registry->foreign_by_external_id, item->target, (int)item->is.kind,
				item->is.external_id);
	mem_free(item);
}

void registry_foreign_drop(
		struct registry *registry, unsigned target, enum principal_kind kind, uint64_t id)
{
	for (size_t i = 0; i < registry->foreign.count; i++) {
		struct foreign_item *item = registry->foreign.items[i];

		if (item->target != target || item->is.kind != kind || item->is.id != id)
			continue;
		registry->foreign.items[i--] = registry->foreign.items[--registry->foreign.count];
		foreign_leave(registry, item);
	}
}

void registry_foreign_drop_target(struct registry *registry, unsigned target)
{
	size_t kept = 0;

	for (size_t i = 0; i < registry->foreign.count; i++) {
		struct foreign_item *item = registry->foreign.items[i];

		if (item->target == target)
			foreign_leave(registry, item);
		else
			registry->foreign.items[kept++] = item;
	}
	registry->foreign.count = kept;
}

struct held_grant *object_grant(
		struct object *object, unsigned workspace, enum grant_kind kind, const char *value)
{
	for (vec_each (&object->grants, grant)) {
		if (grant->workspace == workspace && grant->kind == kind &&
				(kind == GRANT_ASSIGNMENT || text_equal(grant->value, value)))
			return grant;
	}
	return NULL;
}

void object_put_grant(struct object *object, const struct held_grant *grant)
{
	struct held_grant copy = grant_copy(grant);
	struct held_grant *place =
			object_grant(object, grant->workspace, grant->kind, grant->value);

	if (place)
		grant_release(place);
	else
		place = vec_add(&object->grants);
	*place = copy;
}

void object_drop_grant(
		struct object *object, unsigned workspace, enum grant_kind kind, const char *value)
{
	struct held_grant *grant = object_grant(object, workspace, kind, value);

	if (!grant)
		return;
	grant_release(grant);
	*grant = object->grants.items[--object->grants.count];
}

struct seen_grants *object_seen(struct object *object, unsigned workspace)
{
	for (vec_each (&object->seen, seen)) {
		if (seen->workspace == workspace)
			return seen;
	}
	return NULL;
}

static char **copy_texts(const char *const *texts, size_t count)
{
	char **copy = mem_array(count, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = mem_strdup(texts[i]);
	return copy;
}

void object_set_seen(struct object *object, unsigned workspace, const char *const *entitlements,
		size_t entitlement_count, const char *const *roles, size_t role_count)
{
	struct seen_grants *seen = object_seen(object, workspace);

	if (seen)
		seen_release(seen);
	else
		seen = vec_add(&object->seen);
	*seen = (struct seen_grants){workspace, copy_texts(entitlements, entitlement_count),
			entitlement_count, copy_texts(roles, role_count), role_count};
}

const char *object_name(const struct object *object)
{
	const char *name = object->fields[principal_name_field(object->kind)];

	if (!name)
		name = object->fields[FIELD_DISPLAY_NAME];
	return name ? name : object->key;
}
