/* A frame that catches whatever C++ throws through it.
 *
 * operator new(nothrow) must call operator new, and answer NULL if that, or the program's new handler in it, throws. C cannot
 * catch; but a frame may name a *personality*, a function that the unwinder asks what the frame does with an exception. Ours
 * says: stop here, and go on at `landed`, which drops the exception and returns NULL. The unwinder and the C++ library are
 * weak names: where nothing can throw, nothing is missing.
 *
 * Forced unwinding (a thread that is cancelled) passes through. Cost without an exception: one call more. */
#ifndef LOAM_NO_REPLACE
#include "api/catch.h"
#include <unwind.h>

extern void _Unwind_SetGR(struct _Unwind_Context *context, int index, _Unwind_Word value) __attribute__((weak));
extern void _Unwind_SetIP(struct _Unwind_Context *context, _Unwind_Ptr value) __attribute__((weak));
extern void *cxa_begin_catch(void *exception) __asm__("__cxa_begin_catch") __attribute__((weak));
extern void cxa_end_catch(void) __asm__("__cxa_end_catch") __attribute__((weak));

extern const char catch_new_landed[] __attribute__((visibility("hidden")));

_Unwind_Reason_Code catch_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                      struct _Unwind_Exception *exception, struct _Unwind_Context *context);
void *catch_dropped(void *exception);

__attribute__((used)) _Unwind_Reason_Code catch_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                                            struct _Unwind_Exception *exception,
                                                            struct _Unwind_Context *context)
{
    (void)version;
    (void)class;
    if ((actions & _UA_FORCE_UNWIND) || !_Unwind_SetGR || !_Unwind_SetIP)
        return _URC_CONTINUE_UNWIND;
    if (actions & _UA_SEARCH_PHASE)
        return _URC_HANDLER_FOUND;
    if (!(actions & _UA_HANDLER_FRAME))
        return _URC_CONTINUE_UNWIND;
    _Unwind_SetGR(context, __builtin_eh_return_data_regno(0), (_Unwind_Word)(uintptr_t)exception);
    _Unwind_SetIP(context, (_Unwind_Ptr)(uintptr_t)catch_new_landed);
    return _URC_INSTALL_CONTEXT;
}

__attribute__((used)) void *catch_dropped(void *exception)
{
    if (cxa_begin_catch && cxa_end_catch) {
        cxa_begin_catch(exception);
        cxa_end_catch();
    }
    return NULL;
}

#if defined(__x86_64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".hidden catch_new\n"
        ".hidden catch_new_landed\n"
        ".hidden catch_personality\n"
        ".globl catch_new\n"
        ".type catch_new, @function\n"
        "catch_new:\n"
        ".cfi_startproc\n"
        ".cfi_personality 0x1b, catch_personality\n" /* pc-relative, 4 bytes */
        "subq $8, %rsp\n"
        ".cfi_def_cfa_offset 16\n"
        "call *%rdx\n"
        "addq $8, %rsp\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_def_cfa_offset 16\n"
        ".globl catch_new_landed\n"
        "catch_new_landed:\n" /* the exception is in rax */
        "movq %rax, %rdi\n"
        "call catch_dropped\n"
        "addq $8, %rsp\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size catch_new, . - catch_new\n");
#else
__asm__(".text\n"
        ".p2align 4\n"
        ".hidden catch_new\n"
        ".hidden catch_new_landed\n"
        ".hidden catch_personality\n"
        ".globl catch_new\n"
        ".type catch_new, @function\n"
        "catch_new:\n"
        ".cfi_startproc\n"
        ".cfi_personality 0x1b, catch_personality\n"
        "stp x29, x30, [sp, #-16]!\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset 29, -16\n"
        ".cfi_offset 30, -8\n"
        "mov x29, sp\n"
        "blr x2\n"
        "ldp x29, x30, [sp], #16\n"
        ".cfi_remember_state\n"
        ".cfi_restore 30\n"
        ".cfi_restore 29\n"
        ".cfi_def_cfa_offset 0\n"
        "ret\n"
        ".cfi_restore_state\n"
        ".globl catch_new_landed\n"
        "catch_new_landed:\n" /* the exception is in x0 */
        "bl catch_dropped\n"
        "ldp x29, x30, [sp], #16\n"
        ".cfi_restore 30\n"
        ".cfi_restore 29\n"
        ".cfi_def_cfa_offset 0\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size catch_new, . - catch_new\n");
#endif
#endif
