#include "store/batch.h"

#include "base/clock.h"
#include "base/digest.h"
#include "store/encoding.h"
#include "store/store.h"

#include <assert.h>

/*
 * A record in the buffer: kind and number of values, one byte each; then each value: its kind, one
 * byte, and after VALUE_INT eight bytes, after text, blob and name a length of four bytes and the
 * bytes. All in this machine's order: a batch never leaves the process.
 */

struct store_batch *store_batch_new(struct store *store)
{
	struct store_batch *batch = mem_zalloc(sizeof(*batch));

	(void)store;
	buf_init(&batch->bytes, BATCH_BYTES_MAX);
	return batch;
}

void store_batch_free(struct store_batch *batch)
{
	if (!batch)
		return;
	buf_release(&batch->bytes);
	mem_free(batch);
}

bool store_batch_is_empty(const struct store_batch *batch)
{
	return batch->count == 0;
}

size_t store_batch_bytes(const struct store_batch *batch)
{
	return batch->bytes.len;
}

static void begin(struct store_batch *batch, enum record_kind kind)
{
	const char head[2] = {(char)kind, 0};

	batch->record = batch->bytes.len;
	buf_add(&batch->bytes, head, sizeof(head));
	batch->count++;
}

/* The number of values is counted as they come. A batch that overflowed is never read. */
static void begin_value(struct store_batch *batch, enum value_kind kind)
{
	buf_add_char(&batch->bytes, (char)kind);
	if (batch->bytes.overflowed)
		return;
	assert(batch->bytes.ptr[batch->record + 1] < RECORD_VALUES_MAX);
	batch->bytes.ptr[batch->record + 1]++;
}

static void add_null(struct store_batch *batch)
{
	begin_value(batch, VALUE_NULL);
}

static void add_int(struct store_batch *batch, int64_t number)
{
	begin_value(batch, VALUE_INT);
	buf_add(&batch->bytes, &number, sizeof(number));
}

static void add_bytes(struct store_batch *batch, enum value_kind kind, struct span span)
{
	/* One that does not fit into 32 bits does not fit into the buffer either: it refuses the bytes. */
	uint32_t len = (uint32_t)span.len;

	begin_value(batch, kind);
	buf_add(&batch->bytes, &len, sizeof(len));
	buf_add(&batch->bytes, span.ptr, span.len);
}

static void add_text(struct store_batch *batch, const char *text)
{
	if (text)
		add_bytes(batch, VALUE_TEXT, span_of(text));
	else
		add_null(batch);
}

static void add_blob(struct store_batch *batch, struct span span)
{
	if (span.len > 0)
		add_bytes(batch, VALUE_BLOB, span);
	else
		add_null(batch);
}

static void add_name(struct store_batch *batch, const char *name)
{
	add_bytes(batch, VALUE_NAME, span_of(name));
}

static void add_remote_id(struct store_batch *batch, const char *id)
{
	int64_t number;

	if (encoding_parse_id(id, &number))
		add_int(batch, number);
	else
		add_text(batch, id);
}

static void add_anchor(struct store_batch *batch, const char *anchor)
{
	char bytes[ENCODING_UUID_BYTES];

	if (encoding_parse_uuid(anchor, bytes))
		add_bytes(batch, VALUE_BLOB, (struct span){bytes, sizeof(bytes)});
	else
		add_text(batch, anchor);
}

static bool take(struct batch_cursor *cursor, void *ret, size_t len)
{
	const struct buf *bytes = &cursor->batch->bytes;

	if (len > bytes->len - cursor->at)
		return false;
	memcpy(ret, bytes->ptr + cursor->at, len);
	cursor->at += len;
	return true;
}

