// Promise: whatever the C library allocates for a caller can be freed by the caller.
// TEST: cflags=-fno-builtin
//
// The functions of the C library that hand out memory, and those that keep much of their own.
#include "support/surface.h"
#include <argz.h>
#include <dirent.h>
#include <fts.h>
#include <glob.h>
#include <iconv.h>
#include <ifaddrs.h>
#include <locale.h>
#include <malloc.h>
#include <netdb.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <wchar.h>

static void strings(void) {
    for (size_t n = 0; n < 5000; n = n * 2 + 1) {
        char *text = malloc(n + 1);
        memset(text, 'a', n);
        text[n] = '\0';
        char *copy = strdup(text), *part = strndup(text, n / 2), *printed = NULL;
        CHECK(asprintf(&printed, "%s-%zu", text, n) > (int)n, "asprintf");
        CHECK(copy && part && strcmp(copy, text) == 0 && strlen(part) == n / 2, "strdup of %zu", n);
        copy = realloc(copy, n + 10000);
        CHECK(copy && strncmp(copy, text, n) == 0, "realloc of strdup's block");
        free(copy);
        free(part);
        free(printed);
        free(text);
    }
    wchar_t *wide = wcsdup(L"wide characters");
    CHECK(wide && wcslen(wide) == 15, "wcsdup");
    free(wide);
    char *argz = NULL;
    size_t length = 0;
    for (int i = 0; i < 200; i++) CHECK(argz_add(&argz, &length, "word") == 0, "argz_add");
    CHECK(argz_count(argz, length) == 200, "argz_count");
    free(argz);
}

static void lines(void) {
    FILE *file = tmpfile();
    CHECK(file != NULL, "tmpfile");
    for (int i = 0; i < 200; i++) fprintf(file, "%0*d\n", i * 7 + 1, i);
    rewind(file);
    char *line = malloc(3); // getline resizes what it is given
    size_t room = 3, n = 0;
    while (getline(&line, &room, file) > 0) {
        CHECK(strlen(line) == n * 7 + 2, "line %zu has %zu characters", n, strlen(line));
        n++;
    }
    CHECK(n == 200, "%zu lines", n);
    free(line);
    rewind(file);
    line = NULL, room = 0;
    CHECK(getdelim(&line, &room, '9', file) > 0, "getdelim");
    free(line);
    rewind(file);
    char *word = NULL;
    CHECK(fscanf(file, "%ms", &word) == 1 && strcmp(word, "0") == 0, "%%ms read %s", word);
    free(word);
    fclose(file);
}

