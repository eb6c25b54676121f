#include "cli/handlers.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/common.h"
#include "store/store.h"

#include <inttypes.h>

/* One JSON object per line: the chain's own fields, then the record as it was written. */
static void print_line(void *context, uint64_t sequence, int64_t time_ms, const char *hash,
		const char *json)
{
	char time[CLOCK_TEXT_SIZE];

	(void)context;
	clock_format(time_ms, time);
	(void)printf("{\"sequence\":%" PRIu64 ",\"time\":\"%s\",\"hash\":\"%s\",\"record\":%s}\n",
			sequence, time, hash, json);
}

static int verify(struct store *store)
{
	uint64_t count = 0;
	struct err err = {0};

	if (store_verify_audit(store, &count, &err) != ERR_NONE)
		return fail(&err);
	(void)printf("The record is whole: %" PRIu64 " line%s.\n", count, count == 1 ? "" : "s");
	return EXIT_DONE;
}

static int export(const struct invocation *call, struct store *store)
{
	int64_t from = 0;
	struct err err = {0};

	if (!text_parse_int(invocation_value(call, OPTION_FROM, "0"), 0, INT64_MAX, &from)) {
		complain("--from: \"%s\" is no sequence number",
				invocation_value(call, OPTION_FROM, ""));
		return EXIT_USAGE;
	}
	if (store_each_audit(store, (uint64_t)from, print_line, NULL, &err) != ERR_NONE)
		return fail(&err);
	return EXIT_DONE;
}

int handle_audit(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = load_config(call, &code);
	struct store *store = NULL;
	struct err err = {0};

	if (!config)
		return code;
	if (store_open(NULL, config_settings(config)->store_path, STORE_READ, &store, &err) !=
			ERR_NONE)
		return fail(&err);
	code = text_equal(call->args[0], "verify") ? verify(store) : export(call, store);
	store_close(store);
	return code;
}
