#include "databricks/auth/ini.h"

#include "base/vec.h"

/*
 * The dialect that Databricks' SDKs have in common: [section], key = value or key: value, whole-line comments with # or ;
 * and a comment behind a value only after a blank ("a#b" is a value). Keys before any section belong to [DEFAULT].
 */

typedef VEC(struct ini_entry) entry_list;

static char *trim(char *text)
{
	char *end;

	while (*text == ' ' || *text == '\t')
		text++;
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
	return text;
}

static void cut_comment(char *value)
{
	for (char *p = value; *p; p++) {
		if ((*p == '#' || *p == ';') && (p == value || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			return;
		}
	}
}

static void lower(char *key)
{
	for (; *key; key++) {
		if (*key >= 'A' && *key <= 'Z')
			*key = (char)(*key - 'A' + 'a');
	}
}

static enum err_code add_entry(entry_list *list, char *line, unsigned number, struct err *err)
{
	char *separator = line + strcspn(line, "=:");
	struct ini_entry entry;

	if (*separator == '\0')
		return err_set(err, ERR_CONFIG, 0, "line %u is neither [section] nor key = value",
				number);
	*separator = '\0';
	cut_comment(separator + 1);
	lower(line);
	entry = (struct ini_entry){trim(line), trim(separator + 1)};
	if (*entry.key == '\0')
		return err_set(err, ERR_CONFIG, 0, "line %u has no key", number);
	for (vec_each (list, other)) {
		if (strcmp(other->key, entry.key) == 0)
			return err_set(err, ERR_CONFIG, 0, "line %u: \"%s\" is there twice", number,
					entry.key);
	}
	*vec_add(list) = entry;
	return ERR_NONE;
}

static enum err_code enter_section(char *line, unsigned number, char **ret, struct err *err)
{
	char *end = strchr(line, ']');

	if (!end)
		return err_set(err, ERR_CONFIG, 0, "line %u: \"[\" without \"]\"", number);
	*end = '\0';
	*ret = trim(line + 1);
	return ERR_NONE;
}

enum err_code ini_read(struct span text, const char *section, struct ini *ret, struct err *err)
{
	struct ini ini = {.text = mem_strndup(text.ptr, text.len), .text_len = text.len};
	char default_section[] = "DEFAULT";
	char *rest = ini.text, *current = default_section, *line;
	enum err_code code = ERR_NONE;
	entry_list list = {0};
	unsigned number = 0;

	while (code == ERR_NONE && (line = strsep(&rest, "\n"))) {
		number++;
		line = trim(line);
		if (*line == '\0' || *line == '#' || *line == ';')
			continue;
		if (*line == '[') {
			code = enter_section(line, number, &current, err);
			ini.found = ini.found ||
					(code == ERR_NONE && strcmp(current, section) == 0);
		} else if (strcmp(current, section) == 0) {
			ini.found = true;
			code = add_entry(&list, line, number, err);
		}
	}
	ini.entries = list.items;
	ini.count = list.count;
	if (code != ERR_NONE) {
		ini_release(&ini);
		return code;
	}
	*ret = ini;
	return ERR_NONE;
}

const char *ini_get(const struct ini *ini, const char *key)
{
	for (size_t i = 0; i < ini->count; i++) {
		if (strcmp(ini->entries[i].key, key) == 0)
			return ini->entries[i].value;
	}
	return NULL;
}

void ini_release(struct ini *ini)
{
	if (ini->text)
		explicit_bzero(ini->text, ini->text_len);
	mem_free(ini->text);
	mem_free(ini->entries);
	*ini = (struct ini){0};
}
