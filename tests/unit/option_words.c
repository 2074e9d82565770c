/* The options: what is valid takes effect, what is not is named with the nearest valid word and changes nothing, and no text
 * whatever does harm. A process with more rights than its user ignores the environment. */
#define _GNU_SOURCE 1
#include "api/options.h"
#include "loam/loam.h"
#include "player.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char said[1 << 16];

/* Parses and collects what was said about it. */
static uint32_t parse(const char *text, struct options *into)
{
    int fd = memfd_create("words", 0);
    EXPECT(fd >= 0);
    *into = (struct options){0};
    uint32_t complaints = options_parse(text, into, fd);
    ssize_t n = pread(fd, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = 0;
    close(fd);
    return complaints;
}

static void valid(void)
{
    struct options o;
    EXPECT_EQ(parse("", &o), 0);
    EXPECT_EQ(parse("rseq:off", &o), 0);
    EXPECT(o.rseq == CACHE_WISH_LOCKED);
    EXPECT_EQ(parse("rseq:trust,rseq:auto", &o), 0); /* the last one counts */
    EXPECT(o.rseq == CACHE_WISH_AUTO);
    EXPECT_EQ(parse("rseq:trust,stats:1,dirty:3m,direct:128K", &o), 0);
    EXPECT(o.rseq == CACHE_WISH_TRUSTED);
    EXPECT_EQ(o.stats, 1);
    EXPECT_EQ(o.dirty, 3 << 20);
    EXPECT_EQ(o.direct, 128 << 10);
    EXPECT_EQ(parse("dirty:2G", &o), 0);
    EXPECT_EQ(o.dirty, UINT64_C(2) << 30);
    EXPECT_EQ(parse("dirty:9223372036854775807", &o), 0);
    EXPECT_EQ(o.dirty, PTRDIFF_MAX);
    EXPECT_EQ(parse("stats:4194304", &o), 0);
    EXPECT_EQ(o.stats, 4194304);
    EXPECT_EQ(parse(",,rseq:off,,", &o), 0);
    EXPECT(o.rseq == CACHE_WISH_LOCKED);
    EXPECT(said[0] == 0);
}

static void complains(const char *text, const char *words)
{
    struct options o;
    uint32_t complaints = parse(text, &o);
    if (complaints != 1)
        FAIL("\"%s\" brought %u complaints: %s", text, complaints, said);
    if (!strstr(said, words))
        FAIL("\"%s\" brought: %sexpected in it: %s", text, said, words);
    EXPECT(strchr(said, '\n') == said + strlen(said) - 1); /* one line */
    static const struct options defaults;
    if (memcmp(&o, &defaults, sizeof o) != 0)
        FAIL("\"%s\" is said to be ignored, and is not: rseq %d stats %ld dirty %zu direct %zu", text, o.rseq, o.stats,
             o.dirty, o.direct);
}

static void invalid(void)
{
    complains("rsek:off", "did you mean \"rseq\"");
    complains("stat:1", "did you mean \"stats\"");
    complains("drity:1", "did you mean \"dirty\"");
    complains("directt:1", "did you mean \"direct\"");
    complains("x", "unknown option \"x\"");
    complains(":", "unknown option \"\"");
    complains(":off", "unknown option \"\"");
    complains("RSEQ:off", "unknown option \"RSEQ\"");
    complains("rseq", "auto | off | trust");
    complains("rseq:", "option rseq cannot be \"\"");
    complains("rseq:of", "option rseq cannot be \"of\"");
    complains("rseq:offf", "option rseq cannot be \"offf\"");
    complains("rseq:off:off", "option rseq cannot be \"off:off\"");
    complains("stats:-1", "option stats cannot be \"-1\"");
    complains("dirty:k", "cannot be \"k\"");
    complains("dirty:1kb", "cannot be \"1kb\"");
    complains("dirty:1 ", "cannot be \"1 \"");
    complains("dirty:0x10", "cannot be \"0x10\"");
    complains("dirty:1t", "cannot be \"1t\"");
    complains("dirty:9223372036854775808", "dirty"); /* over PTRDIFF_MAX */
    complains("dirty:18446744073709551615", "dirty"); /* SIZE_MAX */
    complains("dirty:18446744073709551616", "dirty"); /* wraps to 0 */
    complains("direct:99999999999999999999999999", "direct");
    complains("dirty:17179869184g", "dirty"); /* wraps in the unit */
    complains("dirty:9007199254740992k", "dirty"); /* 2^63 */
    complains("rs\x01q:off", "unknown option \"rs?q\""); /* nothing of it reaches a terminal */
    complains("rseq:\x1b[31m", "cannot be \"?[31m\"");
    struct options o;
    EXPECT_EQ(parse("rseq:off,nonsense:1,stats:1", &o), 1); /* the others count */
    EXPECT(o.rseq == CACHE_WISH_LOCKED && o.stats == 1);
}

static void huge(void)
{
    struct options o;
    char *text = malloc(1 << 20);
    memset(text, 'a', 1 << 20);
    text[(1 << 20) - 1] = 0;
    EXPECT_EQ(parse(text, &o), 1);
    EXPECT(strlen(said) < 512);
    memcpy(text, "rseq:", 5);
    EXPECT_EQ(parse(text, &o), 1);
    memset(text, ',', (1 << 20) - 1);
    EXPECT_EQ(parse(text, &o), 0);
    memset(text, ':', (1 << 20) - 1);
    EXPECT_EQ(parse(text, &o), 1);
    memcpy(text, "dirty:", 6);
    memset(text + 6, '0', 1000);
    memcpy(text + 1006, "7k", 3);
    EXPECT_EQ(parse(text, &o), 0);
    EXPECT_EQ(o.dirty, 7 << 10);
    free(text);
}

static void any_bytes(void)
{
    static const char letters[] = "rseqstatsdirtydirect:::,,,0123456789kmgoffauto \xff\x80\n%sn";
    struct random random;
    random_seed(&random, unit_seed());
    for (int i = 0; i < 20000; i++) {
        char text[64];
        uint32_t n = random_below(&random, sizeof text);
        for (uint32_t k = 0; k < n; k++)
            text[k] = letters[random_below(&random, sizeof letters - 1)];
        text[n] = 0;
        struct options o;
        uint32_t complaints = parse(text, &o), lines = 0;
        for (const char *at = said; (at = strchr(at, '\n')); at++)
            lines++;
        EXPECT_EQ(complaints, lines);
        for (const char *at = said; *at; at++)
            EXPECT(*at == '\n' || (*at >= ' ' && *at <= '~'));
        EXPECT(o.dirty <= PTRDIFF_MAX && o.direct <= PTRDIFF_MAX && o.stats >= 0);
    }
}

/* All options are listed, with what they take. */
static void listed(void)
{
    int fd = memfd_create("words", 0);
    loam_options_print(fd);
    ssize_t n = pread(fd, said, sizeof said - 1, 0);
    said[n] = 0;
    close(fd);
    EXPECT(strstr(said, "rseq:auto | off | trust") && strstr(said, "stats:") && strstr(said, "dirty:") &&
           strstr(said, "direct:"));
}

/* ---- more rights than the user ---- */

static void print_mode(void)
{
    API(free)(API(malloc)(1));
    printf("%s%s\n", getauxval(AT_SECURE) ? "secure " : "", loam_mode());
}

/* A copy of this program that belongs to another user and is set-user-ID, run with LOAM=rseq:off. */
static void secure(const char *program)
{
    if (geteuid() != 0 || UNIT_SLOW) {
        puts("the part with a set-user-ID program needs root and no sanitizer: left out");
        return;
    }
    char copy[] = "/tmp/loam-option-words-XXXXXX", command[200], mode[64] = "";
    int to = mkstemp(copy), from = open(program, O_RDONLY);
    EXPECT(to >= 0 && from >= 0);
    char buffer[65536];
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
        EXPECT(write(to, buffer, (size_t)n) == n);
    EXPECT(fchown(to, 65534, 65534) == 0 && fchmod(to, 04755) == 0);
    close(to);
    close(from);
    setenv("LOAM", "rseq:off", 1);
    for (int is_secure = 0; is_secure < 2; is_secure++) {
        snprintf(command, sizeof command, "%s --mode", is_secure ? copy : program);
        FILE *out = popen(command, "r");
        EXPECT(out != NULL);
        const char *line = fgets(mode, sizeof mode, out);
        if (pclose(out) != 0 || !line)
            FAIL("%s did not run", command);
        if (!is_secure)
            EXPECT(strcmp(mode, "locked\n") == 0);
    }
    unlink(copy);
    unsetenv("LOAM");
    API(free)(API(malloc)(1));
    if (cache_mode() != CACHE_SEQUENCES)
        puts("without sequences a set-user-ID program is locked whatever the environment says: nothing shown");
    else if (strncmp(mode, "secure", 6) != 0)
        puts("the file system ignores the set-user-ID bit: nothing shown");
    else if (strcmp(mode, "secure sequences\n") != 0)
        FAIL("a set-user-ID program took its options from the environment: mode %s", mode);
    else
        puts("set-user-ID: LOAM=rseq:off was ignored");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--mode") == 0) {
        print_mode();
        return 0;
    }
    valid();
    invalid();
    huge();
    any_bytes();
    listed();
    secure(argv[0]);
    return 0;
}
