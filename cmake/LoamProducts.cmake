# What a user links or preloads: loam.o, libloam.a, libloam.so.1, and the command.

loam_objects_add(loam_objects ${loam_sources})
loam_objects_add(loam_region_objects ${region_sources})

# One object of many, in which only the public names are left global, and an archive that holds just that object: whoever needs
# one function of malloc's family gets them all, never half from the C library; and none of our internal names can clash with the
# program's.
function(loam_archive_add objects object archive)
    add_custom_command(OUTPUT "${object}"
        COMMAND "${CMAKE_LINKER}" -r -o "${object}.all" $<TARGET_OBJECTS:${objects}>
        COMMAND "${CMAKE_OBJCOPY}" --localize-hidden "${object}.all" "${object}"
        COMMAND "${CMAKE_COMMAND}" -E rm -f "${object}.all"
        DEPENDS ${objects} $<TARGET_OBJECTS:${objects}>
        COMMAND_EXPAND_LISTS VERBATIM COMMENT "Joining ${objects} into one")
    add_custom_command(OUTPUT "${archive}"
        COMMAND "${CMAKE_COMMAND}" -E rm -f "${archive}"
        COMMAND "${CMAKE_AR}" rcsD "${archive}" "${object}"
        DEPENDS "${object}" VERBATIM COMMENT "Archiving ${archive}")
endfunction()
set(loam_o "${PROJECT_BINARY_DIR}/loam.o")
set(loam_a "${PROJECT_BINARY_DIR}/libloam.a")
set(loam_region_a "${PROJECT_BINARY_DIR}/libloam_region.a")
loam_archive_add(loam_objects "${loam_o}" "${loam_a}")
loam_archive_add(loam_region_objects "${PROJECT_BINARY_DIR}/loam_region.o" "${loam_region_a}")
add_custom_target(loam_archive ALL DEPENDS "${loam_o}" "${loam_a}" "${loam_region_a}")

# The regions, for programs that own their memory: loam/region.h.
add_library(loam_region_shared SHARED $<TARGET_OBJECTS:loam_region_objects>)
set_target_properties(loam_region_shared PROPERTIES OUTPUT_NAME loam_region SOVERSION 1 LINKER_LANGUAGE C)
target_link_options(loam_region_shared PRIVATE LINKER:-z,now LINKER:-z,relro LINKER:-z,defs)

# libloam.so.1. No version script: names with a version of ours would no longer answer to the
# C library's malloc@GLIBC_2.2.5; what is exported is decided by visibility, in the source.
# Calls among our own public names stay open to the program (no -Bsymbolic): one that replaces operator new must find that
# our array and nothrow forms call its own.
add_library(loam_shared SHARED $<TARGET_OBJECTS:loam_objects>)
set_target_properties(loam_shared PROPERTIES OUTPUT_NAME loam SOVERSION 1 LINKER_LANGUAGE C)
target_link_options(loam_shared PRIVATE
    LINKER:-z,nodelete LINKER:-z,now LINKER:-z,relro LINKER:-z,defs)
add_custom_command(TARGET loam_shared POST_BUILD
    COMMAND sh "${PROJECT_SOURCE_DIR}/cmake/check_needed.sh" "${CMAKE_READELF}" $<TARGET_FILE:loam_shared>
    VERBATIM COMMENT "Checking that libloam.so needs nothing but the C library")

# The command. It loads the library only to ask it something (its options), so that `loam run` itself
# starts as fast as any small program and reads nothing that is meant for the program's allocator. The
# regions (for region-map) are inside it.
file(GLOB loam_command_sources CONFIGURE_DEPENDS "tools/loam/*.c")
add_executable(loam ${loam_command_sources})
target_include_directories(loam PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include")
target_compile_definitions(loam PRIVATE LOAM_LIBDIR="${CMAKE_INSTALL_FULL_LIBDIR}"
    LOAM_LIBDIR_NAME="${CMAKE_INSTALL_LIBDIR}")
target_link_libraries(loam PRIVATE loam_flags_warnings "${loam_region_a}" ${CMAKE_DL_LIBS})
add_dependencies(loam loam_archive)
