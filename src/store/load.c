/*
 * load -- the store_each_ and store_get_ functions: what the loop reads from the store.
 *
 * A row that is damaged is not visited: the reading fails at it.
 */
#include "store/audit.h"
#include "store/database.h"
#include "store/reading.h"
#include "store/store_private.h"

enum err_code store_each_entry(struct store *store,
		void (*visit)(void *context, const struct store_entry *), void *context,
		struct err *err)
{
	char anchor[ENCODING_UUID_SIZE];
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT source, anchor, dn, searches, attributes, members FROM entry", err);
	while (reading_next(&reading)) {
		struct store_entry entry = {
				.source = reading_name(&reading, 0),
				.anchor = reading_anchor(&reading, 1, anchor),
				.dn = reading_text(&reading, 2),
				.searches = (uint64_t)reading_int(&reading, 3),
				.attributes = reading_blob(&reading, 4),
				.members = reading_blob(&reading, 5),
		};

		if (reading.code == ERR_NONE)
			visit(context, &entry);
	}
	return reading_end(&reading);
}

enum err_code store_each_principal(struct store *store,
		void (*visit)(void *context, const struct store_principal *), void *context,
		struct err *err)
{
	char id[ENCODING_ID_SIZE];
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT target, kind, remote_id, key, origin, active, left_ms, user_name,"
			" display_name, given_name, family_name, external_id, application_id,"
			" when_gone, match_value FROM principal",
			err);
	while (reading_next(&reading)) {
		struct store_principal principal = {
				.target = reading_name(&reading, 0),
				.kind = (enum principal_kind)reading_enum(
						&reading, 1, PRINCIPAL_KIND_COUNT_),
				.remote_id = reading_remote_id(&reading, 2, id),
				.key = reading_text(&reading, 3),
				.origin = (enum origin)reading_enum(
						&reading, 4, ORIGIN_ADOPTED + 1),
				.active = reading_int(&reading, 5) != 0,
				.left_ms = reading_int(&reading, 6),
		};

		for (int i = 0; i < FIELD_COUNT_; i++)
			principal.fields[i] = reading_text(&reading, 7 + i);
		principal.match = reading_text(&reading, 8 + FIELD_COUNT_);
		principal.gone = (enum gone)reading_enum(
				&reading, 7 + FIELD_COUNT_, GONE_DELETE + 1);
		if (reading.code == ERR_NONE)
			visit(context, &principal);
	}
	return reading_end(&reading);
}

enum err_code store_each_member(struct store *store,
		void (*visit)(void *context, const struct store_member *), void *context,
		struct err *err)
{
	char group[ENCODING_ID_SIZE], id[ENCODING_ID_SIZE];
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT target, group_id, member_id FROM member WHERE NOT EXISTS"
			" (SELECT 1 FROM gone"
			"   WHERE gone.target = member.target AND remote_id = member_id)"
			" ORDER BY target, group_id, member_id",
			err);
	while (reading_next(&reading)) {
		struct store_member member = {
				.target = reading_name(&reading, 0),
				.group_id = reading_remote_id(&reading, 1, group),
				.member_id = reading_remote_id(&reading, 2, id),
		};

		if (reading.code == ERR_NONE)
			visit(context, &member);
	}
	return reading_end(&reading);
}

enum err_code store_each_grant(struct store *store,
		void (*visit)(void *context, const struct store_grant *), void *context,
		struct err *err)
{
	char id[ENCODING_ID_SIZE];
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT target, kind, remote_id, what, coalesce(level, name), former FROM "
			"granted",
			err);
	while (reading_next(&reading)) {
		struct store_grant grant = {
				.target = reading_name(&reading, 0),
				.kind = (enum principal_kind)reading_enum(
						&reading, 1, PRINCIPAL_KIND_COUNT_),
				.remote_id = reading_remote_id(&reading, 2, id),
				.grant = (enum grant_kind)reading_enum(&reading, 3, GRANT_ROLE + 1),
				.value = reading_text(&reading, 4),
				.former = reading_text(&reading, 5),
		};

		if (reading.code == ERR_NONE)
			visit(context, &grant);
	}
	return reading_end(&reading);
}

enum err_code store_each_holding(struct store *store,
		void (*visit)(void *context, const struct store_holding *), void *context,
		struct err *err)
{
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT target, resource, id, part, name, value, former FROM holding", err);
	while (reading_next(&reading)) {
		struct store_holding holding = {
				.target = reading_name(&reading, 0),
				.resource = reading_text(&reading, 1),
				.id = reading_text(&reading, 2),
				.part = reading_text(&reading, 3),
				.name = reading_text(&reading, 4),
				.value = reading_text(&reading, 5),
				.former = reading_text(&reading, 6),
		};

		if (reading.code == ERR_NONE)
			visit(context, &holding);
	}
	return reading_end(&reading);
}

enum err_code store_each_intent(struct store *store,
		void (*visit)(void *context, const struct store_intent *), void *context,
		struct err *err)
{
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT operation_id, operation, time_ms FROM intent ORDER BY rowid", err);
	while (reading_next(&reading)) {
		visit(context,
				&(struct store_intent){
						.operation_id = reading_text(&reading, 0),
						.operation = reading_text(&reading, 1),
						.time_ms = reading_int(&reading, 2),
				});
	}
	return reading_end(&reading);
}

