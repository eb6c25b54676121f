#include "store/encoding.h"

static const char hex_digits[] = "0123456789abcdef";

bool encoding_parse_id(const char *text, int64_t *ret)
{
	int64_t number = 0;

	if (!text || !*text || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10, &number) ||
				__builtin_add_overflow(number, *text - '0', &number))
			return false;
	}
	*ret = number;
	return true;
}

const char *encoding_format_id(int64_t number, char buffer[static ENCODING_ID_SIZE])
{
	char *at = buffer + ENCODING_ID_SIZE - 1;

	/* Millions of them are formatted in a row when the store is loaded: printf would take most
	 * of that time. */
	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return at;
}

static bool is_dash(size_t position)
{
	return position == 8 || position == 13 || position == 18 || position == 23;
}

bool encoding_parse_uuid(const char *text, char ret[static ENCODING_UUID_BYTES])
{
	unsigned char bytes[ENCODING_UUID_BYTES] = {0};
	size_t nibble = 0;

	for (size_t i = 0; i < ENCODING_UUID_SIZE - 1; i++) {
		const char *digit;

		if (is_dash(i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		digit = text[i] ? strchr(hex_digits, text[i]) : NULL;
		if (!digit)
			return false;
		bytes[nibble / 2] = (unsigned char)(bytes[nibble / 2] << 4 | (digit - hex_digits));
		nibble++;
	}
	if (text[ENCODING_UUID_SIZE - 1] != '\0')
		return false;
	memcpy(ret, bytes, sizeof(bytes));
	return true;
}

void encoding_format_uuid(
		const char bytes[static ENCODING_UUID_BYTES], char ret[static ENCODING_UUID_SIZE])
{
	size_t nibble = 0;

	for (size_t i = 0; i < ENCODING_UUID_SIZE - 1; i++) {
		unsigned char byte;

		if (is_dash(i)) {
			ret[i] = '-';
			continue;
		}
		byte = (unsigned char)bytes[nibble / 2];
		ret[i] = hex_digits[nibble % 2 ? byte & 15 : byte >> 4];
		nibble++;
	}
	ret[ENCODING_UUID_SIZE - 1] = '\0';
}

void encoding_cookie_checksum(const char *search_digest, struct span cookie,
		unsigned char ret[static DIGEST_SIZE])
{
	size_t head = strlen(search_digest) + 1;
	AUTO(mem_freep) char *bytes = mem_alloc(head + cookie.len);

	memcpy(bytes, search_digest, head);
	if (cookie.len)
		memcpy(bytes + head, cookie.ptr, cookie.len);
	digest_sha256((struct span){bytes, head + cookie.len}, ret);
}
