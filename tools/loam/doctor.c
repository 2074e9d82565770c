/*
 * loam doctor: what this machine offers to Loam, in lines a bug report can hold.
 *
 * It changes nothing and always succeeds: a machine that offers little is served by the locks.
 */
#define _GNU_SOURCE
#include "command.h"

#include <gnu/libc-version.h>
#include <limits.h>
#include <loam/version.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif

/* The chosen word of a file like "always [madvise] never", or its first line. */
static void print_setting(const char *label, const char *path)
{
    char line[256];
    FILE *file = fopen(path, "re");
    if (!file || !fgets(line, sizeof line, file)) {
        printf("%-22s not readable (%s)\n", label, path);
        if (file)
            fclose(file);
        return;
    }
    fclose(file);
    line[strcspn(line, "\n")] = 0;
    char *word = strchr(line, '['), *end = word ? strchr(word, ']') : NULL;
    if (word && end) {
        *end = 0;
        word++;
    } else {
        word = line;
    }
    printf("%-22s %s\n", label, word);
}

static void print_machine(void)
{
    struct utsname name;
    if (uname(&name) == 0)
        printf("%-22s %s %s %s\n", "kernel", name.sysname, name.release, name.machine);
    printf("%-22s %s\n", "C library", gnu_get_libc_version());
    printf("%-22s %d usable, %d possible\n", "processors", get_nprocs(), get_nprocs_conf());
    printf("%-22s %ld bytes\n", "page", sysconf(_SC_PAGESIZE));
    print_setting("huge pages", "/sys/kernel/mm/transparent_hugepage/enabled");
    print_setting("overcommit", "/proc/sys/vm/overcommit_memory");
    print_setting("mappings at most", "/proc/sys/vm/max_map_count");
    unsigned long features = getauxval(AT_RSEQ_FEATURE_SIZE);
    if (features)
        printf("%-22s %lu bytes known to the kernel%s\n", "rseq", features, features >= 28 ? ", with mm_cid" : "");
    else
        printf("%-22s no extensions known to the kernel\n", "rseq");
}

int command_doctor(int argc, char **argv)
{
    if (argc > 1) {
        fprintf(stderr, "loam %s: takes no argument, found '%s'\n", argv[0], argv[1]);
        return STATUS_USAGE;
    }
    char library[2 * PATH_MAX];
    printf("%-22s %s\n", "loam", LOAM_VERSION_STRING);
    printf("%-22s %s\n", "library", library_find(library, sizeof library) ? library : "not found");
    print_machine();
    const char *(*mode)(void) = (const char *(*)(void))library_function("loam_mode");
    if (!mode)
        return STATUS_FAILED;
    printf("%-22s %s\n", "lists by processor", mode());
    return 0;
}
