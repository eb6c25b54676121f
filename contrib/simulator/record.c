#include "record.h"

#include "base/clock.h"
#include "base/digest.h"

#define RANDOM_BYTES_MAX 32

static const char *const kind_keys[RECORD_KIND_COUNT_] = {
		[RECORD_TOKEN] = "token",
		[RECORD_SECRET] = "secret",
		[RECORD_POLICY] = "cluster_policy",
		[RECORD_IP_LIST] = "ip_access_list",
		[RECORD_CONF] = "workspace_conf",
		[RECORD_SETTING] = "setting",
		[RECORD_FEDERATION] = "federation_policy",
		[RECORD_RULE_SET] = "rule_set",
		[RECORD_SECURABLE] = "securable",
		[RECORD_WORKSPACE] = "workspace_details",
};

struct shelf {
	struct record_list lists[RECORD_KIND_COUNT_];
};

struct records {
	struct {
		struct shelf **items; /* the account, then each workspace by number */
		size_t count, room;
	} shelves;
	struct table *by_id; /* place, kind and id */
	struct table *by_secret;
};

struct records *records_new(void)
{
	struct records *records = mem_zalloc(sizeof(*records));

	records->by_id = table_new();
	records->by_secret = table_new();
	return records;
}

static void record_free(struct record *record)
{
	json_decref(record->fields);
	mem_free(record->id);
	mem_free(record->secret);
	mem_free(record);
}

void records_free(struct records *records)
{
	if (!records)
		return;
	for (vec_each (&records->shelves, shelf)) {
		for (int kind = 0; kind < RECORD_KIND_COUNT_; kind++) {
			for (vec_each (&(*shelf)->lists[kind], record))
				record_free(*record);
			vec_release(&(*shelf)->lists[kind]);
		}
		mem_free(*shelf);
	}
	vec_release(&records->shelves);
	table_free(records->by_id);
	table_free(records->by_secret);
	mem_free(records);
}

static size_t number_of(const struct workspace *place)
{
	return place ? place->number : 0;
}

static char *id_key(const struct workspace *place, enum record_kind kind, const char *id)
{
	return mem_printf("%zu/%d/%s", number_of(place), (int)kind, id);
}

static char *secret_key(enum record_kind kind, const char *secret)
{
	return mem_printf("%d/%s", (int)kind, secret);
}

const struct record_list *record_list(
		const struct state *state, const struct workspace *place, enum record_kind kind)
{
	static const struct record_list none;
	const struct records *records = state->records;
	size_t number = number_of(place);

	return number < records->shelves.count ? &records->shelves.items[number]->lists[kind]
					       : &none;
}

static struct record_list *need_list(
		struct state *state, struct workspace *place, enum record_kind kind)
{
	struct records *records = state->records;
	size_t number = number_of(place);

	while (records->shelves.count <= number)
		*vec_add(&records->shelves) = mem_zalloc(sizeof(struct shelf));
	return &records->shelves.items[number]->lists[kind];
}

struct record *record_find(const struct state *state, const struct workspace *place,
		enum record_kind kind, const char *id)
{
	AUTO(mem_freep) char *key = id_key(place, kind, id);
	struct record *record = table_find(state->records->by_id, span_of(key));

	return record && !record->revoked ? record : NULL;
}

struct record *record_find_secret(
		const struct state *state, enum record_kind kind, const char *secret)
{
	AUTO(mem_freep) char *key = secret_key(kind, secret);

	return table_find(state->records->by_secret, span_of(key));
}

char *record_random(const char *prefix, size_t bytes)
{
	unsigned char random[RANDOM_BYTES_MAX];
	char hex[sizeof(random) * 2 + 1];

	bytes = bytes < sizeof(random) ? bytes : sizeof(random);
	digest_random(random, bytes);
	for (size_t i = 0; i < bytes; i++)
		(void)snprintf(hex + i * 2, 3, "%02x", random[i]);
	return mem_printf("%s%.*s", prefix, (int)(bytes * 2), hex);
}

