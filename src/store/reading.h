/*
 * reading -- one query on the store's reading connection, row by row, with ids and names in their
 * long form.
 */
#ifndef L2D_STORE_READING_H
#define L2D_STORE_READING_H

#include <sqlite3.h>

#include "base/vec.h"
#include "store/encoding.h"

struct reading {
	sqlite3 *db;
	sqlite3_stmt *row;
	bool began; /* the transaction is ours to end */
	VEC(char *) names;
	enum err_code code; /* sticky */
	struct err *err;
};

/*
 * Begins a transaction if none is open, so that names and rows fit together, and prepares. A
 * failure shows at the first reading_next; reading_end is needed in any case.
 */
void reading_begin(struct reading *reading, sqlite3 *db, const char *sql, struct err *err);
bool reading_next(struct reading *reading); /* false: no more rows, or a failure */
enum err_code reading_end(
		struct reading *reading); /* releases all; ERR_NONE, or the code of what failed */

/* Columns of the present row; what they return lives until the next row, names until reading_end.
 */
const char *reading_text(struct reading *reading, int column); /* NULL for NULL */
struct span reading_blob(struct reading *reading, int column);
int64_t reading_int(struct reading *reading, int column);
/* A number that must be in [0, end): else the reading fails (ERR_STORE) and 0 is returned. */
int reading_enum(struct reading *reading, int column, int end);
const char *reading_name(
		struct reading *reading, int column); /* unknown number: as reading_enum, and "" */
const char *reading_remote_id(
		struct reading *reading, int column, char buffer[static ENCODING_ID_SIZE]);
const char *reading_anchor(
		struct reading *reading, int column, char buffer[static ENCODING_UUID_SIZE]);

#endif
