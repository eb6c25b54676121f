#include "sync/object.h"

#include "base/digest.h"
#include "base/text.h"
#include "directory/hash_index.h"

#include <inttypes.h>

/* Indexes hold places in `all` and `foreign`: there is an object for every person. */
struct registry {
	VEC(struct object *) all;
	struct hash_index by_key;
	struct hash_index by_id;
	struct hash_index by_name; /* of ours */
	VEC(struct foreign_item *) foreign;
	struct hash_index foreign_by_name;
	struct hash_index foreign_by_external_id;
	struct hash_index foreign_by_display_name; /* service principals */
};

struct foreign_item {
	struct foreign is;
	unsigned target;
	char texts[]; /* of `is` */
};

struct registry *registry_new(void)
{
	return mem_zalloc(sizeof(struct registry));
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
	hash_index_release(&registry->by_key);
	hash_index_release(&registry->by_id);
	hash_index_release(&registry->by_name);
	hash_index_release(&registry->foreign_by_name);
	hash_index_release(&registry->foreign_by_external_id);
	hash_index_release(&registry->foreign_by_display_name);
	mem_free(registry);
}

static uint32_t hash_text(const char *text)
{
	return (uint32_t)digest_quick(span_of(text));
}

/* Databricks chooses ids, nobody else: spread is enough, no key is needed. */
static uint32_t hash_id(uint64_t id)
{
	return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

struct object *registry_find(const struct registry *registry, unsigned target, const char *key)
{
	for (hash_each(&registry->by_key, hash_text(key), it)) {
		struct object *object = registry->all.items[it.id];

		if (object->target == target && strcmp(object->key, key) == 0)
			return object;
	}
	return NULL;
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
	object->index = (uint32_t)registry->all.count;
	*vec_add(&registry->all) = object;
	hash_index_add(&registry->by_key, hash_text(key), object->index);
	return object;
}

struct object *registry_find_id(const struct registry *registry, unsigned target,
		enum principal_kind kind, uint64_t id)
{
	for (hash_each(&registry->by_id, hash_id(id), it)) {
		struct object *object = registry->all.items[it.id];

		if (object->id == id && object->target == target && object->kind == kind)
			return object;
	}
	return NULL;
}

static const char *name_of(const struct object *object)
{
	return object->fields[principal_name_field(object->kind)];
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
	for (hash_each(&registry->by_name, digest_quick_folded(name), it)) {
		struct object *object = registry->all.items[it.id];

		if (object->target == target && object->kind == kind &&
				text_equal_folded(name_of(object), name))
			return object;
	}
	return NULL;
}

size_t registry_count(const struct registry *registry)
{
	return registry->all.count;
}

struct object *registry_at(const struct registry *registry, size_t index)
{
	return registry->all.items[index];
}

static void name_leave(struct registry *registry, const struct object *object)
{
	if (name_of(object))
		hash_index_remove(&registry->by_name, digest_quick_folded(name_of(object)),
				object->index);
}

/* Of two with the same name the one that got it last is found. */
static void name_enter(struct registry *registry, const struct object *object)
{
	const struct object *former =
			registry_find_name(registry, object->target, object->kind, name_of(object));

	if (former)
		name_leave(registry, former);
	hash_index_add(&registry->by_name, digest_quick_folded(name_of(object)), object->index);
}

static void id_leave(struct registry *registry, const struct object *object)
{
	if (object->id)
		hash_index_remove(&registry->by_id, hash_id(object->id), object->index);
}

/* What was filed under one place is filed under another. */
static void move_place(struct hash_index *index, uint32_t hash, uint32_t from, uint32_t to)
{
	bool there = false;

	for (hash_each(index, hash, it))
		there = there || it.id == from;
	if (!there)
		return;
	hash_index_remove(index, hash, from);
	hash_index_add(index, hash, to);
}

void registry_drop(struct registry *registry, struct object *object)
{
	struct object *last = registry->all.items[registry->all.count - 1];
	uint32_t from = last->index, to = object->index;

	name_leave(registry, object);
	id_leave(registry, object);
	hash_index_remove(&registry->by_key, hash_text(object->key), object->index);
	registry->all.count--;
	if (last != object) {
		move_place(&registry->by_key, hash_text(last->key), from, to);
		if (last->id)
			move_place(&registry->by_id, hash_id(last->id), from, to);
		if (name_of(last))
			move_place(&registry->by_name, digest_quick_folded(name_of(last)), from,
					to);
		registry->all.items[to] = last;
		last->index = to;
	}
	object_free(object);
}

static void move_over(struct object *to, struct object *from)
{
	for (vec_each (&from->grants, grant))
		object_put_grant(to, grant);
	for (size_t i = 0; i < from->members.count; i++)
		(void)ids_add(&to->members, from->members.items[i]);
	if (from->actual_known && !to->actual_known) {
		ids_release(&to->actual);
		to->actual = from->actual;
		to->actual_known = true;
		from->actual = (struct ids){0};
	}
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

	if (former == object)
		return;
	if (former)
		take_over(registry, object, former);
	id_leave(registry, object);
	object->id = id;
	hash_index_add(&registry->by_id, hash_id(id), object->index);
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
	if (is_name && value)
		name_enter(registry, object);
}

static void foreign_enter(struct registry *registry, uint32_t place)
{
	const struct foreign *is = &registry->foreign.items[place]->is;

	hash_index_add(&registry->foreign_by_name, digest_quick_folded(is->name), place);
	if (is->external_id)
		hash_index_add(&registry->foreign_by_external_id, hash_text(is->external_id),
				place);
	if (is->kind == PRINCIPAL_SERVICE && is->display_name)
		hash_index_add(&registry->foreign_by_display_name,
				digest_quick_folded(is->display_name), place);
}

static void foreign_leave(struct registry *registry, uint32_t place)
{
	const struct foreign *is = &registry->foreign.items[place]->is;

	hash_index_remove(&registry->foreign_by_name, digest_quick_folded(is->name), place);
	if (is->external_id)
		hash_index_remove(&registry->foreign_by_external_id, hash_text(is->external_id),
				place);
	if (is->kind == PRINCIPAL_SERVICE && is->display_name)
		hash_index_remove(&registry->foreign_by_display_name,
				digest_quick_folded(is->display_name), place);
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies a text to *to, behind which the next goes. */
static const char *put_text(char **to, const char *text)
{
	size_t size = text_size(text);
	const char *copy = size ? memcpy(*to, text, size) : NULL;

	*to += size;
	return copy;
}

void registry_foreign_put(struct registry *registry, unsigned target, const struct foreign *foreign)
{
	size_t size = text_size(foreign->name) + text_size(foreign->external_id) +
			text_size(foreign->display_name) + text_size(foreign->given_name) +
			text_size(foreign->family_name);
	struct foreign_item *item = mem_zalloc(sizeof(*item) + size);
	char *to = item->texts;

	item->is = *foreign;
	item->is.name = put_text(&to, foreign->name);
	item->is.external_id = put_text(&to, foreign->external_id);
	item->is.display_name = put_text(&to, foreign->display_name);
	item->is.given_name = put_text(&to, foreign->given_name);
	item->is.family_name = put_text(&to, foreign->family_name);
	item->target = target;
	*vec_add(&registry->foreign) = item;
	foreign_enter(registry, (uint32_t)registry->foreign.count - 1);
}

/* Of several the one that was seen last. */
const struct foreign *registry_foreign_by_name(const struct registry *registry, unsigned target,
		enum principal_kind kind, const char *name)
{
	const struct foreign_item *found = NULL;
	uint32_t place = 0;

	for (hash_each(&registry->foreign_by_name, digest_quick_folded(name), it)) {
		const struct foreign_item *item = registry->foreign.items[it.id];

		if (item->target == target && item->is.kind == kind && it.id >= place &&
				text_equal_folded(item->is.name, name)) {
			found = item;
			place = it.id;
		}
	}
	return found ? &found->is : NULL;
}

const struct foreign *registry_foreign_by_external_id(const struct registry *registry,
		unsigned target, enum principal_kind kind, const char *external_id)
{
	const struct foreign_item *found = NULL;
	uint32_t place = 0;

	for (hash_each(&registry->foreign_by_external_id, hash_text(external_id), it)) {
		const struct foreign_item *item = registry->foreign.items[it.id];

		if (item->target == target && item->is.kind == kind && it.id >= place &&
				strcmp(item->is.external_id, external_id) == 0) {
			found = item;
			place = it.id;
		}
	}
	return found ? &found->is : NULL;
}

const struct foreign *registry_foreign_service(const struct registry *registry, unsigned target,
		const char *display_name, bool *ret_several)
{
	const struct foreign *found = NULL;

	*ret_several = false;
	for (hash_each(&registry->foreign_by_display_name, digest_quick_folded(display_name), it)) {
		const struct foreign_item *item = registry->foreign.items[it.id];

		if (item->target != target ||
				!text_equal_folded(item->is.display_name, display_name))
			continue;
		/* A list and a search may both have shown it. */
		*ret_several = *ret_several || (found && found->id != item->is.id);
		found = &item->is;
	}
	return found;
}

/* The last one takes the place. */
size_t registry_foreign_count(const struct registry *registry)
{
	return registry->foreign.count;
}

const struct foreign *registry_foreign_at(
		const struct registry *registry, size_t index, unsigned *ret_target)
{
	*ret_target = registry->foreign.items[index]->target;
	return &registry->foreign.items[index]->is;
}

static void foreign_drop(struct registry *registry, uint32_t place)
{
	uint32_t last = (uint32_t)registry->foreign.count - 1;

	foreign_leave(registry, place);
	mem_free(registry->foreign.items[place]);
	if (place != last) {
		foreign_leave(registry, last);
		registry->foreign.items[place] = registry->foreign.items[last];
		foreign_enter(registry, place);
	}
	registry->foreign.count--;
}

void registry_foreign_drop(
		struct registry *registry, unsigned target, enum principal_kind kind, uint64_t id)
{
	for (size_t i = registry->foreign.count; i-- > 0;) {
		const struct foreign_item *item = registry->foreign.items[i];

		if (item->target == target && item->is.kind == kind && item->is.id == id)
			foreign_drop(registry, (uint32_t)i);
	}
}

void registry_foreign_drop_target(struct registry *registry, unsigned target)
{
	size_t kept = 0;

	hash_index_release(&registry->foreign_by_name);
	hash_index_release(&registry->foreign_by_external_id);
	hash_index_release(&registry->foreign_by_display_name);
	for (size_t i = 0; i < registry->foreign.count; i++) {
		struct foreign_item *item = registry->foreign.items[i];

		if (item->target == target) {
			mem_free(item);
			continue;
		}
		registry->foreign.items[kept] = item;
		foreign_enter(registry, (uint32_t)kept++);
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

void object_unsee(struct object *object, const struct held_grant *grant)
{
	struct seen_grants *seen = object_seen(object, grant->workspace);
	bool role = grant->kind == GRANT_ROLE;
	char **texts = !seen ? NULL : role ? seen->roles : seen->entitlements;
	size_t *count = !seen ? NULL : role ? &seen->role_count : &seen->entitlement_count;

	for (size_t i = 0; texts && i < *count; i++) {
		if (!text_equal(texts[i], grant->value))
			continue;
		mem_free(texts[i]);
		texts[i] = texts[--*count];
		return;
	}
}

const char *object_name(const struct object *object)
{
	const char *name = object->fields[principal_name_field(object->kind)];

	if (!name)
		name = object->fields[FIELD_DISPLAY_NAME];
	return name ? name : object->key;
}