/* A token's id is the digest of its text; a policy's is sixteen digits in upper case; the rest have UUIDs. */
static char *new_id(enum record_kind kind, const char *secret)
{
	char hex[DIGEST_HEX_SIZE], uuid[37];
	char *id;

	switch (kind) {
	case RECORD_TOKEN:
		digest_sha256_hex(span_of(secret), hex);
		return mem_strdup(hex);
	case RECORD_SECRET:
		return record_random("", 16);
	case RECORD_POLICY:
		id = record_random("", 8);
		for (char *c = id; *c; c++)
			*c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
		return id;
	case RECORD_IP_LIST:
	case RECORD_FEDERATION:
	case RECORD_CONF:
	case RECORD_SETTING:
	case RECORD_RULE_SET:
	case RECORD_SECURABLE:
	case RECORD_WORKSPACE:
	case RECORD_KIND_COUNT_:
		break;
	}
	digest_uuid(uuid);
	return mem_strdup(uuid);
}

struct record *record_make(struct state *state, const struct record_make *what)
{
	struct record *record = mem_zalloc(sizeof(*record));
	AUTO(mem_freep) char *by_id = NULL;

	record->kind = what->kind;
	record->place = what->place;
	record->owner = what->owner;
	record->secret = mem_strdup_or_null(what->secret);
	record->id = what->id ? mem_strdup(what->id) : new_id(what->kind, what->secret);
	record->fields = what->fields ? what->fields : json_object();
	*vec_add(need_list(state, what->place, what->kind)) = record;
	by_id = id_key(record->place, record->kind, record->id);
	(void)table_put(state->records->by_id, span_of(by_id), record);
	if (record->secret) {
		AUTO(mem_freep) char *by_secret = secret_key(record->kind, record->secret);

		(void)table_put(state->records->by_secret, span_of(by_secret), record);
	}
	return record;
}

void record_revoke(struct record *record)
{
	record->revoked = true;
}

void record_drop(struct state *state, struct record *record)
{
	struct record_list *list = need_list(state, record->place, record->kind);
	AUTO(mem_freep) char *by_id = id_key(record->place, record->kind, record->id);

	(void)table_remove(state->records->by_id, span_of(by_id));
	if (record->secret) {
		AUTO(mem_freep) char *by_secret = secret_key(record->kind, record->secret);

		(void)table_remove(state->records->by_secret, span_of(by_secret));
	}
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == record) {
			list->count--;
			memmove(&list->items[i], &list->items[i + 1],
					(list->count - i) * sizeof(struct record *));
			break;
		}
	}
	record_free(record);
}

const char *record_text(const struct record *record, const char *key)
{
	return json_string_value(json_object_get(record->fields, key));
}

int64_t record_number(const struct record *record, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(record->fields, key));
}

/*
 * In a state file the fields stand beside what we need to know about the record. A field of one of these names would
 * get lost; no API has one.
 */
static void set_text(json_t *object, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(object, key, json_string(text));
}

static bool is_own_credential(const struct state *state, const struct record *record)
{
	const char *own =
			record->kind == RECORD_TOKEN ? record->place->token : state->client_secret;

	return record->secret && own && strcmp(record->secret, own) == 0;
}

static bool is_saved(const struct state *state, const struct record *record)
{
	/* Our own must not come back to life at the next start. */
	if (record->revoked)
		return is_own_credential(state, record);
	/* A policy only loses the name of who made it. */
	return record->kind == RECORD_POLICY || !record->owner || !record->owner->deleted;
}

static void write_record(const struct record *record, struct buf *line)
{
	json_t *object = json_copy(record->fields);
	char *text;

	set_text(object, "id", record->id);
	set_text(object, "workspace", record->place ? record->place->id_text : NULL);
	if (record->owner && !record->owner->deleted)
		set_text(object, "owner", record->owner->id_text);
	set_text(object, "secret", record->secret);
	if (record->used_ms)
		(void)json_object_set_new(object, "used", json_integer(record->used_ms));
	if (record->revoked)
		(void)json_object_set_new(object, "revoked", json_true());
	text = json_dumps(object, JSON_COMPACT);
	buf_printf(line, "{\"%s\":", kind_keys[record->kind]);
	buf_add_text(line, text ? text : "{}");
	buf_add_text(line, "}\n");
	free(text); /* jansson's */
	json_decref(object);
}

