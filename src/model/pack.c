#include "model/pack.h"

#define NUMBER_BYTES_MAX 5

void pack_add_number(struct buf *buf, size_t number)
{
	char octets[NUMBER_BYTES_MAX];
	size_t len = 0;

	for (; number >= 0x80 && len < NUMBER_BYTES_MAX - 1; number >>= 7)
		octets[len++] = (char)(number | 0x80);
	octets[len++] = (char)(number & 0x7f);
	buf_add(buf, octets, len);
}

void pack_add_span(struct buf *buf, struct span bytes)
{
	pack_add_number(buf, bytes.len);
	buf_add(buf, bytes.ptr, bytes.len);
}

size_t pack_read_number(struct pack_reader *reader, size_t max)
{
	size_t number = 0;

	for (unsigned shift = 0;
			!reader->damaged && reader->rest.len > 0 && shift < 7 * NUMBER_BYTES_MAX;
			shift += 7) {
		unsigned char octet = (unsigned char)*reader->rest.ptr++;

		reader->rest.len--;
		number |= (size_t)(octet & 0x7f) << shift;
		if (octet & 0x80)
			continue;
		if (number <= max)
			return number;
		break;
	}
	reader->damaged = true;
	return 0;
}

struct span pack_read_bytes(struct pack_reader *reader, size_t len)
{
	struct span bytes = {reader->rest.ptr, len};

	if (reader->damaged || len > reader->rest.len) {
		reader->damaged = true;
		return (struct span){"", 0};
	}
	reader->rest.ptr += len;
	reader->rest.len -= len;
	return bytes;
}

struct span pack_read_span(struct pack_reader *reader, size_t max)
{
	return pack_read_bytes(reader, pack_read_number(reader, max));
}
