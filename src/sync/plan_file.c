#include "sync/plan_file.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

static void add_or_null(struct buf *out, const char *key, const char *text)
{
	json_add_key(out, key);
	if (text)
		json_add_text(out, text);
	else
		buf_add_text(out, "null");
}

static void add_bool(struct buf *out, const char *key, bool value)
{
	json_add_key(out, key);
	buf_add_text(out, value ? "true" : "false");
}

static void add_ref(struct buf *out, const struct principal_ref *ref)
{
	buf_add_char(out, '{');
	json_add_member(out, "key", ref->key);
	add_or_null(out, "id", ref->remote_id);
	json_add_member(out, "name", ref->name);
	buf_add_char(out, '}');
}

static void add_fields(struct buf *out, const struct operation *op, bool after)
{
	buf_add_char(out, '{');
	for (size_t i = 0; i < op->part_count; i++)
		add_or_null(out, op->parts[i].name,
				after ? op->parts[i].after : op->parts[i].before);
	if (op->resource != RESOURCE_NONE) {
		buf_add_char(out, '}');
		return;
	}
	for (size_t i = 0; i < op->field_count; i++) {
		const struct field_change *change = &op->fields[i];

		add_or_null(out, field_name(change->field), after ? change->after : change->before);
	}
	if (op->principal != PRINCIPAL_GROUP &&
			(op->kind == OP_DEACTIVATE || op->active_before != op->active_after))
		add_bool(out, "active", after ? op->active_after : op->active_before);
	/* What an assignment raises; what the end of one gives back. */
	if (op->values_before &&
			(op->kind == OP_ASSIGN ? !after : after && op->kind == OP_UNASSIGN))
		json_add_member(out, "level", op->values_before[0]);
	buf_add_char(out, '}');
}

/* Of an access control list: who, and what he has after and before. */
static void add_permission(struct buf *out, const struct operation *op, size_t at)
{
	buf_add_char(out, '{');
	json_add_member(out, "key", op->members[at].key);
	json_add_member(out, "name", op->members[at].name);
	json_add_member(out, "level", op->values[at]);
	json_add_member(out, "former", op->values_before ? op->values_before[at] : NULL);
	buf_add_char(out, '}');
}

static void add_lists(struct buf *out, const struct operation *op)
{
	json_add_key(out, "members");
	buf_add_char(out, '[');
	for (size_t i = 0; i < op->member_count; i++) {
		json_add_comma(out);
		if (operation_sets_permissions(op))
			add_permission(out, op, i);
		else
			add_ref(out, &op->members[i]);
	}
	buf_add_char(out, ']');
	if (op->resource != RESOURCE_NONE)
		return;
	json_add_key(out, "values");
	buf_add_char(out, '[');
	for (size_t i = 0; i < op->value_count; i++) {
		json_add_comma(out);
		json_add_text(out, op->values[i]);
	}
	buf_add_char(out, ']');
}

void operation_add_json(
		struct buf *out, const struct operation *op, const struct settings *settings)
{
	json_add_member(out, "id", op->id);
	json_add_member(out, "op", operation_kind_name(op->kind));
	json_add_member(out, "kind", operation_subject(op));
	if (op->resource != RESOURCE_NONE)
		json_add_member(out, "resource", resource_name(op->resource));
	json_add_member(out, "target", settings->targets[op->target].name);
	json_add_key(out, "object");
	add_ref(out, &op->object);
	json_add_key(out, "before");
	add_fields(out, op, false);
	json_add_key(out, "after");
	add_fields(out, op, true);
	add_lists(out, op);
	add_bool(out, "adopts", op->adopts);
	add_bool(out, "removal", op->is_removal);
	if (op->weight > 1) {
		json_add_key(out, "weight");
		json_add_number(out, op->weight);
	}
	add_or_null(out, "follows", op->follows_leaver);
	add_or_null(out, "held", op->held_by);
	json_add_key(out, "why");
	buf_add_char(out, '{');
	add_or_null(out, "file", op->why.file);
	json_add_key(out, "line");
	json_add_number(out, op->why.line);
	add_or_null(out, "entry", op->why.entry);
	buf_add_text(out, "}");
	if (op->note)
		json_add_member(out, "note", op->note);
}

