/* Catching a C++ exception in C: what the nothrow forms of operator new need, and what keeps this a C library. */
#ifndef LOAM_API_CATCH_H
#define LOAM_API_CATCH_H

#include "base/compiler.h"

/* Calls new_form(size, align); NULL if that throws. */
void *catch_new(size_t size, size_t align, void *(*new_form)(size_t size, size_t align));

#endif
