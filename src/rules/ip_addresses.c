#include "rules/ip_addresses.h"

#include "model/ip_range.h"

const struct document_node *ip_addresses_node(const struct document_node *node, size_t index)
{
	return node->kind == DOCUMENT_LIST ? node->children[index] : node;
}

enum err_code ip_addresses_read(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct texts *texts = target;
	enum err_code code = schema_texts(reader, node, texts, err);

	if (code == ERR_NONE && texts->count == 0)
		return document_error(node, err, "`%s` names no address", node->key);
	for (size_t i = 0; i < texts->count && code == ERR_NONE; i++) {
		struct ip_range range;
		const char *wrong = ip_range_parse(texts->items[i], &range);

		if (wrong)
			code = document_error(ip_addresses_node(node, i), err, "`%.60s`: %s",
					texts->items[i], wrong);
	}
	return code;
}
