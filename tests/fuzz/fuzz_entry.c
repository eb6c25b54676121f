/* A packed entry as it may come back from the store. What is taken must be in the one form that packing gives. */
#include "model/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span block = {(const char *)data, size};
	AUTO(arena_freep) struct arena *arena = arena_new();
	AUTO(buf_release) struct buf again = {.max = size + 16};
	struct entry entry;
	struct err err;

	(void)entry_block_first(block, "cn");
	if (entry_unpack(block, arena, &entry, &err) != ERR_NONE)
		return 0;
	entry_pack(&entry, NULL, 0, &again);
	if (again.len > block.len)
		abort();
	return 0;
}
