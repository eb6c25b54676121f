#include "store/statements.h"

/* clang-format off */
const char *const record_sql[RECORD_KIND_COUNT_][STATEMENTS_PER_RECORD] = {
	[RECORD_PUT_ENTRY] = {
		"INSERT INTO entry(source, anchor, dn, searches, attributes, members)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
		" ON CONFLICT(source, anchor) DO UPDATE SET dn = excluded.dn,"
		" searches = excluded.searches, attributes = excluded.attributes,"
		" members = excluded.members",
	},
	[RECORD_DROP_ENTRY] = {
		"DELETE FROM entry WHERE source = ?1 AND anchor = ?2",
	},
	[RECORD_DROP_ALL_ENTRIES] = {
		"DELETE FROM entry",
		"DELETE FROM cookie",
	},
	[RECORD_PUT_COOKIE] = {
		"INSERT INTO cookie(search, value, checksum) VALUES(?1, ?2, ?3)"
		" ON CONFLICT(search) DO UPDATE SET value = excluded.value,"
		" checksum = excluded.checksum",
	},
	[RECORD_DROP_COOKIE] = {
		"DELETE FROM cookie WHERE search = ?1",
	},
	/* The first: another remote id under the same key is a predecessor, which is gone. */
	[RECORD_PUT_PRINCIPAL] = {
		"DELETE FROM principal"
		" WHERE target = ?1 AND kind = ?2 AND key = ?4 AND remote_id <> ?3",
		"INSERT INTO principal(target, kind, remote_id, key, origin, active, left_ms,"
		" user_name, display_name, given_name, family_name, external_id, application_id,"
		" when_gone, match_value)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
		" ON CONFLICT(kind, remote_id, target) DO UPDATE SET key = excluded.key,"
		" origin = excluded.origin, active = excluded.active, left_ms = excluded.left_ms,"
		" user_name = excluded.user_name, display_name = excluded.display_name,"
		" given_name = excluded.given_name, family_name = excluded.family_name,"
		" external_id = excluded.external_id, application_id = excluded.application_id,"
		" when_gone = excluded.when_gone, match_value = excluded.match_value",
	},
	/* The trigger principal_gone does the rest. */
	[RECORD_DROP_PRINCIPAL] = {
		"DELETE FROM principal WHERE target = ?1 AND kind = ?2 AND remote_id = ?3",
	},
	[RECORD_PUT_MEMBER] = {
		"INSERT INTO member(target, group_id, member_id) VALUES(?1, ?2, ?3)"
		" ON CONFLICT DO NOTHING",
	},
	[RECORD_DROP_MEMBER] = {
		"DELETE FROM member WHERE target = ?1 AND group_id = ?2 AND member_id = ?3",
	},
	[RECORD_PUT_GRANT] = {
		"INSERT INTO granted(kind, remote_id, target, what, name, level, former)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(kind, remote_id, target, what,"
		" name) DO UPDATE SET level = excluded.level, former = excluded.former",
	},
	[RECORD_DROP_GRANT] = {
		"DELETE FROM granted"
		" WHERE kind = ?1 AND remote_id = ?2 AND target = ?3 AND what = ?4 AND name = ?5",
	},
	[RECORD_PUT_HOLDING] = {
		"INSERT INTO holding(target, resource, id, part, name, value, former)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(target, resource, id, part)"
		" DO UPDATE SET name = excluded.name, value = excluded.value,"
		" former = excluded.former",
	},
	[RECORD_DROP_HOLDING] = {
		"DELETE FROM holding"
		" WHERE target = ?1 AND resource = ?2 AND id = ?3 AND part = ?4",
	},
	[RECORD_PUT_INTENT] = {
		"INSERT INTO intent(operation_id, operation, time_ms) VALUES(?1, ?2, ?3)"
		" ON CONFLICT(operation_id) DO UPDATE SET operation = excluded.operation,"
		" time_ms = excluded.time_ms",
	},
	[RECORD_DROP_INTENT] = {
		"DELETE FROM intent WHERE operation_id = ?1",
	},
	[RECORD_PUT_HOLD] = {
		"INSERT INTO hold(operation_id, hold_id, operation, category, state, time_ms, reason)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		" ON CONFLICT(operation_id) DO UPDATE SET hold_id = excluded.hold_id,"
		" operation = excluded.operation, category = excluded.category,"
		" state = excluded.state, time_ms = excluded.time_ms, reason = excluded.reason",
	},
	[RECORD_DROP_HOLD] = {
		"DELETE FROM hold WHERE operation_id = ?1",
	},
	[RECORD_PUT_QUARANTINE] = {
		"INSERT INTO quarantine(key, name, reason, since_ms, retry_ms, tries)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
		" ON CONFLICT(key) DO UPDATE SET name = excluded.name, reason = excluded.reason,"
		" since_ms = excluded.since_ms, retry_ms = excluded.retry_ms, tries = excluded.tries",
	},
	[RECORD_DROP_QUARANTINE] = {
		"DELETE FROM quarantine WHERE key = ?1",
	},
	[RECORD_ADD_REMOVALS] = {
		"INSERT INTO removals(time_ms, category, count) VALUES(?1, ?2, ?3)"
		" ON CONFLICT(time_ms, category) DO UPDATE SET count = count + excluded.count",
	},
	[RECORD_PUT_META] = {
		"INSERT INTO meta(name, value) VALUES(?1, ?2)"
		" ON CONFLICT(name) DO UPDATE SET value = excluded.value",
	},
	[RECORD_DROP_META] = {
		"DELETE FROM meta WHERE name = ?1",
	},
	[RECORD_ADD_AUDIT] = {
		"INSERT INTO audit(sequence, time_ms, hash, json) VALUES(?1, ?2, ?3, ?4)",
	},
};
/* clang-format on */