char *operation_text(const struct operation *op, const struct settings *settings)
{
	struct buf out;

	buf_init(&out, PLAN_FILE_BYTES_MAX);
	buf_add_char(&out, '{');
	operation_add_json(&out, op, settings);
	buf_add_char(&out, '}');
	return buf_steal(&out);
}

json_t *operation_to_json(const struct operation *op, const struct settings *settings)
{
	AUTO(mem_freep) char *text = operation_text(op, settings);

	return json_loads(text, 0, NULL);
}

json_t *plan_to_json(const struct plan *plan, const struct settings *settings)
{
	json_t *operations = json_array(), *notes = json_array();
	char created[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(
				operations, operation_to_json(&plan->operations[i], settings));
	for (size_t i = 0; i < plan->note_count; i++)
		json_array_append_new(notes, json_string(plan->notes[i].text));
	clock_format(clock_wall_ms(), created);
	return json_pack("{s:i, s:s, s:s, s:b, s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:o}", "version",
			PLAN_FILE_VERSION, "created", created, "config_hash", settings->digest,
			"complete", plan->complete, "summary", "add", (json_int_t)plan->summary.add,
			"change", (json_int_t)plan->summary.change, "remove",
			(json_int_t)plan->summary.remove, "adopt", (json_int_t)plan->summary.adopt,
			"held", (json_int_t)plan->summary.held, "operations", operations, "notes",
			notes);
}

/* ---- reading ---- */

static const char *get_text(const json_t *json, const char *key, struct arena *arena)
{
	return arena_strdup(arena, json_string_value(json_object_get(json, key)));
}

static bool find_target(const struct settings *settings, const char *name, unsigned *ret)
{
	for (unsigned i = 0; name && i < settings->target_count; i++) {
		if (text_equal(settings->targets[i].name, name)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool find_kind(const char *name, enum principal_kind *ret)
{
	for (unsigned kind = 0; name && kind < PRINCIPAL_KIND_COUNT_; kind++) {
		if (text_equal(principal_kind_name((enum principal_kind)kind), name)) {
			*ret = (enum principal_kind)kind;
			return true;
		}
	}
	return false;
}

static bool read_ref(const json_t *json, struct arena *arena, struct principal_ref *ret)
{
	*ret = (struct principal_ref){get_text(json, "key", arena), get_text(json, "id", arena),
			get_text(json, "name", arena)};
	return ret->key && ret->name;
}

static void read_fields(const json_t *before, const json_t *after, struct arena *arena,
		struct operation *ret)
{
	struct field_change *changes = arena_alloc(arena, FIELD_COUNT_ * sizeof(*changes));

	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		const char *name = field_name((enum field)field);

		if (!json_object_get(after, name))
			continue;
		changes[ret->field_count++] = (struct field_change){(enum field)field,
				get_text(before, name, arena), get_text(after, name, arena)};
	}
	ret->fields = changes;
	/* Written only where it changes: who is neither deactivated nor brought back is active. */
	ret->active_before = !json_is_false(json_object_get(before, "active"));
	ret->active_after = !json_is_false(json_object_get(after, "active"));
}

static bool read_lists(const json_t *json, struct arena *arena, struct operation *ret)
{
	const json_t *members = json_object_get(json, "members"),
		     *values = json_object_get(json, "values");
	struct principal_ref *refs =
			arena_alloc(arena, (json_array_size(members) + 1) * sizeof(*refs));
	const char **texts = arena_alloc(arena, (json_array_size(values) + 1) * sizeof(*texts));
	const char *former = json_string_value(json_object_get(
			json_object_get(json, ret->kind == OP_UNASSIGN ? "after" : "before"),
			"level"));

	for (size_t i = 0; i < json_array_size(members); i++) {
		if (!read_ref(json_array_get(members, i), arena, &refs[ret->member_count++]))
			return false;
	}
	for (size_t i = 0; i < json_array_size(values); i++) {
		texts[i] = arena_strdup(arena, json_string_value(json_array_get(values, i)));
		if (!texts[i])
			return false;
		ret->value_count++;
	}
	if (former) {
		const char **before = arena_alloc(arena, sizeof(*before));

		before[0] = arena_strdup(arena, former);
		ret->values_before = before;
	}
	ret->members = refs;
	ret->values = texts;
	return true;
}

static bool read_permissions(const json_t *json, struct arena *arena, struct operation *ret)
{
	const json_t *list = json_object_get(json, "members");
	size_t count = json_array_size(list);
	struct principal_ref *refs = arena_alloc(arena, (count + 1) * sizeof(*refs));
	const char **levels = arena_alloc(arena, (count + 1) * sizeof(*levels));
	const char **former = arena_alloc(arena, (count + 1) * sizeof(*former));

	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);

		levels[i] = get_text(item, "level", arena);
		former[i] = get_text(item, "former", arena);
		if (!read_ref(item, arena, &refs[i]) || !levels[i])
			return false;
	}
	ret->members = refs;
	ret->member_count = count;
	ret->values = levels;
	ret->value_count = count;
	ret->values_before = former;
	return true;
}

static void read_parts(const json_t *json, struct arena *arena, struct operation *ret)
{
	json_t *before = json_object_get(json, "before"), *after = json_object_get(json, "after");
	struct part_change *parts =
			arena_alloc(arena, (json_object_size(after) + 1) * sizeof(*parts));
	const char *name;
	json_t *value;

	json_object_foreach(after, name, value) parts[ret->part_count++] = (struct part_change){
			arena_strdup(arena, name), get_text(before, name, arena),
			arena_strdup(arena, json_string_value(value))};
	ret->parts = parts;
}

static bool find_resource(const char *name, enum resource_kind *ret)
{
	for (unsigned i = RESOURCE_NONE + 1; name && i < RESOURCE_COUNT_; i++) {
		if (text_equal(resource_name((enum resource_kind)i), name)) {
			*ret = (enum resource_kind)i;
			return true;
		}
	}
	return false;
}

/* What it is about, and the lists that kind of thing has. */
static bool read_subject(const json_t *json, struct arena *arena, struct operation *ret)
{
	const char *kind = json_string_value(json_object_get(json, "kind"));
	const char *resource = json_string_value(json_object_get(json, "resource"));

	if (!resource)
		return find_kind(kind, &ret->principal) && read_lists(json, arena, ret);
	if (!kind || !find_resource(resource, &ret->resource))
		return false;
	if (ret->resource == RESOURCE_PERMISSIONS && !securable_parse(kind, &ret->securable))
		return false;
	read_parts(json, arena, ret);
	return !operation_sets_permissions(ret) || read_permissions(json, arena, ret);
}

static enum guard_category resource_category(const struct operation *op)
{
	if (op->resource == RESOURCE_TOKEN || op->resource == RESOURCE_SECRET ||
			op->resource == RESOURCE_ON_BEHALF_TOKEN)
		return GUARD_TOKENS;
	if (op->resource == RESOURCE_CLUSTER_POLICY)
		return GUARD_POLICIES;
	if (op->resource == RESOURCE_IP_ACCESS_LIST)
		return GUARD_LISTS;
	/* Where tokens are turned off, and for those who may not use them any more, they end. */
	if (op->resource == RESOURCE_SETTING)
		return GUARD_TOKENS;
	if (op->resource == RESOURCE_PERMISSIONS && op->securable == SECURABLE_AUTHORIZATION)
		return GUARD_TOKENS;
	return GUARD_PERMISSIONS;
}

/* What the guard counts a removal as follows from what it is. */
static enum guard_category category_of(const struct operation *op)
{
	if (op->resource != RESOURCE_NONE)
		return resource_category(op);
	if (op->kind == OP_REMOVE_MEMBERS)
		return GUARD_MEMBERS;
	if (op->kind != OP_DEACTIVATE && op->kind != OP_DELETE)
		return GUARD_PERMISSIONS;
	return op->principal == PRINCIPAL_GROUP ? GUARD_GROUPS : GUARD_USERS;
}

static unsigned read_weight(const json_t *json)
{
	json_int_t weight = json_integer_value(json_object_get(json, "weight"));

	return weight > 1 && weight <= INT32_MAX ? (unsigned)weight : 0;
}

enum err_code operation_from_json(const json_t *json, const struct settings *settings,
		struct arena *arena, struct operation *ret, struct err *err)
{
	const json_t *why = json_object_get(json, "why");
	const char *kind = json_string_value(json_object_get(json, "op"));
	struct operation op = {.id = get_text(json, "id", arena)};

	if (!op.id || !kind || !operation_kind_parse(kind, &op.kind) ||
			!read_ref(json_object_get(json, "object"), arena, &op.object) ||
			!read_subject(json, arena, &op))
		return err_set(err, ERR_CONFIG, 0, "not an operation: \"%s\"",
				op.id ? op.id : "without id");
	if (!find_target(settings, json_string_value(json_object_get(json, "target")), &op.target))
		return err_set(err, ERR_CONFIG, 0,
				"operation %s names a target that the configuration does not have",
				op.id);
	if (op.resource == RESOURCE_NONE)
		read_fields(json_object_get(json, "before"), json_object_get(json, "after"), arena,
				&op);
	op.adopts = json_is_true(json_object_get(json, "adopts"));
	op.is_removal = json_is_true(json_object_get(json, "removal"));
	if (op.is_removal)
		op.category = category_of(&op);
	op.weight = read_weight(json);
	op.follows_leaver = get_text(json, "follows", arena);
	op.held_by = get_text(json, "held", arena);
	op.why = (struct why){get_text(why, "file", arena),
			(unsigned)json_integer_value(json_object_get(why, "line")),
			get_text(why, "entry", arena)};
	op.note = get_text(json, "note", arena);
	*ret = op;
	return ERR_NONE;
}

static enum err_code load_json(const char *path, json_t **ret, struct err *err)
{
	json_error_t problem;
	FILE *file = fopen(path, "re");
	long size;

	if (!file)
		return err_errno(err, ERR_CONFIG, errno, "plan file \"%s\"", path);
	size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
	if (size < 0 || (size_t)size > PLAN_FILE_BYTES_MAX) {
		(void)fclose(file);
		return err_set(err, ERR_CONFIG, 0,
				"plan file \"%s\" is no regular file of at most %zu bytes", path,
				PLAN_FILE_BYTES_MAX);
	}
	rewind(file);
	*ret = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
	(void)fclose(file);
	if (!*ret)
		return err_set(err, ERR_CONFIG, 0, "plan file \"%s\":%d:%d: %s", path, problem.line,
				problem.column, problem.text);
	return ERR_NONE;
}

static enum err_code read_operations(const json_t *json, const char *path,
		const struct settings *settings, struct arena *arena, struct plan_file *ret,
		struct err *err)
{
	const json_t *list = json_object_get(json, "operations");
	struct operation *operations =
			arena_alloc(arena, (json_array_size(list) + 1) * sizeof(*operations));

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (operation_from_json(json_array_get(list, i), settings, arena, &operations[i],
				    err) != ERR_NONE)
			return err_context(err, "plan file \"%s\", operation %zu", path, i + 1);
	}
	ret->operations = operations;
	ret->count = json_array_size(list);
	return ERR_NONE;
}

