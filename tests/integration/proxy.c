#include "proxy.h"

#include "base/mem.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16

struct pair {
	int client, server; /* -1: none */
};

struct proxy {
	pthread_t thread;
	int listener, wake, port, target_port;
	pthread_mutex_t lock; /* guards the rest */
	bool stop, held, garbles;
	size_t cut_after; /* 0: never */
	size_t cut_each;  /* cut_after of each further connection; 0: unchanged */
	size_t received;
	unsigned accepted;
	struct pair pairs[CONNECTIONS_MAX];
	size_t sent; /* by the server, since cut_after was set */
};

static int local_socket(int port, struct sockaddr_in *address)
{
	*address = (struct sockaddr_in){.sin_family = AF_INET,
			.sin_port = htons((uint16_t)port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void hang_up(struct pair *pair)
{
	if (pair->client >= 0)
		(void)close(pair->client);
	if (pair->server >= 0)
		(void)close(pair->server);
	*pair = (struct pair){-1, -1};
}

static void take_client(struct proxy *proxy)
{
	struct pair pair = {accept(proxy->listener, NULL, NULL), -1};
	struct sockaddr_in address;

	if (pair.client < 0)
		return;
	proxy->accepted++;
	if (proxy->cut_each) {
		proxy->cut_after = proxy->cut_each;
		proxy->sent = 0;
	}
	if (proxy->target_port) {
		pair.server = local_socket(proxy->target_port, &address);
		if (connect(pair.server, (const struct sockaddr *)&address, sizeof(address)) != 0) {
			hang_up(&pair);
			return;
		}
	}
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (proxy->pairs[i].client < 0) {
			proxy->pairs[i] = pair;
			return;
		}
	}
	hang_up(&pair);
}

static void garble(char *bytes, size_t len, const char *word)
{
	char *at = memmem(bytes, len, word, strlen(word));

	if (at)
		*at = 'x';
}

/* Moves what is there. Returns how much, 0 at the end of the stream. */
static size_t move(int from, int to, bool garbles)
{
	char bytes[4096];
	ssize_t got = recv(from, bytes, sizeof(bytes), 0);

	if (got <= 0)
		return 0;
	if (garbles) {
		garble(bytes, (size_t)got, "rid=");
		garble(bytes, (size_t)got, "csn=");
	}
	for (ssize_t done = 0; to >= 0 && done < got;) {
		ssize_t put = send(to, bytes + done, (size_t)(got - done), MSG_NOSIGNAL);

		if (put <= 0)
			return 0;
		done += put;
	}
	return (size_t)got;
}

static void serve_pair(struct proxy *proxy, struct pair *pair, const struct pollfd *client,
		const struct pollfd *server)
{
	size_t moved;

	if (client->revents && !proxy->held) {
		moved = move(pair->client, pair->server, proxy->garbles);
		proxy->received += moved;
		if (!moved) {
			hang_up(pair);
			return;
		}
	}
	if (server->revents) {
		bool cut = proxy->cut_after && proxy->sent + 1 >= proxy->cut_after;

		moved = move(pair->server, cut ? -1 : pair->client, false);
		proxy->sent += moved;
		if (cut)
			proxy->cut_after = 0;
		if (!moved || cut)
			hang_up(pair);
	}
}

static void *run(void *arg)
{
	struct proxy *proxy = arg;
	struct pollfd polled[2 + CONNECTIONS_MAX * 2];
	uint64_t count;

	pthread_mutex_lock(&proxy->lock);
	while (!proxy->stop) {
		polled[0] = (struct pollfd){proxy->wake, POLLIN, 0};
		polled[1] = (struct pollfd){proxy->listener, POLLIN, 0};
		for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
			polled[2 + i * 2] = (struct pollfd){
					proxy->held ? -1 : proxy->pairs[i].client, POLLIN, 0};
			polled[3 + i * 2] = (struct pollfd){proxy->pairs[i].server, POLLIN, 0};
		}
		pthread_mutex_unlock(&proxy->lock);
		(void)poll(polled, COUNT_OF(polled), -1);
		pthread_mutex_lock(&proxy->lock);
		if (polled[0].revents)
			(void)!read(proxy->wake, &count, sizeof(count));
		for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
			if (proxy->pairs[i].client >= 0)
				serve_pair(proxy, &proxy->pairs[i], &polled[2 + i * 2],
						&polled[3 + i * 2]);
		}
		if (polled[1].revents)
			take_client(proxy);
	}
	pthread_mutex_unlock(&proxy->lock);
	return NULL;
}

static void wake(struct proxy *proxy)
{
	const uint64_t one = 1;

	(void)!write(proxy->wake, &one, sizeof(one));
}

struct proxy *proxy_new(int target_port)
{
	struct proxy *proxy = mem_zalloc(sizeof(*proxy));
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	proxy->target_port = target_port;
	proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	proxy->listener = local_socket(0, &address);
	if (bind(proxy->listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
			listen(proxy->listener, CONNECTIONS_MAX) != 0 ||
			getsockname(proxy->listener, (struct sockaddr *)&address, &len) != 0)
		abort();
	proxy->port = ntohs(address.sin_port);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		proxy->pairs[i] = (struct pair){-1, -1};
	(void)pthread_mutex_init(&proxy->lock, NULL);
	if (pthread_create(&proxy->thread, NULL, run, proxy) != 0)
		abort();
	return proxy;
}

void proxy_free(struct proxy *proxy)
{
	if (!proxy)
		return;
	pthread_mutex_lock(&proxy->lock);
	proxy->stop = true;
	pthread_mutex_unlock(&proxy->lock);
	wake(proxy);
	(void)pthread_join(proxy->thread, NULL);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		hang_up(&proxy->pairs[i]);
	(void)close(proxy->listener);
	(void)close(proxy->wake);
	(void)pthread_mutex_destroy(&proxy->lock);
	mem_free(proxy);
}

int proxy_port(const struct proxy *proxy)
{
	return proxy->port;
}

void proxy_cut_after(struct proxy *proxy, size_t server_octets)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->cut_after = server_octets;
	proxy->sent = 0;
	pthread_mutex_unlock(&proxy->lock);
}

void proxy_cut_each(struct proxy *proxy, size_t server_octets)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->cut_each = server_octets;
	if (!server_octets)
		proxy->cut_after = 0;
	pthread_mutex_unlock(&proxy->lock);
}

void proxy_hold_requests(struct proxy *proxy, bool held)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->held = held;
	pthread_mutex_unlock(&proxy->lock);
	wake(proxy);
}

void proxy_garble_cookies(struct proxy *proxy)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->garbles = true;
	pthread_mutex_unlock(&proxy->lock);
}

size_t proxy_received(struct proxy *proxy)
{
	size_t received;

	pthread_mutex_lock(&proxy->lock);
	received = proxy->received;
	pthread_mutex_unlock(&proxy->lock);
	return received;
}

unsigned proxy_accepted(struct proxy *proxy)
{
	unsigned accepted;

	pthread_mutex_lock(&proxy->lock);
	accepted = proxy->accepted;
	pthread_mutex_unlock(&proxy->lock);
	return accepted;
}
