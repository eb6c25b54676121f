/*
 * terminal -- what is different when a person watches: colours, a question, a progress bar.
 * Elsewhere nothing of it.
 */
#ifndef L2D_CLI_TERMINAL_H
#define L2D_CLI_TERMINAL_H

#include <stdio.h>

#include "base/mem.h"

enum paint {
	PAINT_ADD,
	PAINT_CHANGE,
	PAINT_REMOVE,
	PAINT_ADOPT,
	PAINT_HELD,
	PAINT_DIM,
	PAINT_BOLD,
	PAINT_COUNT_
};

/* Where text goes and how: a file, and whether colours make sense there. */
struct canvas {
	FILE *file;
	bool color;
};
/* Colours if file is a terminal, unless they are switched off (--no-color, NO_COLOR not empty,
 * TERM=dumb). */
struct canvas canvas_of(FILE *file, bool no_color);
/* The sequence that starts a paint, or ends any; "" without colours. */
const char *paint_on(const struct canvas *canvas, enum paint paint);
const char *paint_off(const struct canvas *canvas);

/* Prints bytes from outside so that no control character reaches the terminal; NULL prints "-". */
void print_foreign(FILE *file, const char *text);

/* One line "ldap2dbx: TEXT" on standard error; what came before of a progress bar is wiped. */
void complain(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Whether somebody can be asked: standard input and standard error are terminals. */
bool can_ask(void);
/* Asks on standard error; true only for the word "yes". */
bool ask_yes(const char *question);

/* Redraws the one status line on standard error, if that is a terminal. total 0: not known, no bar.
 */
void progress_draw(const char *what, uint64_t done, uint64_t total);
void progress_clear(void);

#endif
