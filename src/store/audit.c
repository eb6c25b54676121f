#include "store/audit.h"

#include "store/database.h"
#include "store/store.h"

#include <inttypes.h>

/* Longest line that verify reads into its buffer; a batch cannot hold a longer one. */
#define LINE_BYTES_MAX ((size_t)192 * 1024 * 1024)

static void hash_to_hex(
		const unsigned char hash[static DIGEST_SIZE], char ret[static DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[2 * DIGEST_SIZE] = '\0';
}

void audit_advance(struct audit_head *head, int64_t time_ms, struct span json, struct buf *scratch)
{
	char hex[DIGEST_HEX_SIZE];

	head->sequence++;
	hash_to_hex(head->hash, hex);
	buf_reset(scratch);
	buf_printf(scratch, "%s\n%" PRIu64 "\n%" PRId64 "\n", hex, head->sequence, time_ms);
	buf_add(scratch, json.ptr, json.len);
	digest_sha256((struct span){buf_text(scratch), scratch->len}, head->hash);
}

static bool column_hash(sqlite3_stmt *row, int column, unsigned char ret[static DIGEST_SIZE])
{
	const void *hash = sqlite3_column_blob(row, column);

	if (!hash || sqlite3_column_bytes(row, column) != DIGEST_SIZE)
		return false;
	memcpy(ret, hash, DIGEST_SIZE);
	return true;
}

enum err_code audit_load_head(sqlite3 *db, struct audit_head *ret, struct err *err)
{
	sqlite3_stmt *row = NULL;
	struct audit_head head;
	enum err_code code = ERR_NONE;
	int result;

	if (database_prepare(db, "SELECT sequence, hash FROM audit_head", &row, err) != ERR_NONE)
		return err->code;
	result = sqlite3_step(row);
	if (result != SQLITE_ROW && result != SQLITE_DONE) {
		code = database_error(db, result, "read the audit's head", err);
	} else if (result == SQLITE_DONE || !column_hash(row, 1, head.hash)) {
		code = err_set(err, ERR_STORE, 0,
				"the store %s is damaged: the audit's head is gone",
				sqlite3_db_filename(db, "main"));
	} else {
		head.sequence = (uint64_t)sqlite3_column_int64(row, 0);
		*ret = head;
	}
	(void)sqlite3_finalize(row);
	return code;
}

/* One line against the chain so far; moves *chain on. */
static enum err_code verify_line(
		sqlite3_stmt *row, struct audit_head *chain, struct buf *scratch, struct err *err)
{
	uint64_t sequence = (uint64_t)sqlite3_column_int64(row, 0);
	unsigned char hash[DIGEST_SIZE];
	struct span json;

	if (sequence != chain->sequence + 1)
		return err_set(err, ERR_STORE, 0,
				"the audit does not verify: line %" PRIu64 " is missing",
				chain->sequence + 1);
	json.ptr = (const char *)sqlite3_column_text(row, 3);
	json.len = (size_t)sqlite3_column_bytes(row, 3);
	audit_advance(chain, sqlite3_column_int64(row, 1), json, scratch);
	if (!column_hash(row, 2, hash) || memcmp(hash, chain->hash, sizeof(hash)) != 0)
		return err_set(err, ERR_STORE, 0,
				"the audit does not verify: line %" PRIu64 " was changed or moved",
				sequence);
	return ERR_NONE;
}

static enum err_code verify_lines(
		sqlite3 *db, struct audit_head *chain, struct buf *scratch, struct err *err)
{
	sqlite3_stmt *row = NULL;
	enum err_code code = ERR_NONE;
	int result = SQLITE_DONE;

	if (database_prepare(db,
			    "SELECT sequence, time_ms, hash, json FROM audit ORDER BY sequence",
			    &row, err) != ERR_NONE)
		return err->code;
	while (code == ERR_NONE && (result = sqlite3_step(row)) == SQLITE_ROW)
		code = verify_line(row, chain, scratch, err);
	if (code == ERR_NONE && result != SQLITE_DONE)
		code = database_error(db, result, "read the audit", err);
	(void)sqlite3_finalize(row);
	return code;
}

enum err_code audit_verify(sqlite3 *db, uint64_t *ret_count, struct err *err)
{
	struct audit_head chain = {0}, head;
	struct buf scratch;
	enum err_code code;

	if (audit_load_head(db, &head, err) != ERR_NONE)
		return err->code;
	buf_init(&scratch, LINE_BYTES_MAX);
	code = verify_lines(db, &chain, &scratch, err);
	buf_release(&scratch);
	if (code != ERR_NONE)
		return code;
	if (chain.sequence < head.sequence)
		return err_set(err, ERR_STORE, 0,
				"the audit does not verify: line %" PRIu64
				" and what follows up to %" PRIu64 " is missing",
				chain.sequence + 1, head.sequence);
	if (chain.sequence > head.sequence)
		return err_set(err, ERR_STORE, 0,
				"the audit does not verify: line %" PRIu64
				" was added by somebody else",
				head.sequence + 1);
	if (memcmp(chain.hash, head.hash, sizeof(head.hash)) != 0)
		return err_set(err, ERR_STORE, 0,
				"the audit does not verify: line %" PRIu64
				" is not the one that was written last",
				chain.sequence);
	*ret_count = chain.sequence;
	return ERR_NONE;
}
