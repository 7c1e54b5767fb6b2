/* Linked into the launcher of a measured run: what it has counted is written down before its end,
 * which is never that of a common program, but an exec or an _exit. */
void __gcov_dump(void);
void __gcov_reset(void);
int __real_execv(const char *path, char *const argv[]);
int __real_execvp(const char *file, char *const argv[]);
void __real__exit(int status);

static void write_down(void)
{
	__gcov_dump();
	__gcov_reset();
}

int __wrap_execv(const char *path, char *const argv[])
{
	write_down();
	return __real_execv(path, argv);
}

int __wrap_execvp(const char *file, char *const argv[])
{
	write_down();
	return __real_execvp(file, argv);
}

void __wrap__exit(int status)
{
	write_down();
	__real__exit(status);
}