enum err_code plan_file_read(const char *path, const struct settings *settings, struct arena *arena,
		struct plan_file *ret, struct err *err)
{
	json_auto_t *json = NULL;
	const char *hash;

	if (load_json(path, &json, err) != ERR_NONE)
		return err->code;
	if (json_integer_value(json_object_get(json, "version")) != PLAN_FILE_VERSION ||
			!json_is_array(json_object_get(json, "operations")))
		return err_set(err, ERR_CONFIG, 0,
				"plan file \"%s\" is not a plan of version %d: make it with `plan "
				"--out`",
				path, PLAN_FILE_VERSION);
	hash = json_string_value(json_object_get(json, "config_hash"));
	if (!text_equal(hash, settings->digest))
		return err_set(err, ERR_CONFIG, 0,
				"plan file \"%s\" is stale: the configuration or a mapping changed "
				"since; make a new plan",
				path);
	(void)snprintf(ret->config_hash, sizeof(ret->config_hash), "%s", hash);
	return read_operations(json, path, settings, arena, ret, err);
}

/* ---- cover ---- */

static bool has_member(const struct operation *allowed, const char *key)
{
	for (size_t i = 0; i < allowed->member_count; i++) {
		if (text_equal(allowed->members[i].key, key))
			return true;
	}
	return false;
}