void records_write(const struct state *state, FILE *file, struct buf *line)
{
	for (vec_each (&state->records->shelves, shelf)) {
		for (int kind = 0; kind < RECORD_KIND_COUNT_; kind++) {
			for (vec_each (&(*shelf)->lists[kind], record)) {
				if (!is_saved(state, *record))
					continue;
				write_record(*record, line);
				(void)fwrite(line->ptr, 1, line->len, file);
				buf_reset(line);
			}
		}
	}
}

static char *take_text(json_t *object, const char *key)
{
	char *text = mem_strdup_or_null(json_string_value(json_object_get(object, key)));

	(void)json_object_del(object, key);
	return text;
}

/* What a seed may leave out. */
static void complete(struct record_make *make, char **secret)
{
	if (make->kind == RECORD_TOKEN && !*secret)
		*secret = record_random("dapi", 16);
	if (make->kind == RECORD_SECRET && !*secret)
		*secret = record_random("dose", 16);
	if (make->kind == RECORD_TOKEN && !json_object_get(make->fields, "creation_time"))
		(void)json_object_set_new(
				make->fields, "creation_time", json_integer(clock_wall_ms()));
	if (make->kind == RECORD_TOKEN && !json_object_get(make->fields, "expiry_time"))
		(void)json_object_set_new(make->fields, "expiry_time", json_integer(-1));
	if (make->kind == RECORD_SECRET && !json_object_get(make->fields, "status"))
		(void)json_object_set_new(make->fields, "status", json_string("ACTIVE"));
	make->secret = *secret;
}

/* Takes out of fields what is not one. */
static bool read_references(struct state *state, struct record_make *make)
{
	AUTO(mem_freep) char *workspace = take_text(make->fields, "workspace");
	AUTO(mem_freep) char *owner = take_text(make->fields, "owner");
	bool owned = make->kind == RECORD_TOKEN || make->kind == RECORD_SECRET;
	uint64_t id;

	if (workspace && id_parse(workspace, &id))
		make->place = state_find_workspace(state, id);
	if (owner && id_parse(owner, &id))
		make->owner = state_find_id(state, id);
	return (!workspace || make->place) && (!owner || make->owner) && (!owned || make->owner) &&
			(make->kind != RECORD_TOKEN || make->place);
}

static bool read_fields(struct state *state, struct record_make *make)
{
	AUTO(mem_freep) char *id = take_text(make->fields, "id");
	AUTO(mem_freep) char *secret = take_text(make->fields, "secret");
	int64_t used = json_integer_value(json_object_get(make->fields, "used"));
	bool revoked = json_is_true(json_object_get(make->fields, "revoked"));
	struct record *record;

	(void)json_object_del(make->fields, "used");
	(void)json_object_del(make->fields, "revoked");
	if (!read_references(state, make))
		return false;
	make->id = id;
	complete(make, &secret);
	if (id && record_find(state, make->place, make->kind, id))
		return false;
	record = record_make(state, make);
	make->fields = NULL;
	record->used_ms = used;
	record->revoked = revoked;
	return true;
}

bool record_is_key(const char *key)
{
	for (int kind = 0; kind < RECORD_KIND_COUNT_; kind++) {
		if (strcmp(kind_keys[kind], key) == 0)
			return true;
	}
	return false;
}

bool record_read(struct state *state, const char *key, const json_t *object)
{
	struct record_make make = {0};
	bool good;

	for (int kind = 0; kind < RECORD_KIND_COUNT_; kind++) {
		if (strcmp(kind_keys[kind], key) == 0)
			make.kind = (enum record_kind)kind;
	}
	make.fields = json_deep_copy(object);
	good = read_fields(state, &make);
	json_decref(make.fields);
	return good;
}
