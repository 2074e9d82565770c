// Promise: malloc_info writes one well-formed XML document of our heap, also while others allocate.
// TEST: cflags=-fno-builtin
//
// The stream is given by the caller and may itself allocate while it is written to
// (open_memstream), so nothing may be locked then. Our own strict reader judges the document, and
// xmllint too where it is installed.
#include "support/child.h"
#include "support/xml.h"
#include <malloc.h>
#include <pthread.h>

static volatile bool stop;

static char *info_text(void) {
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    CHECK(stream != NULL, "no stream");
    int result = malloc_info(0, stream);
    CHECK(result == 0, "malloc_info returned %d", result);
    CHECK(fclose(stream) == 0 && text, "the stream failed");
    return text;
}

static void the_reader_can_say_no(void) {
    CHECK(xml_is_well_formed("<a b=\"1\"><c/>text<d x='2'></d></a>\n"), "a good one");
    CHECK(!xml_is_well_formed("<a b=\"1\"><c></a>"), "not closed");
    CHECK(!xml_is_well_formed("<a b=1/>"), "no quotes");
    CHECK(!xml_is_well_formed("<a/><b/>"), "two roots");
    CHECK(!xml_is_well_formed("<a x=\"1\"y=\"2\"/>"), "no space");
}

static void document_is_good(const char *text) {
    CHECK(xml_is_well_formed(text), "this is no XML:\n%s", text);
    CHECK(strncmp(text, "<malloc", 7) == 0 || strstr(text, "?>\n<malloc"), "root is not <malloc>");
}

static void xmllint_agrees(const char *text) {
    if (system("command -v xmllint >/dev/null 2>&1") != 0) {
        printf("xmllint (package libxml2-utils) is not installed: only our own reader judged\n");
        return;
    }
    FILE *pipe_end = popen("xmllint --noout - 2>&1", "w");
    CHECK(pipe_end != NULL, "no pipe");
    fputs(text, pipe_end);
    int status = pclose(pipe_end);
    CHECK(status == 0, "xmllint ended with %#x", status);
}

static void *allocate_on(void *salt) {
    struct dice dice = dice_make((uintptr_t)salt);
    void *mine[64] = {0};
    while (!stop) {
        size_t i = (size_t)dice_below(&dice, 64);
        free(mine[i]);
        mine[i] = malloc(dice_size(&dice));
    }
    for (size_t i = 0; i < 64; i++) free(mine[i]);
    return NULL;
}

int main(void) {
    test_begin(60);
    the_reader_can_say_no();
    void *live[1000];
    for (size_t i = 0; i < 1000; i++) live[i] = malloc(i * 7);
    void *large = malloc(20 * MIB);
    char *text = info_text();
    document_is_good(text);
    xmllint_agrees(text);
    printf("%zu bytes, begins: %.60s\n", strlen(text), text);
    free(text);
    free(large);

    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, allocate_on, (void *)(i + 1)) == 0, "no thread");
    for (int round = 0; round < 200; round++) {
        text = info_text();
        document_is_good(text);
        free(text);
    }
    stop = true;
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 1000; i++) free(live[i]);
    CHECK(malloc_info(1, stdout) == EINVAL, "options other than 0 must be refused");
    return 0;
}
