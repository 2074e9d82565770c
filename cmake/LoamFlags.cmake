# How Loam is compiled. Two interface targets:
#   loam_flags_warnings  what every C file of this project passes, tests too
#   loam_flags_library   what the allocator itself needs beside that
include(CheckCCompilerFlag)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()
# -g1: function names and lines in a backtrace, at a tenth of the size of -g.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g3")

add_library(loam_flags_warnings INTERFACE)
target_compile_options(loam_flags_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
if(LOAM_DEBUG)
    target_compile_definitions(loam_flags_warnings INTERFACE LOAM_DEBUG=1)
endif()
if(NOT LOAM_SANITIZE STREQUAL "")
    set(flags "-fsanitize=${LOAM_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(loam_flags_warnings INTERFACE ${flags})
    target_link_options(loam_flags_warnings INTERFACE ${flags})
endif()
if(LOAM_SANITIZE MATCHES "thread")
    # TSan cannot see into a restartable sequence (it is assembly): it watches the locked tables.
    target_compile_definitions(loam_flags_warnings INTERFACE LOAM_RSEQ=0)
    check_c_compiler_flag(-Wno-tsan LOAM_HAS_WNO_TSAN)
    if(LOAM_HAS_WNO_TSAN AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        # gcc warns that it does not model atomic_thread_fence; which fences there are is in the code.
        target_compile_options(loam_flags_warnings INTERFACE -Wno-tsan)
    endif()
endif()
if(LOAM_COVERAGE)
    target_compile_options(loam_flags_warnings INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(loam_flags_warnings INTERFACE --coverage)
endif()

add_library(loam_flags_library INTERFACE)
target_link_libraries(loam_flags_library INTERFACE loam_flags_warnings)
target_compile_options(loam_flags_library INTERFACE
    -fexceptions                  # operator new throws through our frames
    -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free
                                  # else our calloc may be compiled into a call of calloc
    -fno-semantic-interposition   # a call inside the library is a call inside the library
    -fno-plt                      # calls into the C library without a stub; all bound at start anyway
    -fno-stack-protector)
if(LOAM_SANITIZE STREQUAL "")
    target_compile_options(loam_flags_library INTERFACE -fomit-frame-pointer)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64|i[3-6]86)$")
    target_compile_options(loam_flags_library INTERFACE -fcf-protection=none)
endif()
