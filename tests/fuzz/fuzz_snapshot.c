/* A record of the snapshot as it may come back from the store: members of any shape, then the group changes and goes. */
#include "directory/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct search searches[] = {{.purpose = SEARCH_GROUPS}};
	struct snapshot *snapshot = snapshot_new(searches, 1);
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct snapshot_record record = {
			0, "a", "uid=a,dc=x", 1, SPAN_LIT("\0"), {(const char *)data, size}};
	const struct entry person = {"b", "uid=b,dc=x", NULL, 0},
			   group = {"a", "uid=c,dc=x", NULL, 0};
	struct err err;
	size_t count;

	if (snapshot_load(snapshot, &record, &err) == ERR_NONE) {
		snapshot_load_finish(snapshot);
		snapshot_record(snapshot, 0, arena, &record);
		(void)snapshot_unresolved(snapshot, 0, &count);
		if (snapshot_upsert(snapshot, 0, &person, &err) != ERR_NONE ||
				snapshot_upsert(snapshot, 0, &group, &err) != ERR_NONE)
			abort();
		snapshot_remove(snapshot, 0, "a");
		(void)snapshot_changes(snapshot, &count);
		snapshot_settle(snapshot);
	}
	snapshot_free(snapshot);
	return 0;
}