static bool has_value(const struct operation *allowed, const char *value)
{
	for (size_t i = 0; i < allowed->value_count; i++) {
		if (text_equal(allowed->values[i], value))
			return true;
	}
	return false;
}

static bool has_change(const struct operation *allowed, const struct field_change *change)
{
	for (size_t i = 0; i < allowed->field_count; i++) {
		if (allowed->fields[i].field == change->field &&
				text_equal(allowed->fields[i].before, change->before) &&
				text_equal(allowed->fields[i].after, change->after))
			return true;
	}
	return false;
}

static const char *former_level_of(const struct operation *op, size_t at)
{
	return op->values_before ? op->values_before[at] : NULL;
}

static const char *former_level(const struct operation *op)
{
	return op->values_before ? op->values_before[0] : NULL;
}

/* The same change of the account's state, or none. A change is never covered by the adoption of what was there. */
static bool has_state(const struct operation *op, const struct operation *allowed)
{
	bool changes = op->active_before != op->active_after;

	return (!changes ||
			       (allowed->active_before == op->active_before &&
					       allowed->active_after == op->active_after)) &&
			(op->adopts || !allowed->adopts) &&
			(op->adopts || text_equal(former_level(op), former_level(allowed)));
}

/* The same principal with the same level, and the same before. */
static bool has_permission(const struct operation *allowed, const struct operation *op, size_t at)
{
	for (size_t i = 0; i < allowed->member_count; i++) {
		if (text_equal(allowed->members[i].key, op->members[at].key))
			return text_equal(allowed->values[i], op->values[at]) &&
					(op->adopts ||
							text_equal(former_level_of(allowed, i),
									former_level_of(op, at)));
	}
	return false;
}

