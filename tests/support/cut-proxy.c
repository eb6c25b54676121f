/*
 * cut-proxy -- a TCP forwarder that cuts every connection before the server's octet of a given number.
 *
 * usage: cut-proxy TARGET_PORT OCTETS    prints its own port, and forwards to 127.0.0.1:TARGET_PORT
 *
 * OCTETS 0 cuts nothing. SIGUSR1 ends the cutting, SIGUSR2 begins it again, SIGTERM ends the program.
 */
#include "base/text.h"
#include "proxy.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	int64_t port, octets;
	struct proxy *proxy;
	sigset_t signals;
	int number;

	if (argc != 3 || !text_parse_int(argv[1], 1, UINT16_MAX, &port) ||
			!text_parse_int(argv[2], 0, INT32_MAX, &octets)) {
		fputs("usage: cut-proxy TARGET_PORT OCTETS\n", stderr);
		return 64;
	}
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGUSR1);
	(void)sigaddset(&signals, SIGUSR2);
	(void)sigaddset(&signals, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before the proxy's thread begins */
	proxy = proxy_new((int)port);
	proxy_cut_each(proxy, (size_t)octets);
	printf("%d\n", proxy_port(proxy));
	(void)fflush(stdout);
	while (sigwait(&signals, &number) == 0 && number != SIGTERM)
		proxy_cut_each(proxy, number == SIGUSR2 ? (size_t)octets : 0);
	proxy_free(proxy);
	return 0;
}