static bool take_value(struct batch_cursor *cursor, struct value *ret)
{
	const struct buf *bytes = &cursor->batch->bytes;
	unsigned char kind;
	uint32_t len;

	if (!take(cursor, &kind, sizeof(kind)))
		return false;
	ret->kind = (enum value_kind)kind;
	if (ret->kind == VALUE_NULL)
		return true;
	if (ret->kind == VALUE_INT)
		return take(cursor, &ret->number, sizeof(ret->number));
	if (!take(cursor, &len, sizeof(len)) || len > bytes->len - cursor->at)
		return false;
	ret->bytes = (struct span){bytes->ptr + cursor->at, len};
	cursor->at += len;
	return true;
}

bool batch_next(struct batch_cursor *cursor, struct record *ret)
{
	unsigned char head[2];

	if (!take(cursor, head, sizeof(head)))
		return false;
	ret->kind = (enum record_kind)head[0];
	ret->count = head[1];
	for (size_t i = 0; i < ret->count; i++) {
		if (!take_value(cursor, &ret->values[i]))
			return false;
	}
	return true;
}

/* ---- one function per record: the order of values is that of the statements' numbers in writer.c
 * ---- */

void store_put_entry(struct store_batch *batch, const struct store_entry *entry)
{
	begin(batch, RECORD_PUT_ENTRY);
	add_name(batch, entry->source);
	add_anchor(batch, entry->anchor);
	add_text(batch, entry->dn);
	add_int(batch, (int64_t)entry->searches);
	add_blob(batch, entry->attributes);
	add_blob(batch, entry->members);
}

void store_drop_entry(struct store_batch *batch, const char *source, const char *anchor)
{
	begin(batch, RECORD_DROP_ENTRY);
	add_name(batch, source);
	add_anchor(batch, anchor);
}

void store_drop_all_entries(struct store_batch *batch)
{
	begin(batch, RECORD_DROP_ALL_ENTRIES);
}

void store_put_cookie(struct store_batch *batch, const char *search_digest, struct span cookie)
{
	unsigned char checksum[DIGEST_SIZE];

	encoding_cookie_checksum(search_digest, cookie, checksum);
	begin(batch, RECORD_PUT_COOKIE);
	add_text(batch, search_digest);
	/* Not add_blob: an empty cookie is one. */
	add_bytes(batch, VALUE_BLOB, cookie);
	add_bytes(batch, VALUE_BLOB, (struct span){(const char *)checksum, sizeof(checksum)});
}

void store_drop_cookie(struct store_batch *batch, const char *search_digest)
{
	begin(batch, RECORD_DROP_COOKIE);
	add_text(batch, search_digest);
}

void store_put_principal(struct store_batch *batch, const struct store_principal *principal)
{
	_Static_assert(FIELD_COUNT_ == 6, "a column of table principal per field");
	begin(batch, RECORD_PUT_PRINCIPAL);
	add_name(batch, principal->target);
	add_int(batch, principal->kind);
	add_remote_id(batch, principal->remote_id);
	add_text(batch, principal->key);
	add_int(batch, principal->origin);
	add_int(batch, principal->active);
	add_int(batch, principal->left_ms);
	for (size_t i = 0; i < FIELD_COUNT_; i++)
		add_text(batch, principal->fields[i]);
	add_int(batch, principal->gone);
	add_text(batch, principal->match);
}

void store_drop_principal(struct store_batch *batch, const char *target, enum principal_kind kind,
		const char *remote_id)
{
	begin(batch, RECORD_DROP_PRINCIPAL);
	add_name(batch, target);
	add_int(batch, kind);
	add_remote_id(batch, remote_id);
}

static void add_member(
		struct store_batch *batch, enum record_kind kind, const struct store_member *member)
{
	begin(batch, kind);
	add_name(batch, member->target);
	add_remote_id(batch, member->group_id);
	add_remote_id(batch, member->member_id);
}

void store_put_member(struct store_batch *batch, const struct store_member *member)
{
	add_member(batch, RECORD_PUT_MEMBER, member);
}

void store_drop_member(struct store_batch *batch, const struct store_member *member)
{
	add_member(batch, RECORD_DROP_MEMBER, member);
}

