#include "cli/terminal.h"

#include "base/buf.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_MAX 64
#define BAR_CELLS 30
#define BAR_LINE_MAX 240

static const char *const paints[] = {
		[PAINT_ADD] = "\033[32m",
		[PAINT_CHANGE] = "\033[33m",
		[PAINT_REMOVE] = "\033[31m",
		[PAINT_ADOPT] = "\033[36m",
		[PAINT_HELD] = "\033[35m",
		[PAINT_DIM] = "\033[2m",
		[PAINT_BOLD] = "\033[1m",
};
_Static_assert(COUNT_OF(paints) == PAINT_COUNT_, "a sequence per paint");

static bool progress_shown;

struct canvas canvas_of(FILE *file, bool no_color)
{
	const char *off = getenv("NO_COLOR");
	bool color = !no_color && !(off && *off) && !text_equal(getenv("TERM"), "dumb");

	return (struct canvas){.file = file, .color = color && isatty(fileno(file)) != 0};
}

const char *paint_on(const struct canvas *canvas, enum paint paint)
{
	return canvas->color ? paints[paint] : "";
}

const char *paint_off(const struct canvas *canvas)
{
	return canvas->color ? "\033[0m" : "";
}

void print_foreign(FILE *file, const char *text)
{
	AUTO(mem_freep) char *shown = text_printable(span_of(text ? text : "-"));

	(void)fputs(shown, file);
}

void complain(const char *fmt, ...)
{
	AUTO(mem_freep) char *shown = NULL;
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	shown = text_printable(span_of(text));
	progress_clear();
	(void)fflush(stdout);
	(void)fprintf(stderr, "ldap2dbx: %s\n", shown);
}

bool can_ask(void)
{
	return isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
}

bool ask_yes(const char *question)
{
	char answer[ANSWER_MAX];
	size_t len;

	progress_clear();
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s Only \"yes\" is a yes: ", question);
	if (!fgets(answer, sizeof(answer), stdin)) {
		(void)fputc('\n', stderr);
		return false;
	}
	len = strlen(answer);
	while (len > 0 && (answer[len - 1] == '\n' || answer[len - 1] == ' '))
		answer[--len] = '\0';
	return text_equal(answer, "yes");
}

static void add_bar(struct buf *line, uint64_t done, uint64_t total)
{
	uint64_t filled = done >= total ? BAR_CELLS : done * BAR_CELLS / total;

	buf_add_text(line, "  ");
	for (uint64_t i = 0; i < BAR_CELLS; i++)
		buf_add_text(line, i < filled ? "█" : "░");
	buf_printf(line, " %" PRIu64 "/%" PRIu64, done, total);
}

void progress_draw(const char *what, uint64_t done, uint64_t total)
{
	struct buf line;

	if (!isatty(STDERR_FILENO))
		return;
	buf_init(&line, BAR_LINE_MAX);
	/* The cursor goes back to the first column, so that a log line writes over the bar and not
	 * behind it. */
	buf_printf(&line, "\r\033[K%s", what);
	if (total > 0)
		add_bar(&line, done, total);
	else
		buf_printf(&line, " %" PRIu64, done);
	buf_add_char(&line, '\r');
	(void)fputs(buf_text(&line), stderr);
	(void)fflush(stderr);
	buf_release(&line);
	progress_shown = true;
}

void progress_clear(void)
{
	if (!progress_shown)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	progress_shown = false;
}
