// Promise: a C program linked with -lloam runs on us.
// TEST: cflags=-fno-builtin
// TEST: link=shared
#include "support/linked.h"

int main(void) {
    return linked_main("shared");
}
