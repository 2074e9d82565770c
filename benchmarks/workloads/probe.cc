// probe: not a workload. Prints in which library malloc, free and operator new are found, so that an allocator that the
// dynamic linker could not preload (it only warns) is never measured as the C library under another name.
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <new>

static void where_print(const char *name, void *address)
{
    Dl_info info;
    std::printf("%s %s\n", name, address != nullptr && dladdr(address, &info) != 0 ? info.dli_fname : "nowhere");
}

int main()
{
    where_print("malloc", dlsym(RTLD_DEFAULT, "malloc"));
    where_print("free", dlsym(RTLD_DEFAULT, "free"));
    where_print("new", dlsym(RTLD_DEFAULT, "_Znwm"));
    int *number = new int(1);
    delete number;
    return 0;
}