static int any_entry(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static void files(void) {
    struct dirent **entries = NULL;
    int n = scandir("/proc/self", &entries, any_entry, alphasort);
    CHECK(n > 10, "scandir found %d", n);
    for (int i = 0; i < n; i++) free(entries[i]);
    free(entries);
    DIR *folder = opendir("/proc/self/task");
    CHECK(folder && readdir(folder), "opendir");
    closedir(folder);
    char *path = realpath("/proc/self/../self/./", NULL);
    CHECK(path && path[0] == '/', "realpath");
    free(path);
    path = getcwd(NULL, 0);
    CHECK(path && path[0] == '/', "getcwd");
    free(path);
    path = canonicalize_file_name("/");
    CHECK(path && strcmp(path, "/") == 0, "canonicalize_file_name");
    free(path);
    path = get_current_dir_name();
    CHECK(path != NULL, "get_current_dir_name");
    free(path);
    glob_t found;
    CHECK(glob("/proc/self/*", 0, NULL, &found) == 0 && found.gl_pathc > 10, "glob");
    globfree(&found);
    char *roots[] = {(char *)"/proc/self/fd", NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    CHECK(tree != NULL, "fts_open");
    while (fts_read(tree)) {}
    fts_close(tree);
}

static void names(void) {
    struct addrinfo *addresses = NULL, hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_NUMERICHOST;
    CHECK(getaddrinfo("127.0.0.1", "80", &hints, &addresses) == 0, "getaddrinfo");
    freeaddrinfo(addresses);
    if (getaddrinfo("localhost", NULL, NULL, &addresses) == 0) freeaddrinfo(addresses);
    struct ifaddrs *interfaces = NULL;
    if (getifaddrs(&interfaces) == 0) freeifaddrs(interfaces);
    setpwent();
    while (getpwent()) {}
    endpwent();
}

static int integer_compare(const void *a, const void *b) {
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void tables(void) {
    void *root = NULL;
    static int numbers[2000];
    for (int i = 0; i < 2000; i++) {
        numbers[i] = i * 7919 % 2000;
        CHECK(tsearch(&numbers[i], &root, integer_compare) != NULL, "tsearch");
    }
    for (int i = 0; i < 2000; i++) tdelete(&numbers[i], &root, integer_compare);
    CHECK(root == NULL, "the tree is not empty");
    CHECK(hcreate(500) != 0, "hcreate");
    for (int i = 0; i < 300; i++) {
        ENTRY entry = {NULL, NULL};
        CHECK(asprintf(&entry.key, "key %d", i) > 0, "asprintf");
        CHECK(hsearch(entry, ENTER) != NULL, "hsearch");
    }
    hdestroy();
    int *many = malloc(400000 * sizeof *many);
    CHECK(many != NULL, "no memory");
    for (int i = 0; i < 400000; i++) many[i] = (int)((unsigned)i * 2654435761u >> 1);
    qsort(many, 400000, sizeof *many, integer_compare); // merges through a block of its own
    for (int i = 1; i < 400000; i++) CHECK(many[i - 1] <= many[i], "not sorted at %d", i);
    free(many);
    regex_t pattern;
    CHECK(regcomp(&pattern, "^(a|b)*c{2,5}[[:digit:]]+$", REG_EXTENDED) == 0, "regcomp");
    CHECK(regexec(&pattern, "abbacc123", 0, NULL, 0) == 0, "regexec");
    regfree(&pattern);
}

static void surroundings(void) {
    for (int i = 0; i < 500; i++) {
        char name[32], value[600];
        snprintf(name, sizeof name, "SURFACE_%d", i);
        memset(value, 'v', sizeof value - 1);
        value[i] = '\0';
        CHECK(setenv(name, value, 1) == 0 && strlen(getenv(name)) == (size_t)i, "setenv %d", i);
        if (i % 2) unsetenv(name);
    }
    CHECK(clearenv() == 0, "clearenv");
    locale_t locale = newlocale(LC_ALL_MASK, "C", NULL);
    CHECK(locale != NULL, "newlocale");
    locale_t second = duplocale(locale);
    freelocale(second);
    freelocale(locale);
    CHECK(setlocale(LC_ALL, "C") != NULL, "setlocale");
    iconv_t conversion = iconv_open("UTF-16", "UTF-8");
    if (conversion != (iconv_t)-1) iconv_close(conversion);
}

static void streams(void) {
    FILE *open_files[100];
    for (size_t i = 0; i < 100; i++) {
        open_files[i] = fopen("/dev/null", "w+");
        CHECK(open_files[i] != NULL, "fopen %zu", i);
        CHECK(setvbuf(open_files[i], i % 2 ? malloc(8192) : NULL, _IOFBF, 8192) == 0, "setvbuf");
        fprintf(open_files[i], "%zu\n", i);
    }
    // The odd ones' buffers are the program's, and are left to it: a leak here, no error.
    for (size_t i = 0; i < 100; i++) CHECK(fclose(open_files[i]) == 0, "fclose %zu", i);
}

int main(void) {
    test_begin(60);
    for (int round = 0; round < 5; round++) {
        strings();
        lines();
        files();
        names();
        tables();
        streams();
    }
    surroundings();
    return 0;
}