enum err_code store_each_hold(struct store *store,
		void (*visit)(void *context, const struct store_hold *), void *context,
		struct err *err)
{
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT operation_id, hold_id, operation, category, state, time_ms, reason"
			" FROM hold ORDER BY rowid",
			err);
	while (reading_next(&reading)) {
		struct store_hold hold = {
				.operation_id = reading_text(&reading, 0),
				.hold_id = reading_text(&reading, 1),
				.operation = reading_text(&reading, 2),
				.category = (enum guard_category)reading_enum(
						&reading, 3, GUARD_CATEGORY_COUNT_),
				.state = (enum hold_state)reading_enum(
						&reading, 4, HOLD_REJECTED + 1),
				.time_ms = reading_int(&reading, 5),
				.reason = reading_text(&reading, 6),
		};

		if (reading.code == ERR_NONE)
			visit(context, &hold);
	}
	return reading_end(&reading);
}

enum err_code store_each_quarantine(struct store *store,
		void (*visit)(void *context, const struct store_quarantine *), void *context,
		struct err *err)
{
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT key, name, reason, since_ms, retry_ms, tries FROM quarantine ORDER "
			"BY rowid",
			err);
	while (reading_next(&reading)) {
		visit(context,
				&(struct store_quarantine){
						.key = reading_text(&reading, 0),
						.name = reading_text(&reading, 1),
						.reason = reading_text(&reading, 2),
						.since_ms = reading_int(&reading, 3),
						.retry_ms = reading_int(&reading, 4),
						.tries = (unsigned)reading_int(&reading, 5),
				});
	}
	return reading_end(&reading);
}

enum err_code store_each_removals(struct store *store, int64_t since_ms,
		void (*visit)(void *context, const struct store_removals *), void *context,
		struct err *err)
{
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT time_ms, category, count FROM removals WHERE time_ms >= ?1"
			" ORDER BY time_ms, category",
			err);
	(void)sqlite3_bind_int64(reading.row, 1, since_ms);
	while (reading_next(&reading)) {
		struct store_removals removals = {
				.time_ms = reading_int(&reading, 0),
				.category = (enum guard_category)reading_enum(
						&reading, 1, GUARD_CATEGORY_COUNT_),
				.count = (unsigned)reading_int(&reading, 2),
		};

		if (reading.code == ERR_NONE)
			visit(context, &removals);
	}
	return reading_end(&reading);
}

/* Whether the cookie in the present row is the one that was put there for that search. */
static bool cookie_is_whole(struct reading *reading, const char *search_digest)
{
	struct span cookie = reading_blob(reading, 0), stored = reading_blob(reading, 1);
	unsigned char checksum[DIGEST_SIZE];

	encoding_cookie_checksum(search_digest, cookie, checksum);
	return span_equal(stored, (struct span){(const char *)checksum, sizeof(checksum)});
}

static void drop_damaged_cookie(struct store *store, const char *search_digest)
{
	struct store_batch *batch;

	if (store->mode != STORE_WRITE)
		return;
	batch = store_batch_new(store);
	store_drop_cookie(batch, search_digest);
	store_commit(store, batch, NULL);
}

enum err_code store_get_cookie(struct store *store, const char *search_digest, struct arena *arena,
		struct span *ret, struct err *err)
{
	struct span found = {NULL, 0};
	struct reading reading;
	bool damaged = false;
	enum err_code code;

	reading_begin(&reading, store->reader,
			"SELECT value, checksum FROM cookie WHERE search = ?1", err);
	(void)sqlite3_bind_text(reading.row, 1, search_digest, -1, SQLITE_STATIC);
	if (reading_next(&reading)) {
		damaged = !cookie_is_whole(&reading, search_digest);
		if (!damaged)
			found = arena_span(arena, reading_blob(&reading, 0));
	}
	code = reading_end(&reading);
	if (code != ERR_NONE)
		return code;
	if (damaged)
		drop_damaged_cookie(store, search_digest);
	*ret = found;
	return ERR_NONE;
}

enum err_code store_get_meta(struct store *store, const char *name, struct arena *arena,
		const char **ret, struct err *err)
{
	const char *value = NULL;
	struct reading reading;
	enum err_code code;

	reading_begin(&reading, store->reader, "SELECT value FROM meta WHERE name = ?1", err);
	(void)sqlite3_bind_text(reading.row, 1, name, -1, SQLITE_STATIC);
	if (reading_next(&reading))
		value = arena_strdup(arena, reading_text(&reading, 0));
	code = reading_end(&reading);
	if (code == ERR_NONE)
		*ret = value;
	return code;
}

enum err_code store_verify_audit(struct store *store, uint64_t *ret_count, struct err *err)
{
	bool began = sqlite3_get_autocommit(store->reader) != 0;
	enum err_code code;

	/* One transaction: lines and head must be of the same moment. */
	if (began && database_run(store->reader, "BEGIN", err) != ERR_NONE)
		return err->code;
	code = audit_verify(store->reader, ret_count, err);
	if (began)
		database_rollback(store->reader);
	return code;
}

enum err_code store_each_audit(struct store *store, uint64_t from_sequence,
		void (*visit)(void *context, uint64_t sequence, int64_t time_ms, const char *hash,
				const char *json),
		void *context, struct err *err)
{
	struct reading reading;

	reading_begin(&reading, store->reader,
			"SELECT sequence, time_ms, lower(hex(hash)), json FROM audit WHERE "
			"sequence >= ?1"
			" ORDER BY sequence",
			err);
	(void)sqlite3_bind_int64(reading.row, 1,
			from_sequence > INT64_MAX ? INT64_MAX : (int64_t)from_sequence);
	while (reading_next(&reading)) {
		visit(context, (uint64_t)reading_int(&reading, 0), reading_int(&reading, 1),
				reading_text(&reading, 2), reading_text(&reading, 3));
	}
	return reading_end(&reading);
}
