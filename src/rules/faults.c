#include "rules/faults.h"

#include "base/text.h"
#include "base/vec.h"

#include <stdlib.h>

struct fault {
	char *text;
	size_t file_len; /* of "FILE:LINE:COLUMN: ..."; 0: it has no place */
	size_t file;     /* which of the files in the order in which they were read */
	unsigned line, column;
	size_t order; /* in which it was noted */
};

struct faults {
	VEC(struct fault) items;
	VEC(char *) files;
	size_t count;
	bool sorted;
};

struct faults *faults_new(void)
{
	return mem_zalloc(sizeof(struct faults));
}

void faults_free(struct faults *faults)
{
	if (!faults)
		return;
	for (vec_each (&faults->items, fault))
		mem_free(fault->text);
	for (vec_each (&faults->files, file))
		mem_free(*file);
	vec_release(&faults->items);
	vec_release(&faults->files);
	mem_free(faults);
}

void faults_freep(struct faults **faults)
{
	faults_free(*faults);
}

/* ---- places ---- */

/* Reads "NUMBER" and the colon behind it. */
static const char *take_number(const char *at, unsigned *ret)
{
	unsigned value = 0;

	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9' && value < 100000000; at++)
		value = value * 10 + (unsigned)(*at - '0');
	*ret = value;
	return *at == ':' ? at + 1 : NULL;
}

/* As document_error writes it; a path may have colons, too. */
static void find_place(struct fault *fault)
{
	for (const char *colon = strchr(fault->text, ':'); colon; colon = strchr(colon + 1, ':')) {
		unsigned line, column;
		const char *next = take_number(colon + 1, &line);

		next = next ? take_number(next, &column) : NULL;
		if (!next || *next != ' ')
			continue;
		fault->file_len = (size_t)(colon - fault->text);
		fault->line = line;
		fault->column = column;
		return;
	}
}

static size_t file_number(struct faults *faults, const struct fault *fault)
{
	size_t i = 0;

	while (i < faults->files.count &&
			!(strlen(faults->files.items[i]) == fault->file_len &&
					strncmp(faults->files.items[i], fault->text,
							fault->file_len) == 0))
		i++;
	if (i == faults->files.count)
		*vec_add(&faults->files) = mem_strndup(fault->text, fault->file_len);
	return i;
}

bool faults_note(struct faults *faults, const struct err *err)
{
	struct fault fault = {0};

	if (!faults)
		return false;
	for (vec_each (&faults->items, known)) {
		if (text_equal(known->text, err->text))
			return true;
	}
	fault.order = faults->count++;
	if (faults->items.count == FAULTS_MAX)
		return true;
	fault.text = mem_strdup(err->text);
	find_place(&fault);
	fault.file = file_number(faults, &fault);
	*vec_add(&faults->items) = fault;
	faults->sorted = false;
	return true;
}

size_t faults_count(const struct faults *faults)
{
	return faults->count;
}

static int compare(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

const char *faults_at(struct faults *faults, size_t index)
{
	if (!faults->sorted && faults->items.count)
		qsort(faults->items.items, faults->items.count, sizeof(*faults->items.items),
				compare);
	faults->sorted = true;
	return index < faults->items.count ? faults->items.items[index].text : NULL;
}

bool faults_between(const struct faults *faults, const char *file, unsigned first, unsigned last)
{
	size_t len = strlen(file);

	for (vec_each (&faults->items, fault)) {
		if (fault->file_len == len && strncmp(fault->text, file, len) == 0 &&
				fault->line >= first && fault->line < last)
			return true;
	}
	return false;
}
