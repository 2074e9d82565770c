// Promise: a C program linked with loam.o alone needs no C++ library and runs on us.
// TEST: cflags=-fno-builtin
// TEST: link=object
#include "support/linked.h"

int main(void) {
    return linked_main("object");
}
