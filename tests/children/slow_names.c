/* Preloaded, it is a name service that does not answer before the file $NAMES_ANSWER is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

typedef int lookup(const char *, struct passwd *, char *, size_t, struct passwd **);

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
               struct passwd **result)
{
    const char *answer = getenv("NAMES_ANSWER");
    while (answer && access(answer, F_OK) != 0)
        usleep(1000);
    return ((lookup *)dlsym(RTLD_NEXT, "getpwnam_r"))(name, entry, buffer, size, result);
}
