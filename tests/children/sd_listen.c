/* A program written for systemd, in the manner of sd_listen_fds(3): serves all sockets that it is
 * given, each connection with "PID NUMBER NAMES". It knows nothing of Circus. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	if (!pid || !fds || atoi(pid) != getpid())
		return 3;
	int count = atoi(fds);
	struct pollfd polled[16];
	if (count < 1 || count > 16)
		return 4;
	for (int i = 0; i < count; i++)
		polled[i] = (struct pollfd){ .fd = 3 + i, .events = POLLIN };
	for (;;) {
		poll(polled, count, -1);
		for (int i = 0; i < count; i++) {
			int connection = polled[i].revents ? accept(3 + i, NULL, NULL) : -1;
			if (connection < 0)
				continue;
			dprintf(connection, "%d %d %s", getpid(), 3 + i, getenv("LISTEN_FDNAMES"));
			close(connection);
		}
	}
}
