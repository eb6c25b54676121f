/* A plan as comma-separated values. Columns are a public interface (doc/ldap2dbx.1). */
#include "cli/csv.h"
#include "cli/plan_text.h"

static const char *const fields[] = {"op", "target", "kind", "name", "id", "what", "removal",
		"held", "file", "line", "entry"};

static void operation_row(FILE *file, const struct operation *op, const struct settings *settings,
		struct arena *arena)
{
	const char *texts[] = {operation_kind_name(op->kind), settings->targets[op->target].name,
			operation_subject(op), op->object.name, op->object.remote_id,
			operation_describe(op, settings, arena), op->is_removal ? "true" : "false",
			op->held_by, op->why.file,
			op->why.line ? arena_printf(arena, "%u", op->why.line) : NULL,
			op->why.entry};

	_Static_assert(COUNT_OF(texts) == COUNT_OF(fields), "a text per column");
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		csv_field(file, texts[i], i + 1 < COUNT_OF(texts) ? "," : "\r\n");
}

void plan_csv(FILE *file, const struct plan *plan, const struct settings *settings)
{
	AUTO(arena_freep) struct arena *arena = arena_new();

	csv_header(file, fields, COUNT_OF(fields));
	for (size_t i = 0; i < plan->count; i++) {
		arena_reset(arena);
		operation_row(file, &plan->operations[i], settings, arena);
	}
}
