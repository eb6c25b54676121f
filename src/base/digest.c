#include "base/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/text.h"

#define NAME_ON_STACK 256 /* a longer name, and one that is not ASCII, is folded on the heap */

static uint64_t quick_key[2];
static pthread_once_t quick_once = PTHREAD_ONCE_INIT;

static void quick_init(void)
{
	digest_random(quick_key, sizeof(quick_key));
}

static inline uint64_t rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t digest_quick(struct span bytes)
{
	uint64_t v[4], word;
	size_t i;

	(void)pthread_once(&quick_once, quick_init);
	v[0] = quick_key[0] ^ 0x736f6d6570736575ULL;
	v[1] = quick_key[1] ^ 0x646f72616e646f6dULL;
	v[2] = quick_key[0] ^ 0x6c7967656e657261ULL;
	v[3] = quick_key[1] ^ 0x7465646279746573ULL;
	for (i = 0; i + 8 <= bytes.len; i += 8) {
		memcpy(&word, bytes.ptr + i, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)bytes.len << 56;
	for (size_t k = 0; i + k < bytes.len; k++)
		word |= (uint64_t)(unsigned char)bytes.ptr[i + k] << (8 * k);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int round = 0; round < 3; round++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void hex(const unsigned char *bytes, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * len] = '\0';
}

static void must(int ok)
{
	if (ok == 1)
		return;
	(void)fputs("ldap2dbx: the crypto library failed to compute SHA-256\n", stderr);
	abort();
}

uint32_t digest_quick_folded(const char *name)
{
	char small[NAME_ON_STACK];
	AUTO(mem_freep) char *folded = NULL;
	size_t len = 0;

	for (; name[len] && (unsigned char)name[len] < 0x80 && len < sizeof(small); len++)
		small[len] = name[len] >= 'A' && name[len] <= 'Z' ? (char)(name[len] | 0x20)
								  : name[len];
	if (len < sizeof(small) && !name[len])
		return (uint32_t)digest_quick((struct span){small, len});
	folded = text_fold(span_of(name));
	return (uint32_t)digest_quick(span_of(folded));
}

void digest_sha256(struct span bytes, unsigned char ret[static DIGEST_SIZE])
{
	must(EVP_Digest(bytes.ptr, bytes.len, ret, NULL, EVP_sha256(), NULL));
}

void digest_sha256_hex(struct span bytes, char ret[static DIGEST_HEX_SIZE])
{
	unsigned char sum[DIGEST_SIZE];

	digest_sha256(bytes, sum);
	hex(sum, sizeof(sum), ret);
}

struct digest {
	EVP_MD_CTX *context;
};

struct digest *digest_new(void)
{
	struct digest *digest = mem_zalloc(sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	must(digest->context ? EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) : 0);
	return digest;
}

void digest_add(struct digest *digest, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(digest->context, bytes, len));
}

void digest_add_text(struct digest *digest, const char *text)
{
	digest_add(digest, text, strlen(text) + 1);
}

void digest_finish(struct digest *digest, char ret[static DIGEST_HEX_SIZE])
{
	unsigned char sum[DIGEST_SIZE];

	must(EVP_DigestFinal_ex(digest->context, sum, NULL));
	EVP_MD_CTX_free(digest->context);
	mem_free(digest);
	hex(sum, sizeof(sum), ret);
}

void digest_random(void *ret, size_t len)
{
	if (getentropy(ret, len) == 0)
		return;
	(void)fputs("ldap2dbx: the system gives no random numbers\n", stderr);
	abort();
}

void digest_uuid(char ret[static 37])
{
	unsigned char bytes[16];
	char text[33];

	digest_random(bytes, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	hex(bytes, sizeof(bytes), text);
	(void)snprintf(ret, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", text, text + 8, text + 12, text + 16,
			text + 20);
}
