/* Become the worker: apply what was asked, each step checked, then exec.
 *
 *   launch OPTION... -- FILE ARGV0 ARG...
 *
 * FILE is looked up on the PATH of the environment that the worker gets. When a step fails, its
 * name and errno go to the descriptor of -e as "step errno" and the process ends with 127; when
 * exec succeeds, that descriptor closes by itself and says nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static int report = -1;

static _Noreturn void fail(const char *step)
{
	dprintf(report, "%s %d", step, errno);
	_exit(127);
}

static long number(const char *text)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || *end) {
		errno = EINVAL;
		fail("option");
	}
	return value;
}

static rlim_t limit(const char *text)
{
	return *text == '-' ? RLIM_INFINITY : strtoull(text, NULL, 10);
}

/* resource:soft:hard, "-" for unlimited */
static void set_limit(char *text)
{
	char *soft = strchr(text, ':'), *hard = soft ? strchr(soft + 1, ':') : NULL;
	if (!hard) {
		errno = EINVAL;
		fail("option");
	}
	*soft++ = *hard++ = '\0';
	struct rlimit wanted = { limit(soft), limit(hard) };
	if (setrlimit((int)number(text), &wanted)) {
		dprintf(report, "limit-%s %d", text, errno);
		_exit(127);
	}
}

/* "1,2,3", or empty for none */
static void set_groups(char *text)
{
	gid_t groups[NGROUPS_MAX];
	size_t count = 0;
	for (char *one = strtok(text, ","); one && count < NGROUPS_MAX; one = strtok(NULL, ","))
		groups[count++] = (gid_t)number(one);
	if (setgroups(count, groups))
		fail("groups");
}

/* "ours:theirs,..." */
struct place {
	int ours, theirs;
};
static struct place *places;
static size_t place_count;

static void read_places(char *text)
{
	size_t most = 1;
	for (const char *c = text; *c; c++)
		most += *c == ',';
	places = calloc(most, sizeof *places);
	if (!places)
		fail("descriptor");
	for (char *one = strtok(text, ","); one; one = strtok(NULL, ",")) {
		char *theirs = strchr(one, ':');
		if (!theirs) {
			errno = EINVAL;
			fail("option");
		}
		*theirs++ = '\0';
		places[place_count++] = (struct place){ (int)number(one), (int)number(theirs) };
	}
}

static int moved(int fd, int above)
{
	int found = fcntl(fd, F_DUPFD_CLOEXEC, above + 1);
	if (found < 0)
		fail("descriptor");
	return found;
}

/* Sockets to where the worker looks for them. All are moved out of the way first, the report too:
 * the number that one has may be the one that another is to get. */
static void place_descriptors(char *text)
{
	int above = report;
	read_places(text);
	for (size_t i = 0; i < place_count; i++)
		if (places[i].theirs > above)
			above = places[i].theirs;
	report = moved(report, above);
	for (size_t i = 0; i < place_count; i++)
		places[i].ours = moved(places[i].ours, above);
	for (size_t i = 0; i < place_count; i++)
		if (dup2(places[i].ours, places[i].theirs) < 0)
			fail("descriptor");
}

static void keep_only_placed(void)
{
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < place_count; i++)
		if (fcntl(places[i].theirs, F_SETFD, 0))
			fail("descriptor");
}

static void join_cgroup(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail("cgroup");
	close(fd);
}

static void set_user(uid_t uid)
{
	if (setresuid(uid, uid, uid))
		fail("user");
	uid_t real, effective, saved;
	if (getresuid(&real, &effective, &saved) || real != uid || effective != uid || saved != uid)
		fail("user");
}

static void set_group(gid_t gid)
{
	if (setresgid(gid, gid, gid))
		fail("group");
}

static void die_with(pid_t parent, int signum)
{
	if (prctl(PR_SET_PDEATHSIG, signum))
		fail("parent_death_signal");
	if (getppid() != parent) /* it died before we could say so */
		raise(signum);
}

/* sd_listen_fds(3): only who finds its own pid there takes the sockets to be meant for it */
static void tell_own_pid(void)
{
	char text[24];
	snprintf(text, sizeof text, "%d", (int)getpid());
	if (setenv("LISTEN_PID", text, 1))
		fail("environment");
}

static void reset_signals(void)
{
	for (int signum = 1; signum < NSIG; signum++)
		signal(signum, SIG_DFL); /* KILL, STOP and libc's own refuse, rightly */
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* as execvp, but what the kernel cannot run is given to no shell: circusd does not do that either */
static _Noreturn void become(const char *file, char *const *argv)
{
	if (strchr(file, '/')) {
		execv(file, argv);
		fail("exec");
	}
	const char *place = getenv("PATH");
	if (!place)
		place = "/bin:/usr/bin";
	int why = ENOENT;
	for (;; place++) {
		int length = (int)strcspn(place, ":");
		char path[PATH_MAX];
		int size = snprintf(path, sizeof path, "%.*s/%s", length ? length : 1,
				    length ? place : ".", file);
		if (size < PATH_MAX) {
			execv(path, argv);
			if (errno != ENOENT && errno != ENOTDIR)
				why = errno;
		}
		place += length;
		if (!*place || (why != ENOENT && why != EACCES))
			break;
	}
	errno = why;
	fail("exec");
}

int main(int argc, char **argv)
{
	int option, death = 0;
	const char *directory = NULL;
	long uid = -1;
	pid_t parent = getppid();

	reset_signals();
	if (setsid() < 0 && getpid() != getsid(0))
		fail("session");
	while ((option = getopt(argc, argv, "+e:c:d:g:G:k:l:m:n:p:u:N")) != -1)
		switch (option) {
		case 'e': report = (int)number(optarg); break;
		case 'c': join_cgroup(optarg); break;
		case 'd': directory = optarg; break;
		case 'g': set_group((gid_t)number(optarg)); break;
		case 'G': set_groups(optarg); break;
		case 'k': place_descriptors(optarg); break;
		case 'l': set_limit(optarg); break;
		case 'm': umask((mode_t)number(optarg)); break;
		case 'n':
			errno = 0;
			if (setpriority(PRIO_PROCESS, 0, (int)number(optarg)))
				fail("nice");
			break;
		case 'p': death = (int)number(optarg); break;
		case 'u': uid = number(optarg); break;
		case 'N':
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
				fail("no_new_privileges");
			break;
		default:
			errno = EINVAL;
			fail("option");
		}
	if (argc - optind < 2) {
		errno = EINVAL;
		fail("option");
	}
	keep_only_placed();
	if (place_count)
		tell_own_pid();
	if (uid >= 0)
		set_user((uid_t)uid);
	if (death) /* after the change of user, which clears it */
		die_with(parent, death);
	if (directory && chdir(directory)) /* as the user who will work there */
		fail("working_dir");
	become(argv[optind], argv + optind + 1);
}