/* What identifies a grant; an assignment's level is not part of it. */
static void add_grant_key(struct store_batch *batch, const struct store_grant *grant)
{
	add_int(batch, grant->kind);
	add_remote_id(batch, grant->remote_id);
	add_name(batch, grant->target);
	add_int(batch, grant->grant);
	add_text(batch, grant->grant == GRANT_ASSIGNMENT ? "" : grant->value);
}

void store_put_grant(struct store_batch *batch, const struct store_grant *grant)
{
	begin(batch, RECORD_PUT_GRANT);
	add_grant_key(batch, grant);
	add_text(batch, grant->grant == GRANT_ASSIGNMENT ? grant->value : NULL);
	add_text(batch, grant->former);
}

void store_drop_grant(struct store_batch *batch, const struct store_grant *grant)
{
	begin(batch, RECORD_DROP_GRANT);
	add_grant_key(batch, grant);
}

static void add_holding_key(struct store_batch *batch, const struct store_holding *holding)
{
	add_name(batch, holding->target);
	add_text(batch, holding->resource);
	add_text(batch, holding->id);
	add_text(batch, holding->part);
}

void store_put_holding(struct store_batch *batch, const struct store_holding *holding)
{
	begin(batch, RECORD_PUT_HOLDING);
	add_holding_key(batch, holding);
	add_text(batch, holding->name);
	add_text(batch, holding->value);
	add_text(batch, holding->former);
}

void store_drop_holding(struct store_batch *batch, const struct store_holding *holding)
{
	begin(batch, RECORD_DROP_HOLDING);
	add_holding_key(batch, holding);
}

void store_put_intent(struct store_batch *batch, const struct store_intent *intent)
{
	begin(batch, RECORD_PUT_INTENT);
	add_text(batch, intent->operation_id);
	add_text(batch, intent->operation);
	add_int(batch, intent->time_ms);
}

void store_drop_intent(struct store_batch *batch, const char *operation_id)
{
	begin(batch, RECORD_DROP_INTENT);
	add_text(batch, operation_id);
}

void store_put_hold(struct store_batch *batch, const struct store_hold *hold)
{
	begin(batch, RECORD_PUT_HOLD);
	add_text(batch, hold->operation_id);
	add_text(batch, hold->hold_id);
	add_text(batch, hold->operation);
	add_int(batch, hold->category);
	add_int(batch, hold->state);
	add_int(batch, hold->time_ms);
	add_text(batch, hold->reason);
}

void store_drop_hold(struct store_batch *batch, const char *operation_id)
{
	begin(batch, RECORD_DROP_HOLD);
	add_text(batch, operation_id);
}

void store_put_quarantine(struct store_batch *batch, const struct store_quarantine *quarantine)
{
	begin(batch, RECORD_PUT_QUARANTINE);
	add_text(batch, quarantine->key);
	add_text(batch, quarantine->name);
	add_text(batch, quarantine->reason);
	add_int(batch, quarantine->since_ms);
	add_int(batch, quarantine->retry_ms);
	add_int(batch, quarantine->tries);
}

void store_drop_quarantine(struct store_batch *batch, const char *key)
{
	begin(batch, RECORD_DROP_QUARANTINE);
	add_text(batch, key);
}

void store_add_removals(struct store_batch *batch, const struct store_removals *removals)
{
	begin(batch, RECORD_ADD_REMOVALS);
	add_int(batch, removals->time_ms);
	add_int(batch, removals->category);
	add_int(batch, removals->count);
}

void store_put_meta(struct store_batch *batch, const char *name, const char *value)
{
	begin(batch, value ? RECORD_PUT_META : RECORD_DROP_META);
	add_text(batch, name);
	if (value)
		add_text(batch, value);
}

void store_add_audit(struct store_batch *batch, const char *json)
{
	begin(batch, RECORD_ADD_AUDIT);
	add_int(batch, clock_wall_ms());
	add_text(batch, json);
}
