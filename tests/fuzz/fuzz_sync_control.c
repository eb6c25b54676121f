/* A control value of any content: decoded by each reader, or refused. */
#include "directory/sync_control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const struct span value = {(const char *)data, size};
	char anchor[SYNC_ANCHOR_SIZE];
	struct sync_state state;
	struct sync_done done;
	struct sync_info info;
	struct err err;

	if (sync_state_decode(value, arena, &state, &err) == ERR_NONE)
		(void)anchor_from_text(span_of(state.anchor), anchor);
	(void)!sync_done_decode(value, arena, &done, &err);
	if (sync_info_decode(value, arena, &info, &err) == ERR_NONE)
		(void)sync_cookie_is_plausible(info.cookie);
	(void)sync_cookie_is_plausible(value);
	arena_free(arena);
	return 0;
}
