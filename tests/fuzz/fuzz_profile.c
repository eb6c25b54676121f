/* A profile file of any content: its sections are read, and what it says of hosts is normalised. */
#include "databricks/answer.h"
#include "databricks/auth/host.h"
#include "databricks/auth/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void normalise(const char *text)
{
	char *host = NULL, *workspace_id = NULL, *account_id = NULL;
	struct err err;

	/* What is taken once must be taken again, as it is, and be safe to send a credential to. */
	if (host_normalise(text, &host, &workspace_id, &account_id, &err) == ERR_NONE) {
		char *again = NULL;

		if (!host_url_is_safe(host) ||
				host_normalise(host, &again, &workspace_id, &account_id, &err) !=
						ERR_NONE ||
				strcmp(host, again) != 0)
			abort();
		mem_free(again);
	}
	mem_free(host);
	mem_free(workspace_id);
	mem_free(account_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const sections[] = {"DEFAULT", "__settings__", "qa"};
	AUTO(mem_freep) char *text = mem_strndup((const char *)data, size);

	normalise(text);
	(void)answer_retry_after(text, INT64_C(1767225600000));
	for (size_t i = 0; i < COUNT_OF(sections); i++) {
		struct ini ini;
		struct err err;
		const char *host;

		if (ini_read(span_of(text), sections[i], &ini, &err) != ERR_NONE)
			continue;
		host = ini_get(&ini, "host");
		if (host)
			normalise(host);
		ini_release(&ini);
	}
	return 0;
}
