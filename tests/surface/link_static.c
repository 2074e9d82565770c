// Promise: a statically linked C program runs on us, whole: threads, fork, large blocks, destructors.
// TEST: cflags=-fno-builtin
// TEST: link=static
#include "support/linked.h"

int main(void) {
    return linked_main("static");
}
