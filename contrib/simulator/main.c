#include <stdio.h>

int main(void)
{
	puts("ldap2dbx");
	return 0;
}
