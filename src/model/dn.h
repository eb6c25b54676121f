/*
 * dn -- distinguished names as keys (RFC 4514), compared the way directories compare them.
 *
 * A key is what two spellings of one name have in common: attribute types lower-case and by their short names
 * (2.5.4.3, commonName = cn), values unescaped, trimmed, runs of spaces squeezed, case-folded (Unicode, NFKC), the
 * parts of a multi-valued RDN sorted. RDNs stand root first, each ended by DN_KEY_END, so that "below" is "begins with".
 * Keys hold no NUL. They are for comparing in this process and in the store; searches use the text as it was received.
 *
 * Read is what RFC 4514 writes, and spaces around separators. The forms of LDAPv2 (quotes, semicolons, OID.1.2.3) are
 * refused. Attributes with case-exact values are folded as well: identity never hangs on a name alone.
 */
#ifndef L2D_MODEL_DN_H
#define L2D_MODEL_DN_H

#include "base/buf.h"

#define DN_TEXT_MAX ((size_t)8 * 1024) /* bytes of a DN; a longer one is ERR_LIMIT */
#define DN_KEY_MAX (DN_TEXT_MAX * 4)
#define DN_RDNS_MAX 256     /* RDNs of one DN */
#define DN_RDN_PARTS_MAX 16 /* attributes of one multi-valued RDN */
#define DN_KEY_END '\x01'

/*
 * Puts the key of text into key (initialised by the caller with DN_KEY_MAX; emptied first). The empty DN has the empty
 * key. An optional-UID bit string at the end of a uniqueMember value ("#'0101'B", RFC 4517 3.3.21) is cut off.
 * Errors: ERR_PROTO (not a DN), ERR_LIMIT.
 */
MUST_CHECK enum err_code dn_key(struct span text, struct buf *key, struct err *err);

/* Whether key names the base itself or something below it. */
bool dn_key_is_under(struct span key, struct span base_key);
/* The key of what stands directly above key: a part of it; the empty key above a single RDN and above the root. */
struct span dn_key_above(struct span key);
/* How many RDNs key has. */
size_t dn_key_depth(struct span key);

/* Value of the first RDN's first attribute, unescaped ("cn=Data\, Eng,ou=x" -> "Data, Eng"); caller's, NULL if none. */
char *dn_first_value(struct span text);
/* The first `keep` RDNs of text, as written, below `above`: what a name becomes when something above it is renamed. */
char *dn_rebase(struct span text, size_t keep, const char *above);

#endif
