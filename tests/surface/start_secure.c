// Promise: a privileged program (AT_SECURE) ignores the environment: no option of LOAM has an effect.
// TEST: cflags=-fno-builtin
// TEST: link=static
// TEST: modes=rseq
//
// A copy of this program is made set-user-ID to another user and run with LOAM=rseq:off: it must
// not go to locks for that, and must not write a word about a nonsensical option. Static, because
// the loader drops LD_PRELOAD for such programs. Needs root, and a scratch folder that allows it.
#include "support/child.h"
#include <sys/auxv.h>
#include <sys/stat.h>

extern const char *loam_mode(void) __attribute__((weak));
extern const char *loam_mode_reason(void) __attribute__((weak));

enum { ANOTHER_USER = 65534 };

static struct child child;

static void run_copy(void *path) {
    char *arguments[] = {path, (char *)"--life", NULL};
    char *environment[] = {(char *)"LOAM=rseq:off,nonsense:1", NULL};
    dup2(1, 2);
    execve(path, arguments, environment);
    _exit(127);
}

static void copy_make(const char *path) {
    char buffer[1 << 16];
    int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    CHECK(from >= 0 && to >= 0, "no copy at %s", path);
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;) say(to, buffer, (size_t)n);
    CHECK(fchown(to, ANOTHER_USER, (gid_t)-1) == 0 && fchmod(to, 04755) == 0, "no set-user-ID");
    close(from);
    close(to);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--life") == 0) {
        free(launder(malloc(100)));
        printf("secure %lu, %s, reason: %s", getauxval(AT_SECURE), loam_mode(),
               loam_mode_reason() ? loam_mode_reason() : "none");
        return 0;
    }
    test_begin(30);
    if (!is_loam()) test_skip("only Loam has these options");
    if (geteuid() != 0) test_skip("only root can make a program of another user");
    const char *folder = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/secure-%d", folder ? folder : "/tmp", (int)getpid());
    copy_make(path);
    child_run(&child, 1, run_copy, path);
    unlink(path);
    CHECK(child_exited(&child, 0), "the copy ended with %#x: %s", child.status, child.output);
    if (strstr(child.output, "secure 0"))
        test_skip("the scratch folder's file system ignores set-user-ID");
    printf("%s\n", child.output);
    CHECK(strncmp(child.output, "secure 1, ", 10) == 0 && !strstr(child.output, "loam:"),
          "it said: %s", child.output);
    // Locks for another reason (an old kernel) are none of this test's business.
    CHECK(strstr(child.output, "option") == NULL, "LOAM=rseq:off was obeyed: %s", child.output);
    return 0;
}
