#include "store/schema.h"

#include "store/database.h"

#include "base/buf.h"
#include "model/identity.h"
#include "model/settings.h"
#include "store/store.h"

#include <inttypes.h>

/*
 * Enums lie in the tables as numbers, so a constant keeps its number for ever: new ones go to the
 * end.
 */
_Static_assert(PRINCIPAL_USER == 0 && PRINCIPAL_GROUP == 1 && PRINCIPAL_SERVICE == 2, "stored");
_Static_assert(ORIGIN_CREATED == 0 && ORIGIN_ADOPTED == 1, "stored");
_Static_assert(GONE_DEFAULT == 0 && GONE_KEEP == 1 && GONE_EMPTY == 2 && GONE_DELETE == 3,
		"stored");
_Static_assert(GRANT_ASSIGNMENT == 0 && GRANT_ENTITLEMENT == 1 && GRANT_ROLE == 2, "stored");
_Static_assert(HOLD_WAITING == 0 && HOLD_APPROVED == 1 && HOLD_REJECTED == 2, "stored");
_Static_assert(GUARD_USERS == 0 && GUARD_GROUPS == 1 && GUARD_MEMBERS == 2 &&
				GUARD_PERMISSIONS == 3 && GUARD_TOKENS == 4 &&
				GUARD_POLICIES == 5 && GUARD_LISTS == 6,
		"stored");

/*
 * What keeps the big tables small and quick:
 *
 * Names of sources and targets stand once, in `name`. Columns of type ANY hold a remote id as
 * INTEGER where it is a plain number, an anchor as BLOB where it is a UUID. Rows longer than some
 * 200 bytes are poor in WITHOUT ROWID tables, so `entry` and `principal` have a rowid.
 *
 * `member` has no index by member: a first load comes group by group, each with members from
 * everywhere, so such an index would be rewritten whole with every few thousand rows and make the
 * load six times slower. For want of it, a principal that goes takes along all that hangs on it but
 * its memberships in groups. These stay as rows, void because `gone` names it: readers skip them,
 * the writer sweeps them out once in a while, and before a member in `gone` gets a new membership.
 *
 * A grant's target may be another one than its principal's (a workspace, where the account's
 * principals are assigned), so grants elsewhere go as soon as no principal has that id any more.
 *
 * audit_head is how verify sees that lines at the end are missing.
 */
/* clang-format off */
static const char version_1[] =
	"CREATE TABLE name("
	" id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"

	"CREATE TABLE meta("
	" name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"

	"CREATE TABLE entry("
	" id INTEGER PRIMARY KEY, source INTEGER NOT NULL, anchor ANY NOT NULL, dn TEXT NOT NULL,"
	" searches INTEGER NOT NULL, attributes BLOB, members BLOB,"
	" UNIQUE(source, anchor)) STRICT;"

	"CREATE TABLE cookie("
	" search TEXT PRIMARY KEY, value BLOB NOT NULL, checksum BLOB NOT NULL)"
	" STRICT, WITHOUT ROWID;"

	"CREATE TABLE principal("
	" id INTEGER PRIMARY KEY, target INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" remote_id ANY NOT NULL, key TEXT NOT NULL, origin INTEGER NOT NULL,"
	" active INTEGER NOT NULL, left_ms INTEGER NOT NULL,"
	" user_name TEXT, display_name TEXT, given_name TEXT, family_name TEXT,"
	" external_id TEXT, application_id TEXT, when_gone INTEGER NOT NULL, match_value TEXT,"
	" UNIQUE(kind, remote_id, target), UNIQUE(target, kind, key)) STRICT;"

	"CREATE TABLE member("
	" target INTEGER, group_id ANY, member_id ANY,"
	" PRIMARY KEY(target, group_id, member_id)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE gone("
	" target INTEGER, remote_id ANY, PRIMARY KEY(target, remote_id)) STRICT, WITHOUT ROWID;"

	/* name: of an entitlement or role, '' for an assignment; level: of an assignment */
	"CREATE TABLE granted("
	" kind INTEGER, remote_id ANY, target INTEGER, what INTEGER, name TEXT,"
	" level TEXT, former TEXT,"
	" PRIMARY KEY(kind, remote_id, target, what, name)) STRICT, WITHOUT ROWID;"

	"CREATE TRIGGER principal_gone AFTER DELETE ON principal BEGIN"
	" DELETE FROM member WHERE target = old.target AND group_id = old.remote_id;"
	" INSERT INTO gone VALUES(old.target, old.remote_id) ON CONFLICT DO NOTHING;"
	" DELETE FROM granted WHERE kind = old.kind AND remote_id = old.remote_id"
	"  AND (target = old.target OR NOT EXISTS (SELECT 1 FROM principal"
	"   WHERE kind = old.kind AND remote_id = old.remote_id));"
	"END;"

	"CREATE TABLE intent("
	" operation_id TEXT PRIMARY KEY, operation TEXT NOT NULL, time_ms INTEGER NOT NULL)"
	" STRICT;"

	"CREATE TABLE hold("
	" operation_id TEXT PRIMARY KEY, hold_id TEXT NOT NULL, operation TEXT NOT NULL,"
	" category INTEGER NOT NULL, state INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
	" reason TEXT) STRICT;"

	"CREATE TABLE quarantine("
	" key TEXT PRIMARY KEY, name TEXT, reason TEXT NOT NULL, since_ms INTEGER NOT NULL,"
	" retry_ms INTEGER NOT NULL, tries INTEGER NOT NULL) STRICT;"

	"CREATE TABLE removals("
	" time_ms INTEGER, category INTEGER, count INTEGER NOT NULL,"
	" PRIMARY KEY(time_ms, category)) STRICT, WITHOUT ROWID;"

	"CREATE TABLE audit("
	" sequence INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, hash BLOB NOT NULL,"
	" json TEXT NOT NULL) STRICT;"
	"CREATE TABLE audit_head("
	" only INTEGER PRIMARY KEY CHECK (only = 1), sequence INTEGER NOT NULL,"
	" hash BLOB NOT NULL) STRICT;"
	"INSERT INTO audit_head VALUES(1, 0, zeroblob(32));";
