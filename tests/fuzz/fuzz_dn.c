/* DNs as a directory may send them. Whatever they are, reading keeps to its bounds, and a key keeps its promises. */
#include "model/dn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	AUTO(mem_freep) char *value = dn_first_value(text);
	AUTO(mem_freep) char *rebased = NULL;
	struct err err;

	if (dn_key(text, &key, &err) == ERR_NONE && key.len > 0) {
		struct span of = {key.ptr, key.len};

		if (memchr(key.ptr, '\0', key.len) || key.ptr[key.len - 1] != DN_KEY_END ||
				dn_key_depth(of) != dn_key_depth(dn_key_above(of)) + 1 ||
				!dn_key_is_under(of, dn_key_above(of)))
			abort();
	}
	rebased = dn_rebase(text, size % 4, "dc=x");
	if (value && strlen(value) > size)
		abort();
	return 0;
}