/* Of a principal that was yet to be made when the plan was: what is made for it has another key, and some values are new. */
static bool was_promised(const struct operation *allowed)
{
	return allowed->resource != RESOURCE_NONE && !allowed->object.remote_id;
}

static bool is_same_value(const struct operation *allowed, const char *then, const char *now)
{
	return text_equal(then, now) ||
			(was_promised(allowed) && then && now && strstr(then, "${applicationId}"));
}

static bool has_part(const struct operation *allowed, const struct part_change *part)
{
	for (size_t i = 0; i < allowed->part_count; i++) {
		if (text_equal(allowed->parts[i].name, part->name))
			return text_equal(allowed->parts[i].before, part->before) &&
					is_same_value(allowed, allowed->parts[i].after,
							part->after);
	}
	return false;
}

static bool is_same_object(const struct operation *op, const struct operation *allowed)
{
	return text_equal(op->object.key, allowed->object.key) ||
			(was_promised(allowed) &&
					text_equal(op->object.name, allowed->object.name));
}

static bool resource_is_covered(const struct operation *op, const struct operation *allowed)
{
	if (!op->adopts && allowed->adopts)
		return false;
	for (size_t i = 0; operation_sets_permissions(op) && i < op->member_count; i++) {
		if (!has_permission(allowed, op, i))
			return false;
	}
	for (size_t i = 0; i < op->part_count; i++) {
		if (!has_part(allowed, &op->parts[i]))
			return false;
	}
	return true;
}

bool operation_is_covered(const struct operation *op, const struct operation *allowed)
{
	if (op->kind != allowed->kind || op->resource != allowed->resource ||
			op->principal != allowed->principal || op->target != allowed->target ||
			!is_same_object(op, allowed))
		return false;
	if (op->resource != RESOURCE_NONE)
		return resource_is_covered(op, allowed);
	if (!has_state(op, allowed))
		return false;
	for (size_t i = 0; i < op->member_count; i++) {
		if (!has_member(allowed, op->members[i].key))
			return false;
	}
	for (size_t i = 0; i < op->value_count; i++) {
		if (!has_value(allowed, op->values[i]))
			return false;
	}
	for (size_t i = 0; i < op->field_count; i++) {
		if (!has_change(allowed, &op->fields[i]))
			return false;
	}
	return true;
}