/* clang-format on */

/* clang-format off */
static const char version_2[] =
	"CREATE TABLE holding("
	" target INTEGER, resource TEXT, id TEXT, part TEXT, name TEXT NOT NULL,"
	" value TEXT NOT NULL, former TEXT,"
	" PRIMARY KEY(target, resource, id, part)) STRICT, WITHOUT ROWID;";
/* clang-format on */

const char *const schema_steps[] = {version_1, version_2};
const size_t schema_step_count = COUNT_OF(schema_steps);

enum err_code schema_examine(sqlite3 *db, int64_t *ret_version, struct err *err)
{
	int64_t application, version, tables;

	if (database_get_number(db, "PRAGMA application_id", &application, err) != ERR_NONE ||
			database_get_number(db, "PRAGMA user_version", &version, err) != ERR_NONE ||
			database_get_number(db, "SELECT count(*) FROM sqlite_schema", &tables,
					err) != ERR_NONE)
		return err->code;
	if (application == SCHEMA_APPLICATION_ID && version > 0) {
		*ret_version = version;
		return ERR_NONE;
	}
	if (application == 0 && version == 0 && tables == 0) {
		*ret_version = 0;
		return ERR_NONE;
	}
	return err_set(err, ERR_STORE, 0,
			"%s is not a store: an SQLite database of another program",
			sqlite3_db_filename(db, "main"));
}

static enum err_code refuse_newer(sqlite3 *db, int64_t version, size_t count, struct err *err)
{
	return err_set(err, ERR_STORE, 0,
			"the store %s was written by a newer version (its schema is %" PRId64
			", this program knows up to %zu)",
			sqlite3_db_filename(db, "main"), version, count);
}

static enum err_code run_steps(
		sqlite3 *db, const char *const *steps, size_t from, size_t count, struct err *err)
{
	char stamp[80];

	for (size_t i = from; i < count; i++) {
		if (database_run(db, steps[i], err) != ERR_NONE)
			return err_context(err, "upgrade the schema to version %zu", i + 1);
	}
	(void)snprintf(stamp, sizeof(stamp), "PRAGMA application_id=%d; PRAGMA user_version=%zu",
			SCHEMA_APPLICATION_ID, count);
	return database_run(db, stamp, err);
}

enum err_code schema_upgrade(sqlite3 *db, const char *const *steps, size_t count, struct err *err)
{
	int64_t version;

	if (schema_examine(db, &version, err) != ERR_NONE)
		return err->code;
	if (version > (int64_t)count)
		return refuse_newer(db, version, count, err);
	if (version == (int64_t)count)
		return ERR_NONE;
	if (database_run(db, "BEGIN IMMEDIATE", err) != ERR_NONE)
		return err->code;
	if (run_steps(db, steps, (size_t)version, count, err) == ERR_NONE &&
			database_run(db, "COMMIT", err) == ERR_NONE)
		return ERR_NONE;
	database_rollback(db);
	return err->code;
}

enum err_code schema_require_current(sqlite3 *db, struct err *err)
{
	const char *path = sqlite3_db_filename(db, "main");
	int64_t version;

	if (schema_examine(db, &version, err) != ERR_NONE)
		return err->code;
	if (version == 0)
		return err_set(err, ERR_NOT_FOUND, 0,
				"the store %s is empty: the service has not run yet", path);
	if (version > (int64_t)schema_step_count)
		return refuse_newer(db, version, schema_step_count, err);
	if (version < (int64_t)schema_step_count)
		return err_set(err, ERR_STORE, 0,
				"the store %s was written by an older version (schema %" PRId64
				"): start the service once, it upgrades the file",
				path, version);
	return ERR_NONE;
}
